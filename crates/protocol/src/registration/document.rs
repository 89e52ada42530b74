//! Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document, revision 02): a URL as `client_id`, at which the client
//! describes itself in the names of RFC 7591.

use super::{DocumentDigest, Origin, RegistrationError, requested};
use crate::client::{AuthMethod, ClientMetadata};
use crate::directory::Tenant;
use crate::value::ClientId;
use grantor_jose::{base64url, digest, parse_object};
use serde_json::Value;
use url::Url;

/// The host of a `client_id` that is the URL of a document (section 3): https, with a path, without dot segments,
/// fragment and user information, and written as it is normalized, so that no two texts mean one client. Costs nothing
/// for any other `client_id`.
pub fn host(client: &ClientId) -> Option<String> {
    let raw = client.as_str();
    let rest = raw.strip_prefix("https://")?;
    if !rest.contains('/') || raw.contains(['#', '@', '\\']) {
        return None;
    }
    let url = Url::parse(raw).ok()?;
    let written_as_it_is_meant = url.as_str() == raw;
    written_as_it_is_meant.then(|| url.host_str().map(str::to_owned)).flatten()
}

/// The client that a document describes, as far as the tenant's policy allows it.
pub fn read(client: &ClientId, body: &[u8], tenant: &Tenant) -> Result<ClientMetadata, RegistrationError> {
    let mut members = parse_object(body)
        .ok_or_else(|| RegistrationError::metadata("the document is not a JSON object, or has a member twice"))?;
    // Section 4: a simple string comparison.
    if members.get("client_id").and_then(Value::as_str) != Some(client.as_str()) {
        return Err(RegistrationError::metadata("client_id in the document is not its own URL"));
    }
    // Section 4: what everybody can read is no secret.
    if let Some(name) =
        ["client_secret", "client_secret_expires_at"].into_iter().find(|name| members.contains_key(*name))
    {
        return Err(RegistrationError::metadata(&format!("{name} has no place in a document that everybody can read")));
    }
    if members.get("token_endpoint_auth_method").is_none_or(Value::is_null) {
        members.insert("token_endpoint_auth_method".to_owned(), AuthMethod::None.as_str().into());
    }
    let origin = Origin::Document(DocumentDigest(String::new()));
    let mut read = requested(&members, client, origin, tenant)?;
    if !matches!(read.token_endpoint_auth_method, AuthMethod::None | AuthMethod::PrivateKeyJwt) {
        return Err(RegistrationError::metadata("token_endpoint_auth_method of a document is none or private_key_jwt"));
    }
    // Its name is what the user is asked about (MCP authorization, "Client ID Metadata Documents": a document has one).
    if read.client_name.in_language("en").trim().is_empty() {
        return Err(RegistrationError::metadata("client_name must be there, for the user to know who asks"));
    }
    read.origin = Origin::Document(digest_of(&read));
    Ok(read)
}

