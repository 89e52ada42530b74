//! What stands in the place of a defence that was removed, where that is more than a word; and the warning on each page
//! (docs/adr/0020-undefended-build.md).

use crate::tenancy::Tenancy;
use grantor_protocol::client::AuthenticatedClient;
use grantor_protocol::grant::Grant;
use grantor_protocol::narrow::{self, Asked};
use grantor_protocol::value::TokenId;
use serde_json::{Map, Value};

const WARNING: &str = r#"<main><p class="notice alert" role="alert" id="undefended"><strong>This server was built without defences, for tests. Whatever it protects is open.</strong></p>"#;

/// Every page says what kind of server this is.
pub(crate) fn warned(html: &str) -> String {
    html.replacen("<main>", WARNING, 1)
}

/// The claims of an ID token as an API sees them that looks at the signature and at nothing else: whoever has it may do
/// what the demo's notes allow.
pub(crate) fn as_access_token(tenancy: &Tenancy, mut claims: Map<String, Value>) -> Option<Map<String, Value>> {
    let client = claims.get("aud")?.clone();
    let issued = u64::try_from(claims.get("iat")?.as_i64()?).ok()?;
    claims.remove("auth_time");
    claims.insert("client_id".to_owned(), client);
    claims.insert("idtyp".to_owned(), "user".into());
    claims.insert("jti".to_owned(), TokenId::new(issued.saturating_mul(1000), [0; 10]).to_string().into());
    claims.insert("aud".to_owned(), tenancy.issuer.endpoint("/demo/notes").into());
    claims.insert("scope".to_owned(), "notes:read notes:write".into());
    Some(claims)
}

/// A grant as though its user had allowed whatever the client asks for now.
pub(crate) fn widened(mut grant: Grant, asked: &Asked, client: &AuthenticatedClient, tenancy: &Tenancy) -> Grant {
    if let Ok(wanted) = narrow::delegated(asked, &tenancy.directory, &tenancy.issuer, client.get()) {
        grant.terms.access.extend(wanted.access);
    }
    grant
}
