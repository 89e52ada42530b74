//! Why must the user be bothered? (OpenID Connect Core 3.1.2.3, 3.1.2.4)

use super::request::AuthorizationRequest;
use crate::error::Refusal;
use crate::grant::{Access, Consent};
use crate::session::Session;
use crate::value::{Seconds, UnixTime};

/// What has happened to this request so far, besides what the session tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// When the request first came in. A sign-in since then satisfies `prompt=login` and `max_age`.
    pub started: UnixTime,
    /// Whether the user chose the account that he is signed in with.
    pub account_selected: bool,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The user signs in.
    SignIn,
    /// The user chooses between the account that he is signed in with and another.
    SelectAccount,
    /// The user is asked.
    Consent,
    /// Nothing: the code is issued.
    Issue,
}

/// The next step for a request, or why `prompt=none` cannot be served. `asked` is what the user can allow, of what the
/// client may ask for; `hinted_subject` is the `sub` of a verified `id_token_hint`, as this client would see the user.
pub fn next(
    request: &AuthorizationRequest,
    session: Option<(&Session, &str)>,
    consent: Option<&Consent>,
    asked: &Access,
    visit: Visit,
    hinted_subject: Option<&str>,
    now: UnixTime,
) -> Result<Step, Refusal> {
    let prompt = request.prompt;
    let otherwise = |step: Step, refusal: Refusal| if prompt.none { Err(refusal) } else { Ok(step) };

    let Some((session, sub)) = session.filter(|(session, _)| is_fresh_enough(request, session, visit, now)) else {
        return otherwise(Step::SignIn, Refusal::LoginRequired);
    };
    let required = request.claims.required_subject();
    if hinted_subject.into_iter().chain(required).any(|meant| meant != sub) {
        return otherwise(Step::SignIn, Refusal::UserMismatch);
    }
    if !request.claims.accepts_acr(&session.authentication.acr) {
        return Err(Refusal::AuthenticationTooWeak);
    }
    if prompt.select_account && !visit.account_selected && session.authentication.time < visit.started {
        return Ok(Step::SelectAccount);
    }
    let remembered = consent.is_some_and(|consent| consent.access.covers(asked));
    // OpenID Connect Core 11: offline access needs a user who was asked, at least once.
    let metadata = &request.target.client().metadata;
    let skips = match request.target.redirect_uri() {
        // RFC 8628 5.4: somebody else may have sent the link. The person must see what is asked for, and by what.
        None => false,
        Some(redirect_uri) => {
            !metadata.require_consent
                || (remembered && metadata.is_confidential())
                // RFC 6749 10.2, RFC 8252 8.6: anybody can claim to be a public client; one that is reached over https is
                // that app.
                || (remembered && redirect_uri.as_str().starts_with("https:"))
        }
    };
    // Authorization details say what is done this once: having allowed such a thing before allows no other.
    let singular = metadata.require_consent && !request.details.is_empty();
    if prompt.consent || !skips || singular {
        return otherwise(Step::Consent, Refusal::ConsentRequired);
    }
    Ok(Step::Issue)
}

