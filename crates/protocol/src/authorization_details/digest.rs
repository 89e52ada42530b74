//! What names a detail without saying what it says: on the consent page, so that no other is allowed than the one that
//! was shown, and in logs, where accounts and amounts have no place (RFC 9396 11, 13).

use super::{AuthorizationDetails, Detail};
use grantor_jose::{base64url, digest};
use serde::Serialize;

/// One object, as a log may hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Digested<'a> {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// [`Detail::digest`].
    pub digest: String,
}

impl AuthorizationDetails {
    /// What a log may hold of them: types and digests.
    pub fn digested(&self) -> Vec<Digested<'_>> {
        self.iter().map(|detail| Digested { kind: detail.kind(), digest: detail.digest() }).collect()
    }
}

impl Detail {
    /// The SHA-256 of it as JSON, members in order of their names, in base64url. It is whole: whoever asks chooses what
    /// stands in two details, and could make the beginnings of their digests the same.
    pub fn digest(&self) -> String {
        base64url::encode(digest::sha256(serde_json::Value::from(self.0.clone()).to_string().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::details;

    #[test]
    fn rfc9396_11_a_digest_is_of_all_members_in_any_order() {
        let digest = |raw: &str| details(raw).iter().next().unwrap().digest();
        let one = digest(r#"[{"type":"a","b":{"c":1,"d":2}}]"#);
        assert_eq!(one.len(), 43);
        assert_eq!(one, digest(r#"[ {"b":{"d":2,"c":1}, "type":"a"} ]"#));
        for other in [r#"[{"type":"a","b":{"c":1,"d":3}}]"#, r#"[{"type":"a"}]"#, r#"[{"type":"b","b":{"c":1,"d":2}}]"#]
        {
            assert_ne!(one, digest(other), "{other}");
        }
    }

    #[test]
    fn rfc9396_13_a_log_holds_types_and_digests_alone() {
        let payment = details(r#"[{"type":"payment","iban":"DE02100100109307118603"}]"#);
        let written = serde_json::to_value(payment.digested()).unwrap();
        let digest = payment.iter().next().unwrap().digest();
        assert_eq!(written, serde_json::json!([{"type": "payment", "digest": digest}]));
    }
}
