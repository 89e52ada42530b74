//! `sub`, as a client sees a user (OpenID Connect Core 8).

use crate::client::{ClientMetadata, SubjectType};
use crate::value::{RedirectUri, Subject};
use grantor_jose::{base64url, mac::MacKey};

/// Public: the user's own identifier. Pairwise: a MAC over the client's sector and the identifier (8.1), under a key that
/// is never rotated.
pub fn presented_subject(client: &ClientMetadata, subject: &Subject, pairwise: &MacKey) -> String {
    match client.subject_type {
        SubjectType::Public => subject.as_str().to_owned(),
        SubjectType::Pairwise => {
            base64url::encode(pairwise.tag(&[sector(client).as_bytes(), subject.as_str().as_bytes()]))
        }
    }
}

/// The host of `sector_identifier_uri`, or of the redirect URIs, which then all have the same (8.1).
fn sector(client: &ClientMetadata) -> String {
    let uri = client.sector_identifier_uri.as_deref().and_then(|uri| url::Url::parse(uri).ok());
    let declared = uri.and_then(|uri| uri.host_str().map(str::to_owned));
    let first = || client.redirect_uris.first().and_then(RedirectUri::host_name);
    declared.or_else(first).unwrap_or_else(|| client.client_id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{AuthMethod, auth::tests::client};

    #[test]
    fn oidc_core_8_1_pairwise_subjects_differ_between_sectors_and_only_there() {
        let key = MacKey::new(&[1; 32]);
        let user = Subject::parse("u1").unwrap();
        let with = |redirect: &str, kind| {
            let mut metadata = client("web", AuthMethod::None).metadata.clone();
            metadata.redirect_uris = vec![RedirectUri::parse(redirect).unwrap()];
            metadata.subject_type = kind;
            presented_subject(&metadata, &user, &key)
        };
        assert_eq!(with("https://a/cb", SubjectType::Public), "u1");
        let pairwise = with("https://a/cb", SubjectType::Pairwise);
        assert_ne!(pairwise, "u1");
        assert_eq!(pairwise, with("https://a/other", SubjectType::Pairwise));
        assert_ne!(pairwise, with("https://b/cb", SubjectType::Pairwise));
    }
}
