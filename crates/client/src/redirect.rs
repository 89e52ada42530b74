//! The authorization request, and what comes back through the browser (RFC 6749 4.1, RFC 7636, RFC 9207): pure.

use crate::ask::Ask;
use crate::error::Refused;
use crate::http::Form;
use crate::provider::Provider;
use grantor_jose::{base64url, digest};
use grantor_protocol::params::Params;
use grantor_protocol::value::{ClientId, RedirectUri, Scope, Seconds, Secret};

/// What was drawn for one authorization request. Never use it for a second one.
#[derive(Debug)]
pub(crate) struct Drawn {
    /// `state`, which binds the answer to the request (RFC 6749 10.12).
    pub(crate) state: Secret,
    /// `nonce`, which binds the ID token to the request (OpenID Connect Core 3.1.2.1).
    pub(crate) nonce: Secret,
    /// The verifier of PKCE: 43 to 128 unreserved characters (RFC 7636 4.1).
    pub(crate) verifier: Secret,
}

/// An authorization request under way: what the answer is checked against. It belongs to one browser: keep it where only
/// that one's answer can meet it.
#[derive(Debug)]
pub struct Pending {
    pub(crate) issuer: String,
    pub(crate) redirect_uri: RedirectUri,
    pub(crate) verifier: Secret,
    pub(crate) nonce: Option<Secret>,
    pub(crate) max_age: Option<Seconds>,
    pub(crate) scope: Scope,
    state: Secret,
    iss_must_come: bool,
}

/// An authorization code that came back as it must. There is no other way to one.
#[derive(Debug)]
pub struct Code(pub(crate) Secret);

/// Why what came back is no answer to the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectProblem {
    /// Not a query, or a parameter twice (RFC 6749 3.1).
    #[error("what came back through the browser cannot be read: a parameter stands twice or is badly encoded")]
    Malformed,
    /// RFC 6749 10.12.
    #[error("`state` is not the one that was sent: this answer belongs to another request, or was forged")]
    State,
    /// RFC 9207 2.4.
    #[error(
        "`iss` is not the issuer that was asked: this answer comes from another server, perhaps one that mixes them up on purpose"
    )]
    Issuer,
    /// RFC 9207 2.4: the metadata promise it.
    #[error("`iss` is missing, and the server's metadata say that it always comes")]
    NoIssuer,
    /// Neither a code nor an error.
    #[error("neither `code` nor `error` came back")]
    Nothing,
    /// The server, or the user, refused (RFC 6749 4.1.2.1).
    #[error(transparent)]
    Refused(Refused),
}

impl Pending {
    /// The request's parameters, and what its answer will be checked against. PKCE is S256, always.
    pub(crate) fn begin(
        provider: &Provider,
        client: &ClientId,
        redirect_uri: RedirectUri,
        ask: &Ask,
        drawn: Drawn,
    ) -> (Self, Form) {
        let Drawn { state, nonce, verifier } = drawn;
        let nonce = ask.wants_identity().then_some(nonce);
        let mut form = Form::default();
        form.add("response_type", "code");
        form.add("client_id", client.as_str());
        form.add("redirect_uri", redirect_uri.as_str());
        ask.add_to(&mut form);
        form.add("state", state.expose());
        form.add_some("nonce", nonce.as_ref().map(Secret::expose));
        form.add("code_challenge", base64url::encode(digest::sha256(verifier.expose().as_bytes())));
        form.add("code_challenge_method", "S256");
        // OpenID Connect Core 11: who wants access while the user is away asks him each time.
        let offline = ask.scope.contains("offline_access").then_some("consent");
        form.add_some("prompt", ask.prompt.as_deref().or(offline));
        form.add_some("login_hint", ask.login_hint.as_deref());
        form.add_some("max_age", ask.max_age.map(|age| age.get().to_string()));
        form.add_some("acr_values", ask.acr_values.as_deref());
        let pending = Self {
            issuer: provider.issuer().to_string(),
            redirect_uri,
            verifier,
            nonce,
            max_age: ask.max_age,
            scope: ask.scope.clone(),
            state,
            iss_must_come: provider.iss_in_responses,
        };
        (pending, form)
    }

    /// Reads the query that the browser came back with. `state` is looked at first: nothing of an answer that belongs to
    /// another request means anything, not even its error.
    pub fn accept(&self, query: &str) -> Result<Code, RedirectProblem> {
        let params = Params::parse(query.as_bytes()).map_err(|_| RedirectProblem::Malformed)?;
        params.unrepeated().map_err(|_| RedirectProblem::Malformed)?;
        // RFC 6749 10.12.
        let state = params.get("state").map(|state| Secret::new(state.to_owned()));
        if !state.is_some_and(|state| state.matches(&self.state)) {
            return Err(RedirectProblem::State);
        }
        // RFC 9207 2.4: compared whenever it is there, and missed when it was promised.
        match params.get("iss") {
            Some(iss) if iss != self.issuer => return Err(RedirectProblem::Issuer),
            None if self.iss_must_come => return Err(RedirectProblem::NoIssuer),
            _ => {}
        }
        if let Some(error) = params.get("error") {
            return Err(RedirectProblem::Refused(Refused::new(error, params.get("error_description"))));
        }
        params.get("code").map(|code| Code(Secret::new(code.to_owned()))).ok_or(RedirectProblem::Nothing)
    }

