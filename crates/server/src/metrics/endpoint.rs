//! The endpoints by which requests are told apart in figures. The one list.

use crate::endpoint::relay;
use crate::page::{desk, desk_send, playground};
use grantor_protocol::metadata::path;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is its own name")]
pub(crate) enum Endpoint {
    Metadata,
    Jwks,
    Authorize,
    Par,
    DeviceAuthorization,
    Token,
    Introspect,
    Revoke,
    Userinfo,
    ForwardAuth,
    StatusList,
    SignIn,
    SelectAccount,
    Consent,
    Device,
    SignOut,
    Applications,
    Desk,
    Playground,
    Relay,
    Setup,
    Home,
    Asset,
    Demo,
    Other,
}

impl Endpoint {
    /// Every endpoint, in the order of the type.
    pub(crate) const ALL: [Self; 25] = [
        Self::Metadata,
        Self::Jwks,
        Self::Authorize,
        Self::Par,
        Self::DeviceAuthorization,
        Self::Token,
        Self::Introspect,
        Self::Revoke,
        Self::Userinfo,
        Self::ForwardAuth,
        Self::StatusList,
        Self::SignIn,
        Self::SelectAccount,
        Self::Consent,
        Self::Device,
        Self::SignOut,
        Self::Applications,
        Self::Desk,
        Self::Playground,
        Self::Relay,
        Self::Setup,
        Self::Home,
        Self::Asset,
        Self::Demo,
        Self::Other,
    ];

    /// Its name as a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Jwks => "jwks",
            Self::Authorize => "authorize",
            Self::Par => "par",
            Self::DeviceAuthorization => "device_authorization",
            Self::Token => "token",
            Self::Introspect => "introspect",
            Self::Revoke => "revoke",
            Self::Userinfo => "userinfo",
            Self::ForwardAuth => "forward_auth",
            Self::StatusList => "status_list",
            Self::SignIn => "sign_in",
            Self::SelectAccount => "select_account",
            Self::Consent => "consent",
            Self::Device => "device",
            Self::SignOut => "sign_out",
            Self::Applications => "applications",
            Self::Desk => "desk",
            Self::Playground => "playground",
            Self::Relay => "relay",
            Self::Setup => "setup",
            Self::Home => "home",
            Self::Asset => "asset",
            Self::Demo => "demo",
            Self::Other => "other",
        }
    }

    /// Its place in [`Self::ALL`].
    pub(crate) const fn place(self) -> usize {
        self as usize
    }

    /// What a path is for; `base` stands before the paths of the default tenant.
    pub(crate) fn of(path: &str, base: &str) -> Self {
        if path.starts_with("/.well-known/") {
            return Self::Metadata;
        }
        let Some(below) = path.strip_prefix(base) else { return Self::Other };
        let below = match below.strip_prefix("/t/") {
            Some(rest) => rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/"),
            None => below,
        };
        match below {
            path::TOKEN => Self::Token,
            path::INTROSPECT => Self::Introspect,
            path::JWKS => Self::Jwks,
            path::USERINFO => Self::Userinfo,
            path::FORWARD_AUTH => Self::ForwardAuth,
            path::AUTHORIZE => Self::Authorize,
            path::PAR => Self::Par,
            path::DEVICE_AUTHORIZATION => Self::DeviceAuthorization,
            path::DEVICE => Self::Device,
            path::REVOKE => Self::Revoke,
            path::SIGN_OUT => Self::SignOut,
            "/signin" => Self::SignIn,
            "/select-account" => Self::SelectAccount,
            "/consent" => Self::Consent,
            "/applications" => Self::Applications,
            desk::DESK
            | desk::ACT
            | desk::TOKEN
            | desk::USE
            | desk::STATE
            | desk_send::SEND
            | desk_send::OBTAIN
            | desk_send::CALLBACK => Self::Desk,
            playground::PLAYGROUND | playground::CALLBACK | playground::INSPECTOR | playground::OPERATIONS => {
                Self::Playground
            }
            relay::RELAY => Self::Relay,
            "/setup" => Self::Setup,
            "" | "/" => Self::Home,
            other if other.starts_with("/.well-known/") => Self::Metadata,
            other if other.starts_with(path::STATUS_LISTS) => Self::StatusList,
            other if other.starts_with("/assets/") => Self::Asset,
            other if other.starts_with("/demo/") => Self::Demo,
            other if other.strip_prefix(path::FORWARD_AUTH).is_some_and(|rest| rest.starts_with('/')) => {
                Self::ForwardAuth
            }
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_known_by_its_path_at_every_tenant() {
        for (place, endpoint) in Endpoint::ALL.into_iter().enumerate() {
            assert_eq!(endpoint.place(), place);
        }
        assert_eq!(Endpoint::of("/token", ""), Endpoint::Token);
        assert_eq!(Endpoint::of("/t/acme/token", ""), Endpoint::Token);
        assert_eq!(Endpoint::of("/auth/t/acme/token", "/auth"), Endpoint::Token);
        assert_eq!(Endpoint::of("/auth/jwks", "/auth"), Endpoint::Jwks);
        assert_eq!(Endpoint::of("/.well-known/openid-configuration/auth", "/auth"), Endpoint::Metadata);
        assert_eq!(Endpoint::of("/t/acme/.well-known/openid-configuration", ""), Endpoint::Metadata);
        assert_eq!(Endpoint::of("/t/acme", ""), Endpoint::Home);
        assert_eq!(Endpoint::of("/t/acme/forward-auth", ""), Endpoint::ForwardAuth);
        assert_eq!(Endpoint::of("/forward-auth/resource=x/a", ""), Endpoint::ForwardAuth);
        assert_eq!(Endpoint::of("/forward-authentic", ""), Endpoint::Other);
        assert_eq!(Endpoint::of("/t/acme/playground/relay", ""), Endpoint::Relay);
        assert_eq!(Endpoint::of("/token", "/auth"), Endpoint::Other);
        assert_eq!(Endpoint::of("/tokens", ""), Endpoint::Other);
    }
}
