//! One file for each endpoint.

pub(crate) mod authorize;
pub(crate) mod demo;
pub(crate) mod device_authorization;
pub(crate) mod forward_auth;
pub(crate) mod introspect;
pub(crate) mod metadata;
pub(crate) mod par;
pub(crate) mod protected_resource;
pub(crate) mod register;
pub(crate) mod relay;
pub(crate) mod revoke;
pub(crate) mod status_list;
pub(crate) mod token;
pub(crate) mod userinfo;
