//! What the demo prints: a short tour for people, one object for programs.

use super::{Certificates, Client, Demo, PASSWORD, USERNAME};
use grantor_protocol::metadata::path;
use grantor_protocol::value::Subject;
use serde_json::{Value, json};
use std::fmt;
use std::path::Path;

/// The tour for people.
pub(crate) struct Tour<'a> {
    /// Of what.
    pub(crate) demo: &'a Demo,
    /// Where the data is; none when it goes with the process.
    pub(crate) data: Option<&'a Path>,
    /// The listener for mutual TLS, when there is one.
    pub(crate) mutual: Option<&'a Mutual>,
}

/// The listener for mutual TLS, and what belongs to it.
#[derive(Debug)]
pub(crate) struct Mutual {
    /// Scheme, host and port.
    pub(crate) url: String,
    /// The authority, and what it signed.
    pub(crate) certificates: Certificates,
}

impl Mutual {
    /// An endpoint at this listener (RFC 8705 5).
    fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    fn to_json(&self) -> Value {
        let Certificates { authority, client, .. } = &self.certificates;
        json!({
            "url": self.url, "ca": authority, "client_certificate": client.certificate, "client_key": client.key,
            "token_endpoint": self.endpoint(path::TOKEN), "introspection_endpoint": self.endpoint(path::INTROSPECT),
            "revocation_endpoint": self.endpoint(path::REVOKE), "userinfo_endpoint": self.endpoint(path::USERINFO),
            "pushed_authorization_request_endpoint": self.endpoint(path::PAR),
        })
    }
}

impl fmt::Display for Tour<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { demo, data, mutual } = self;
        let issuer = &demo.issuer;
        let at = |path: &str| issuer.endpoint(path);
        let (token, introspect, revoke) = (at(path::TOKEN), at(path::INTROSPECT), at(path::REVOKE));
        let (machine, api, web) = (demo.machine.credentials(), demo.notes_api.credentials(), demo.web.credentials());
        let (notes, verifier) = (&demo.notes, &demo.verifier);
        // A token is all that the answer has between these quotes; no jq is needed.
        let cut = r#"sed -E 's/.*"access_token" *: *"([^"]+)".*/\1/'"#;
        writeln!(f, "\n  Grantor's demo is running at {issuer}\n")?;
        writeln!(f, "  Sign in as   {USERNAME} / {PASSWORD}")?;
        match data {
            Some(data) => writeln!(f, "  Data         {} (kept)", data.display())?,
            None => writeln!(f, "  Data         gone when this stops (Ctrl-C)")?,
        }
        writeln!(f, "  Metadata     {issuer}/.well-known/openid-configuration")?;
        writeln!(f, "  Playground   {issuer}/playground")?;
        writeln!(f, "\n  For another shell; paste in this order.\n")?;
        writeln!(f, "# 1. A machine gets a token for itself (client credentials).")?;
        writeln!(
            f,
            "TOKEN=$(curl -s -u '{machine}' -d grant_type=client_credentials -d scope=notes:read {token} | {cut}); echo \"$TOKEN\""
        )?;
        writeln!(f, "\n# 2. The demo API accepts it.")?;
        writeln!(f, "curl -s -w '\\n%{{http_code}}\\n' -H \"Authorization: Bearer $TOKEN\" {notes}")?;
        writeln!(f, "\n# 3. The API asks what the token is worth (introspection).")?;
        writeln!(f, "curl -s -w '\\n' -u '{api}' -d token=\"$TOKEN\" {introspect}")?;
        writeln!(f, "\n# 4. The machine takes it back (revocation).")?;
        writeln!(f, "curl -s -w '%{{http_code}}\\n' -u '{machine}' -d token=\"$TOKEN\" {revoke}")?;
        writeln!(f, "\n# 5. The same call is refused now: 401.")?;
        writeln!(f, "curl -s -w '\\n%{{http_code}}\\n' -H \"Authorization: Bearer $TOKEN\" {notes}")?;
        writeln!(f, "\n# 6. A user signs in and allows an application. Open this in a browser:")?;
        writeln!(f, "#    {}", self.authorization_url())?;
        writeln!(f, "#    and paste the code that it ends with, within a minute:")?;
        writeln!(f, "read -r CODE; curl -s -w '\\n' -u '{web}' -d grant_type=authorization_code -d code=\"$CODE\" \\")?;
        writeln!(f, "  -d redirect_uri={} -d code_verifier={verifier} {token}", at("/demo/callback"))?;
        let Some(mutual) = mutual else { return Ok(()) };
        let Certificates { authority, client, .. } = &mutual.certificates;
        writeln!(f, "\n# 7. A machine shows a certificate in place of a secret (RFC 8705).")?;
        writeln!(f, "curl -s -w '\\n' --cacert '{}' \\", authority.display())?;
        writeln!(f, "  --cert '{}' --key '{}' \\", client.certificate.display(), client.key.display())?;
        let (id, token) = (demo.certified.id, mutual.endpoint(path::TOKEN));
        writeln!(f, "  -d client_id={id} -d grant_type=client_credentials -d scope=notes:read {token}")
    }
}

impl Tour<'_> {
    /// The request that begins a code flow (RFC 6749 4.1.1, RFC 7636 4.3).
    fn authorization_url(&self) -> String {
        let demo = self.demo;
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", demo.web.id)
            .append_pair("redirect_uri", &demo.issuer.endpoint("/demo/callback"))
            .append_pair("scope", "openid profile notes:read")
            .append_pair("state", "tour")
            .append_pair("code_challenge_method", "S256")
            .append_pair("code_challenge", &demo.challenge());
        format!("{}?{}", demo.issuer.endpoint(path::AUTHORIZE), query.finish())
    }
}

/// The same for programs.
pub(crate) fn to_json(demo: &Demo, data: &Path, subject: &Subject, mutual: Option<&Mutual>) -> Value {
    let at = |path: &str| demo.issuer.endpoint(path);
    json!({
        "issuer": demo.issuer,
        "data": data,
        "users": [{ "username": USERNAME, "password": PASSWORD, "sub": subject }],
        "clients": demo.clients().map(Client::to_json).collect::<Vec<_>>(),
        "apis": [
            { "audience": demo.notes, "url": demo.notes, "scopes": ["notes:read", "notes:write"], "format": "jwt" },
            { "audience": demo.mail, "url": demo.mail, "scopes": ["mail:read", "mail:send"], "format": "opaque" },
            {
                "audience": demo.payments, "url": null, "scopes": ["payments:read", "payments:write"], "format": "jwt",
                "binding": "dpop", "authorization_details_types": ["payment"],
            },
        ],
        "mtls": mutual.map(Mutual::to_json),
        "endpoints": {
            "authorization_endpoint": at(path::AUTHORIZE),
            "token_endpoint": at(path::TOKEN),
            "introspection_endpoint": at(path::INTROSPECT),
            "revocation_endpoint": at(path::REVOKE),
            "userinfo_endpoint": at(path::USERINFO),
            "jwks_uri": at(path::JWKS),
            "end_session_endpoint": at(path::SIGN_OUT),
        },
    })
}