/// Of what the user goes by when he decides, and of where the keys are. Whom to ask and which version it is may change.
fn digest_of(client: &ClientMetadata) -> DocumentDigest {
    let matters = (
        (&client.client_name, &client.client_uri, &client.logo_uri, &client.policy_uri, &client.tos_uri),
        (&client.redirect_uris, &client.post_logout_redirect_uris),
        (&client.token_endpoint_auth_method, &client.jwks, &client.jwks_uri, &client.software_id),
    );
    DocumentDigest(base64url::encode(digest::sha256(&serde_json::to_vec(&matters).unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::TenantName;
    use proptest::prelude::*;
    use serde_json::json;

    const URL: &str = "https://app.example/client.json";

    fn tenant() -> Tenant {
        let mut tenant = Tenant::new(TenantName::default());
        let policy = json!({"metadata_documents": true, "tiers": [{"name": "t", "hosts": ["app.example"]}]});
        tenant.registration = serde_json::from_value(policy).unwrap();
        tenant
    }

    fn read_with(change: Value) -> Result<ClientMetadata, RegistrationError> {
        let mut document = json!({"client_id": URL, "client_name": "App", "redirect_uris": ["https://app.example/cb"],
            "grant_types": ["authorization_code", "refresh_token"]});
        let Value::Object(change) = change else { panic!("an object") };
        document.as_object_mut().unwrap().extend(change);
        read(&ClientId::parse(URL).unwrap(), document.to_string().as_bytes(), &tenant())
    }

    fn digest(change: Value) -> Origin {
        read_with(change).unwrap().origin
    }

    #[test]
    fn cimd_3_a_client_id_is_a_plain_https_url_with_a_path() {
        let host = |raw| host(&ClientId::parse(raw).unwrap());
        for good in [URL, "https://app.example/", "https://app.example:8443/a?b=c"] {
            assert_eq!(host(good).as_deref(), Some("app.example"), "{good}");
        }
        for bad in [
            "web",
            "http://app.example/client",
            "https://app.example",
            "https://app.example?x=/",
            "https://app.example/a#b",
            "https://user@app.example/a",
            "https://user:secret@app.example/a",
            "https://app.example/a/../b",
            "https://app.example/./b",
            "https://app.example/%2e%2e/b",
            "https://App.example/a",
            "HTTPS://app.example/a",
            "https://app.example:443/a",
            "https://app.example\\a/",
            "https:///a",
        ] {
            assert_eq!(host(bad), None, "{bad}");
        }
    }

    #[test]
    fn cimd_4_the_document_says_its_own_url() {
        let client = read_with(json!({})).unwrap();
        assert_eq!(client.client_id.as_str(), URL);
        assert_eq!(client.token_endpoint_auth_method, AuthMethod::None);
        for other in [json!("https://app.example/client.json/"), json!("https://evil.example/"), json!(7), json!(null)]
        {
            assert!(read_with(json!({ "client_id": other })).is_err(), "{other}");
        }
    }

    #[test]
    fn cimd_4_no_shared_secrets() {
        for secret in [
            json!({"client_secret": "x"}),
            json!({"client_secret_expires_at": 0}),
            json!({"token_endpoint_auth_method": "client_secret_basic"}),
            json!({"token_endpoint_auth_method": "client_secret_post"}),
            json!({"token_endpoint_auth_method": "client_secret_jwt"}),
            json!({"token_endpoint_auth_method": "private_key_jwt"}),
            json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}),
        ] {
            assert!(read_with(secret.clone()).is_err(), "{secret}");
        }
        let by_key = json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/jwks"});
        assert!(read_with(by_key).is_ok());
    }

    #[test]
    fn cimd_4_a_document_without_a_name_is_no_client() {
        for name in [json!(null), json!(""), json!(" "), json!(["App"])] {
            assert!(read_with(json!({ "client_name": name })).is_err(), "{name}");
        }
        assert!(read_with(json!({"client_name": null, "client_name#de": "Anwendung"})).is_ok());
    }

    #[test]
    fn only_documents_of_the_policys_hosts_are_read() {
        let evil = "https://evil.example/client.json";
        let body =
            json!({"client_id": evil, "client_name": "App", "redirect_uris": ["https://evil.example/cb"]}).to_string();
        assert!(read(&ClientId::parse(evil).unwrap(), body.as_bytes(), &tenant()).is_err());
        assert!(read_with(json!({"redirect_uris": ["https://evil.example/cb"]})).is_err());
        let own = ClientId::parse(URL).unwrap();
        for body in ["[]", "", "{\"client_id\":1,\"client_id\":1}"] {
            assert!(read(&own, body.as_bytes(), &tenant()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_change_that_matters_changes_the_digest() {
        let before = digest(json!({}));
        for matters in [
            json!({"client_name": "Other"}),
            json!({"redirect_uris": ["https://app.example/other"]}),
            json!({"logo_uri": "https://app.example/logo"}),
            json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/jwks"}),
        ] {
            assert_ne!(digest(matters.clone()), before, "{matters}");
        }
        for other in [json!({"contacts": ["a@app.example"]}), json!({"software_version": "2"}), json!({"x": 1})] {
            assert_eq!(digest(other.clone()), before, "{other}");
        }
        let asked = before.to_ask().unwrap();
        assert!(Origin::stands_in(&asked) && Origin::Declared.to_ask().is_none());
    }

    proptest! {
        #[test]
        fn whatever_is_a_documents_url_has_one_spelling(raw in "https://[!-~]{0,40}") {
            if let Some((id, host)) = ClientId::parse(&raw).and_then(|id| host(&id).map(|host| (id, host))) {
                let url = Url::parse(id.as_str()).unwrap();
                prop_assert_eq!(url.as_str(), id.as_str());
                prop_assert_eq!(url.host_str(), Some(host.as_str()));
                prop_assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
            }
        }

        #[test]
        fn no_document_makes_it_stumble(name in "[a-z_#]{1,40}", value: String, list: Vec<String>) {
            for value in [json!(value), json!(list), json!({ &name: value })] {
                let _ = read_with(json!({ &name: value.clone(), "redirect_uris": value, "client_name#de": value }));
            }
        }
    }
}
