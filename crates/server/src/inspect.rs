//! What a token is: for administrators, who hold the keys.

use crate::Server;
use crate::standing::delegation_stands;
use crate::tenancy::Tenancy;
use crate::token::{open_access_token, open_id_token_hint};
use grantor_jose::jws::Unverified;
use grantor_protocol::grant::authorization_code::Code;
use grantor_protocol::grant::{Grant, Presented, Standing, TokenRef};
use grantor_protocol::introspection::is_current;
use grantor_protocol::token::AccessToken;
use grantor_protocol::token::handle::HandleKind;
use grantor_protocol::value::TenantName;
use grantor_store::StoreError;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What a token is, what it is for, and what it is not for.
#[derive(Clone, Debug, Serialize)]
pub struct TokenReport {
    /// Which tenant made it; none when nobody here did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantName>,
    /// What it is.
    pub kind: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// What it is not for.
    pub not_for: &'static str,
    /// Whether it is still good.
    pub good: bool,
    /// Why, in a sentence.
    pub verdict: String,
    /// What it says: issuer, subject, client, audience, scope, times.
    pub claims: Map<String, Value>,
}

const ACCESS: (&str, &str) = (
    "Sent to the API in `aud`, in the Authorization header (RFC 6750 2.1).",
    "Not a proof of who signed in, not for any other API, and not for the client to read.",
);
const ID: (&str, &str) =
    ("Tells the client in `aud` who signed in (OpenID Connect Core 2).", "Not an access token: no API may accept it.");
const REFRESH: (&str, &str) = (
    "Sent to the token endpoint, by its own client, for the next access token (RFC 6749 6).",
    "Never sent to an API. Each one is good once; an older one that comes back revokes the grant.",
);
const CODE: (&str, &str) = (
    "Sent to the token endpoint once, by its own client, within a minute (RFC 6749 4.1.3).",
    "Not an access token, and worth nothing without the PKCE verifier.",
);

impl Server {
    /// Says what a token is, whichever tenant made it.
    pub async fn inspect(&self, token: &str, tenants: &[TenantName]) -> Result<TokenReport, StoreError> {
        for name in tenants {
            if let Some(tenancy) = self.0.tenancy(name)
                && let Some(report) = self.inspect_at(&tenancy, token).await?
            {
                return Ok(report);
            }
        }
        Ok(stranger(token))
    }

    async fn inspect_at(&self, tenancy: &Tenancy, text: &str) -> Result<Option<TokenReport>, StoreError> {
        if let Ok(token) = open_access_token(tenancy, text) {
            return self
                .access_token(tenancy, &token, text.starts_with(HandleKind::AccessToken.prefix()))
                .await
                .map(Some);
        }
        let Ok(ready) = tenancy.ready() else { return Ok(None) };
        if let Some(handle) = ready.keys.handles.open_refresh_token(text) {
            let grant = self.0.store.grant(tenancy.name(), handle.grant).await?;
            return Ok(Some(self.refresh_token(tenancy, grant.as_ref(), handle.generation)));
        }
        if let Some(opened) = ready.keys.handles.open(HandleKind::Code, text)
            && let Ok(code) = serde_json::from_slice::<Code>(&opened)
        {
            return Ok(Some(self.code(tenancy, &code)));
        }
        Ok(open_id_token_hint(tenancy, text).map(|_| self.id_token(tenancy, text)))
    }

    async fn access_token(
        &self,
        tenancy: &Tenancy,
        token: &AccessToken,
        opaque: bool,
    ) -> Result<TokenReport, StoreError> {
        let reference = TokenRef { token: token.id, grant: token.grant, client: token.client.clone() };
        let standing = self.0.store.standing(tenancy.name(), &reference).await?;
        let user_is_there = match &standing {
            Standing::Good(Some(owned)) => {
                owned.owner.as_ref().is_some_and(|user| !user.disabled)
                    && delegation_stands(&*self.0.store, tenancy.name(), &owned.grant).await?
            }
            _ => true,
        };
        let now = self.0.now();
        let (good, verdict) = if now >= token.expires {
            (false, format!("It expired {} seconds ago.", now.get() - token.expires.get()))
        } else if !is_current(token, &tenancy.directory, now) {
            (false, "Its client is gone or disabled.".to_owned())
        } else if standing == Standing::Revoked {
            (false, "It was revoked, or its grant was.".to_owned())
        } else if !user_is_there {
            (false, "Its user is gone or disabled, or what it was derived from was revoked.".to_owned())
        } else {
            (true, format!("It is good for {} seconds more.", token.expires.remaining(now).get()))
        };
        let kind = if opaque { "opaque access token" } else { "JWT access token" };
        Ok(report(tenancy, kind, ACCESS, good, verdict, token.claims()))
    }

