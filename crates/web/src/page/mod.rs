//! One struct per page, and what several pages share.

pub(crate) mod applications;
pub(crate) mod consent;
pub(crate) mod desk;
pub(crate) mod desk_saved;
pub(crate) mod desk_send;
pub(crate) mod device;
pub(crate) mod error;
pub(crate) mod form_post;
pub(crate) mod frame;
pub(crate) mod home;
pub(crate) mod playground;
pub(crate) mod select_account;
pub(crate) mod setup;
pub(crate) mod sign_in;
pub(crate) mod sign_out;

use std::fmt;

use serde::Serialize;

/// What a page shows. Implemented by the models of this crate only.
pub trait Page: Serialize + sealed::Sealed {
    /// The file in `templates/` that shows it.
    const TEMPLATE: &'static str;
}

mod sealed {
    /// Keeps [`Page`](super::Page) to this crate, so that every page has a template.
    pub trait Sealed {}
}

/// Ties a model to its template.
macro_rules! page {
    ($model:ty, $template:literal) => {
        impl $crate::page::sealed::Sealed for $model {}
        impl $crate::page::Page for $model {
            const TEMPLATE: &'static str = $template;
        }
    };
}
pub(crate) use page;

/// What a hidden field carries: an anti-forgery token, an interaction handle, an authorization response. It is written
/// into the page and nowhere else.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// Hides `value` from logs.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }
}

impl From<String> for Hidden {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl From<&str> for Hidden {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// The person that a page speaks to.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    /// How they are called.
    pub name: String,
    /// What they sign in with.
    pub username: String,
}

/// A client, as the person sees it. All of it comes from the client's registration and is not trusted: links that are
/// not http(s) are not shown.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Application {
    /// `client_name`.
    pub name: String,
    /// `client_uri`: its home page.
    pub uri: Option<String>,
    /// `logo_uri`, as this server serves it: a path on this origin or a `data:image/` URL. Anything else is not shown,
    /// because the image would tell a third party who signs in where.
    pub logo: Option<String>,
    /// `policy_uri`.
    pub policy: Option<String>,
    /// `tos_uri`.
    pub terms: Option<String>,
}