    /// Where the browser comes back to.
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Issuer;
    use proptest::prelude::*;

    fn begin(promises_iss: bool, scope: &str) -> (Pending, Form) {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let document = format!(
            r#"{{"issuer":"https://id.example","authorization_response_iss_parameter_supported":{promises_iss}}}"#
        );
        let provider = Provider::from_metadata(&issuer, document.as_bytes()).unwrap();
        let ask = Ask { scope: Scope::parse(scope).unwrap(), max_age: Some(Seconds::new(60)), ..Ask::default() };
        let secret = |text: &str| Secret::new(text.to_owned());
        let drawn = Drawn {
            state: secret("the-state"),
            nonce: secret("the-nonce"),
            verifier: secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        };
        let redirect = RedirectUri::parse("http://127.0.0.1:4000/callback").unwrap();
        Pending::begin(&provider, &ClientId::parse("app").unwrap(), redirect, &ask, drawn)
    }

    #[test]
    fn rfc7636_b_the_challenge_is_that_of_the_verifier_and_s256() {
        let (_, form) = begin(true, "openid a");
        assert_eq!(form.get("code_challenge"), Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
        assert_eq!(form.get("code_challenge_method"), Some("S256"));
        assert_eq!((form.get("state"), form.get("nonce")), (Some("the-state"), Some("the-nonce")));
        assert_eq!((form.get("max_age"), form.get("scope")), (Some("60"), Some("a openid")));
        assert_eq!(begin(true, "a").1.get("nonce"), None);
    }

    #[test]
    fn oidc_core_11_offline_access_is_asked_for_with_consent() {
        assert_eq!(begin(true, "openid offline_access").1.get("prompt"), Some("consent"));
        assert_eq!(begin(true, "openid").1.get("prompt"), None);
    }

    #[test]
    fn rfc6749_10_12_an_answer_with_another_state_is_refused_whatever_it_says() {
        let (pending, _) = begin(false, "a");
        for query in ["code=c", "code=c&state=other", "error=access_denied&state=other", "error=access_denied", ""] {
            assert_eq!(pending.accept(query).unwrap_err(), RedirectProblem::State, "{query}");
        }
        assert_eq!(pending.accept("code=c&state=the-state").unwrap().0.expose(), "c");
    }

    #[test]
    fn rfc9207_2_4_an_answer_of_another_issuer_is_refused() {
        let (pending, _) = begin(true, "a");
        let accept = |iss: &str| pending.accept(&format!("code=c&state=the-state{iss}"));
        assert!(accept("&iss=https%3A%2F%2Fid.example").is_ok());
        assert_eq!(accept("&iss=https%3A%2F%2Fid.example%2F").unwrap_err(), RedirectProblem::Issuer);
        assert_eq!(accept("").unwrap_err(), RedirectProblem::NoIssuer);
        let refused = pending.accept("error=x&state=the-state&iss=https://evil.example").unwrap_err();
        assert_eq!(refused, RedirectProblem::Issuer);
        // One who promises nothing and sends it all the same is held to it.
        let (pending, _) = begin(false, "a");
        assert!(pending.accept("code=c&state=the-state").is_ok());
        let refused = pending.accept("code=c&state=the-state&iss=https://evil.example").unwrap_err();
        assert_eq!(refused, RedirectProblem::Issuer);
    }

    #[test]
    fn rfc6749_4_1_2_1_an_error_is_told_and_is_no_code() {
        let (pending, _) = begin(false, "a");
        let refused = pending.accept("error=access_denied&error_description=No.&state=the-state&code=c").unwrap_err();
        assert_eq!(refused, RedirectProblem::Refused(Refused::new("access_denied", Some("No."))));
        assert_eq!(pending.accept("state=the-state").unwrap_err(), RedirectProblem::Nothing);
    }

    #[test]
    fn rfc6749_3_1_a_parameter_that_stands_twice_is_refused() {
        let (pending, _) = begin(false, "a");
        for query in ["code=c&code=d&state=the-state", "code=c&state=the-state&state=x", "code=%zz&state=the-state"] {
            assert_eq!(pending.accept(query).unwrap_err(), RedirectProblem::Malformed, "{query}");
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let (pending, form) = begin(true, "openid");
        let printed = format!("{pending:?} {form:?} {:?}", Code(Secret::new("the-code".to_owned())));
        for secret in ["the-state", "the-nonce", "dBjft", "the-code"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }

    proptest! {
        #[test]
        fn an_answer_without_the_state_is_never_a_code(query in "[a-z=&%0-9-]{0,60}") {
            prop_assume!(!query.contains("state=the-state"));
            prop_assert!(begin(false, "a").0.accept(&query).is_err());
        }
    }
}
