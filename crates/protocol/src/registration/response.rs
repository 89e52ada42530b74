//! What a client is told of its registration (RFC 7591 3.2.1, RFC 7592 3).

use crate::client::ClientMetadata;
use crate::value::{Secret, UnixTime};
use serde_json::{Map, Value, json};

/// What the server made for a client.
pub struct Issued<'a> {
    /// `client_id_issued_at`.
    pub at: UnixTime,
    /// `client_secret`, when one was made just now: it cannot be told again.
    pub secret: Option<&'a Secret>,
    /// `registration_access_token`.
    pub access_token: &'a Secret,
    /// `registration_client_uri`.
    pub uri: String,
}

/// What is the server's business alone.
const OWN: [&str; 6] = ["tenant", "profile", "require_consent", "disabled", "federated_credentials", "origin"];

/// The answer: all that is registered of the client, as it is held to the policy, and what was made for it.
pub fn response(client: &ClientMetadata, issued: &Issued<'_>) -> Map<String, Value> {
    let mut members = match serde_json::to_value(client) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    members.retain(|name, _| !OWN.contains(&name.as_str()));
    // Names in several languages are members of their own (RFC 7591 2.2).
    if let Some(Value::Object(names)) = members.remove("client_name").map(|names| match names {
        Value::String(name) => Value::Object(Map::from_iter([(String::new(), name.into())])),
        other => other,
    }) {
        for (language, name) in names {
            let member = if language.is_empty() { "client_name".to_owned() } else { format!("client_name#{language}") };
            if name != "" {
                members.insert(member, name);
            }
        }
    }
    members.insert("client_id_issued_at".to_owned(), json!(issued.at));
    if let Some(secret) = issued.secret {
        members.insert("client_secret".to_owned(), secret.expose().into());
        members.insert("client_secret_expires_at".to_owned(), json!(0));
    }
    members.insert("registration_access_token".to_owned(), issued.access_token.expose().into());
    members.insert("registration_client_uri".to_owned(), json!(issued.uri));
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{ClientId, TenantName};

    #[test]
    fn rfc7591_3_2_1_the_answer_has_what_was_made_and_nothing_of_the_servers_own() {
        let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("id").unwrap());
        client.client_name = serde_json::from_value(json!({"en": "App", "de": "Anwendung"})).unwrap();
        let (secret, token) = (Secret::new("s".to_owned()), Secret::new("t".to_owned()));
        let mut issued =
            Issued { at: UnixTime::new(7), secret: Some(&secret), access_token: &token, uri: "https://x".into() };
        let with_secret = response(&client, &issued);
        assert_eq!(with_secret["client_id"], "id");
        assert_eq!(with_secret["client_id_issued_at"], 7);
        assert_eq!((&with_secret["client_secret"], &with_secret["client_secret_expires_at"]), (&json!("s"), &json!(0)));
        assert_eq!(with_secret["client_name#de"], "Anwendung");
        assert_eq!(with_secret["token_endpoint_auth_method"], "client_secret_basic");
        for own in OWN {
            assert!(!with_secret.contains_key(own), "{own}");
        }
        issued.secret = None;
        let without = response(&client, &issued);
        assert!(!without.contains_key("client_secret") && !without.contains_key("client_secret_expires_at"));
    }
}