    fn refresh_token(&self, tenancy: &Tenancy, grant: Option<&Grant>, generation: u32) -> TokenReport {
        let Some(grant) = grant else {
            return report(tenancy, "refresh token", REFRESH, false, "Its grant is gone.".to_owned(), Map::new());
        };
        let grace = tenancy.directory.tenant.lifetimes.refresh_grace;
        let (good, verdict) = match grant.present(generation, self.0.now(), grace) {
            Presented::Current => (true, "It is the good one of its grant."),
            Presented::Repeated => (true, "It was just replaced; asked again now, it gives the same successor."),
            Presented::Reused => (false, "It was replaced. Presenting it again revokes the grant."),
            Presented::Revoked => (false, "Its grant was revoked."),
            Presented::Expired => (false, "Its grant has expired."),
            Presented::Unknown => (false, "Its grant has never come that far."),
        };
        let claims = json!({
            "iss": tenancy.issuer, "sub": grant.terms.subject, "client_id": grant.terms.client, "grant_id": grant.id,
            "access": grant.terms.access, "generation": generation, "iat": grant.terms.created, "exp": grant.expires,
            "narrowed": grant.terms.narrowed,
        });
        report(tenancy, "refresh token", REFRESH, good, verdict.to_owned(), object(claims))
    }

    fn code(&self, tenancy: &Tenancy, code: &Code) -> TokenReport {
        let good = self.0.now() < code.expires;
        let verdict = if good {
            "It is inside its time; whether it was spent shows when it is redeemed."
        } else {
            "It has expired."
        };
        let claims = json!({
            "iss": tenancy.issuer, "sub": code.subject, "client_id": code.client, "access": code.access, "exp": code.expires,
            "redirect_uri": code.redirect_uri, "pkce": code.challenge.is_some(), "narrowed": code.narrowed,
        });
        report(tenancy, "authorization code", CODE, good, verdict.to_owned(), object(claims))
    }

    fn id_token(&self, tenancy: &Tenancy, text: &str) -> TokenReport {
        let claims = unverified_claims(text);
        let expires = claims.get("exp").and_then(Value::as_i64).unwrap_or(0);
        let good = self.0.now().get() < expires;
        let verdict = if good { "Its signature is right and it is inside its time." } else { "It has expired." };
        report(tenancy, "ID token", ID, good, verdict.to_owned(), claims)
    }
}

fn report(
    tenancy: &Tenancy,
    kind: &'static str,
    (purpose, not_for): (&'static str, &'static str),
    good: bool,
    verdict: String,
    claims: Map<String, Value>,
) -> TokenReport {
    TokenReport { tenant: Some(tenancy.name().clone()), kind, purpose, not_for, good, verdict, claims }
}

/// What can be said of a token that nobody here made, or that was changed.
fn stranger(text: &str) -> TokenReport {
    let (kind, verdict) = if HandleKind::of(text).is_some() {
        ("a handle of Grantor", "No key of this server opens it: it comes from another server, or it was changed.")
    } else if Unverified::parse(text).is_ok() {
        ("a JWT", "It is not signed by a key of this server, or it is neither an access token nor an ID token.")
    } else {
        ("unknown", "It is nothing that this server makes.")
    };
    TokenReport {
        tenant: None,
        kind,
        purpose: "Nothing here.",
        not_for: "Nothing that this server guards.",
        good: false,
        verdict: verdict.to_owned(),
        claims: unverified_claims(text),
    }
}

fn unverified_claims(text: &str) -> Map<String, Value> {
    let parsed = Unverified::parse(text).ok();
    parsed.and_then(|jws| grantor_jose::parse_object(jws.unverified_payload())).unwrap_or_default()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