/// `prompt=login` and `max_age` want a sign-in that is young enough; one made for this request always is.
fn is_fresh_enough(request: &AuthorizationRequest, session: &Session, visit: Visit, now: UnixTime) -> bool {
    let time = session.authentication.time;
    if time >= visit.started {
        return true;
    }
    let young = request.max_age.is_none_or(|most| now < time.plus(Seconds::new(most)));
    young && !request.prompt.login
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorize::{DeviceTarget, Prompt, RedirectTarget, ResponseMode, Target};
    use crate::client::{AuthMethod, Client, auth::tests::client};
    use crate::narrow::{Allowed, Asked};
    use crate::session::Authentication;
    use crate::value::{ClientId, CodeId, RedirectUri, Resource, Scope, Subject, TenantName, UserCode};
    use std::sync::Arc;

    const NOW: UnixTime = UnixTime::new(1_000);
    const VISIT: Visit = Visit { started: UnixTime::new(990), account_selected: false };

    fn request(prompt: &str) -> AuthorizationRequest {
        asked_of(client("web", AuthMethod::ClientSecretBasic), "https://app/cb", prompt)
    }

    fn asked_of(client: Arc<Client>, redirect_uri: &str, prompt: &str) -> AuthorizationRequest {
        let target = RedirectTarget {
            client,
            redirect_uri: RedirectUri::parse(redirect_uri).unwrap(),
            redirect_uri_given: true,
            state: None,
            mode: ResponseMode::Query,
        };
        AuthorizationRequest {
            target: Target::Redirect(target),
            asked: Asked::default(),
            allowed: Allowed::default(),
            challenge: None,
            nonce: None,
            prompt: Prompt::parse(prompt).unwrap(),
            max_age: None,
            login_hint: None,
            unverified_id_token_hint: None,
            display: crate::authorize::Display::Page,
            ui_locales: None,
            claims: crate::grant::ClaimsRequest::default(),
            details: crate::authorization_details::AuthorizationDetails::default(),
            dpop_jkt: None,
        }
    }

    fn session(signed_in: i64) -> Session {
        Session {
            tenant: TenantName::default(),
            key: [0; 32],
            sid: "sid".into(),
            subject: Subject::parse("u").unwrap(),
            authentication: Authentication { time: UnixTime::new(signed_in), acr: "1".into(), amr: vec![] },
            expires: UnixTime::FOREVER,
        }
    }

    fn access() -> Access {
        [(Resource::parse("https://api").unwrap(), Scope::parse("read").unwrap())].into_iter().collect()
    }

    fn consent() -> Consent {
        let (subject, client) = (Subject::parse("u").unwrap(), ClientId::parse("web").unwrap());
        Consent { subject, client, access: access(), first: NOW, last: NOW }
    }

    fn step(
        request: &AuthorizationRequest,
        session: Option<&Session>,
        consent: Option<&Consent>,
    ) -> Result<Step, Refusal> {
        next(request, session.map(|session| (session, "u")), consent, &access(), VISIT, None, NOW)
    }

    #[test]
    fn oidc_core_3_1_2_3_nobody_is_signed_in() {
        assert_eq!(step(&request(""), None, None), Ok(Step::SignIn));
        assert_eq!(step(&request("none"), None, None), Err(Refusal::LoginRequired));
    }

    #[test]
    fn oidc_core_3_1_2_4_the_user_is_asked_once() {
        assert_eq!(step(&request(""), Some(&session(10)), None), Ok(Step::Consent));
        assert_eq!(step(&request("none"), Some(&session(10)), None), Err(Refusal::ConsentRequired));
        assert_eq!(step(&request("none"), Some(&session(10)), Some(&consent())), Ok(Step::Issue));
        assert_eq!(step(&request("consent"), Some(&session(10)), Some(&consent())), Ok(Step::Consent));
    }

    #[test]
    fn oidc_core_3_1_2_4_more_than_was_allowed_is_asked_again() {
        let mut less = consent();
        less.access = Access::default();
        assert_eq!(step(&request(""), Some(&session(10)), Some(&less)), Ok(Step::Consent));
    }

    #[test]
    fn oidc_core_3_1_2_1_prompt_login_wants_a_sign_in_since_the_request() {
        assert_eq!(step(&request("login"), Some(&session(989)), Some(&consent())), Ok(Step::SignIn));
        assert_eq!(step(&request("login"), Some(&session(990)), Some(&consent())), Ok(Step::Issue));
    }

    #[test]
    fn oidc_core_3_1_2_1_max_age_wants_a_young_sign_in() {
        let mut request = request("");
        request.max_age = Some(100);
        assert_eq!(step(&request, Some(&session(901)), Some(&consent())), Ok(Step::Issue));
        assert_eq!(step(&request, Some(&session(900)), Some(&consent())), Ok(Step::SignIn));
        request.max_age = Some(0);
        assert_eq!(step(&request, Some(&session(989)), Some(&consent())), Ok(Step::SignIn));
        assert_eq!(step(&request, Some(&session(995)), Some(&consent())), Ok(Step::Issue));
    }

    #[test]
    fn oidc_core_3_1_2_1_select_account_asks_which() {
        assert_eq!(step(&request("select_account"), Some(&session(10)), Some(&consent())), Ok(Step::SelectAccount));
        let chosen = Visit { account_selected: true, ..VISIT };
        let session = session(10);
        let after =
            next(&request("select_account"), Some((&session, "u")), Some(&consent()), &access(), chosen, None, NOW);
        assert_eq!(after, Ok(Step::Issue));
    }

    #[test]
    fn oidc_core_3_1_2_2_the_hint_names_the_user() {
        let session = session(10);
        let hinted = |prompt: &str, hint: &str| {
            next(&request(prompt), Some((&session, "u")), Some(&consent()), &access(), VISIT, Some(hint), NOW)
        };
        assert_eq!(hinted("", "u"), Ok(Step::Issue));
        assert_eq!(hinted("", "v"), Ok(Step::SignIn));
        assert_eq!(hinted("none", "v"), Err(Refusal::UserMismatch));
    }

    #[test]
    fn oidc_core_3_1_2_2_a_required_sub_names_the_user() {
        let mut request = request("none");
        request.claims = serde_json::from_str(r#"{"id_token":{"sub":{"value":"v"}}}"#).unwrap();
        assert_eq!(step(&request, Some(&session(10)), Some(&consent())), Err(Refusal::UserMismatch));
        request.claims = serde_json::from_str(r#"{"id_token":{"sub":{"value":"u"}}}"#).unwrap();
        assert_eq!(step(&request, Some(&session(10)), Some(&consent())), Ok(Step::Issue));
    }

    #[test]
    fn oidc_core_5_5_1_1_an_essential_acr_that_was_not_reached_is_refused() {
        let mut request = request("");
        for (acr, outcome) in [
            (r#"{"essential":true,"values":["9"]}"#, Err(Refusal::AuthenticationTooWeak)),
            (r#"{"essential":true,"value":"9"}"#, Err(Refusal::AuthenticationTooWeak)),
            (r#"{"essential":true,"values":["9","1"]}"#, Ok(Step::Issue)),
            (r#"{"essential":true}"#, Ok(Step::Issue)),
            (r#"{"values":["9"]}"#, Ok(Step::Issue)),
        ] {
            request.claims = serde_json::from_str(&format!(r#"{{"id_token":{{"acr":{acr}}}}}"#)).unwrap();
            assert_eq!(step(&request, Some(&session(10)), Some(&consent())), outcome, "{acr}");
        }
    }

    #[test]
    fn rfc6749_10_2_a_public_client_on_loopback_is_asked_every_time() {
        let public = client("web", AuthMethod::None);
        let app = asked_of(Arc::clone(&public), "https://app/cb", "");
        assert_eq!(step(&app, Some(&session(10)), Some(&consent())), Ok(Step::Issue));
        let local = asked_of(Arc::clone(&public), "http://127.0.0.1/cb", "");
        assert_eq!(step(&local, Some(&session(10)), Some(&consent())), Ok(Step::Consent));
        let own = asked_of(own(&public), "http://127.0.0.1/cb", "");
        assert_eq!(step(&own, Some(&session(10)), None), Ok(Step::Issue));
    }

    /// One of the operator's own.
    fn own(client: &Client) -> Arc<Client> {
        let mut own = client.clone();
        own.metadata.require_consent = false;
        Arc::new(own)
    }

    #[test]
    fn rfc8628_5_4_what_a_device_asks_for_is_never_allowed_without_a_word() {
        let client = own(&client("tv", AuthMethod::ClientSecretBasic));
        let (id, user_code) = (CodeId::from_bytes([1; 16]), UserCode::new([1; 8]));
        let mut request = request("");
        request.target = Target::Device(DeviceTarget { client, id, user_code });
        assert_eq!(step(&request, Some(&session(10)), Some(&consent())), Ok(Step::Consent));
    }
}
