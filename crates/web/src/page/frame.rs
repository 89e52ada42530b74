//! What stands around every page.

use serde::Serialize;

/// The tenant, the person and the request that a page belongs to.
#[derive(Debug, Clone, Serialize)]
pub struct Frame {
    /// The tenant's display name.
    pub tenant_name: String,
    /// Path prefix of the tenant: empty, or `/t/acme`. Without a slash at the end.
    pub base: String,
    /// Where the files of [`Pages::asset`](crate::Pages::asset) are served. Without a slash at the end.
    pub assets: String,
    /// Names the request in the logs; shown on error pages.
    pub request_id: Option<String>,
    /// Username of whoever is signed in.
    pub signed_in: Option<String>,
    /// How the application asked the pages to be shown.
    pub display: Display,
}

impl Frame {
    /// A full page of the tenant at the root, with assets under `/assets`, for nobody in particular.
    pub fn new(tenant_name: impl Into<String>) -> Self {
        Self {
            tenant_name: tenant_name.into(),
            base: String::new(),
            assets: "/assets".to_owned(),
            request_id: None,
            signed_in: None,
            display: Display::Page,
        }
    }
}

/// The `display` parameter (OpenID Connect Core 3.1.2.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Display {
    /// A full page.
    #[default]
    Page,
    /// A small window.
    Popup,
    /// Large targets.
    Touch,
    /// As little as possible.
    Wap,
}

impl Display {
    /// Reads the parameter; what is not known is a full page, as the specification asks of a server.
    pub fn parse(raw: &str) -> Self {
        match raw {
            "popup" => Self::Popup,
            "touch" => Self::Touch,
            "wap" => Self::Wap,
            _ => Self::Page,
        }
    }
}
