//! `response_mode` (OAuth 2.0 Multiple Response Type Encoding Practices 2.1, Form Post Response Mode).

/// `response_mode`. The one list. There is no `fragment`: no token ever travels in a URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the redirect.
    #[default]
    Query,
    /// In a form that the browser posts.
    FormPost,
    /// Signed (JARM 2.3): in the query, which is the default of a code.
    Jwt,
    /// Signed, in the query (JARM 2.3.1).
    QueryJwt,
    /// Signed, in a form that the browser posts (JARM 2.3.3).
    FormPostJwt,
}

impl ResponseMode {
    /// Every mode.
    pub const ALL: [Self; 5] = [Self::Query, Self::FormPost, Self::Jwt, Self::QueryJwt, Self::FormPostJwt];

    /// Its registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
            Self::Jwt => "jwt",
            Self::QueryJwt => "query.jwt",
            Self::FormPostJwt => "form_post.jwt",
        }
    }

    /// Whether the answer is one signed token.
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::Jwt | Self::QueryJwt | Self::FormPostJwt)
    }

    /// Whether the browser posts it.
    pub const fn is_posted(self) -> bool {
        matches!(self, Self::FormPost | Self::FormPostJwt)
    }

    /// The mode of this name.
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == raw)
    }
}
