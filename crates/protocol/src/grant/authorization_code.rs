//! The authorization code grant (RFC 6749 4.1, RFC 7636).

use super::{Access, ClaimsRequest, GrantType, NewGrant};
use crate::authorization_details::AuthorizationDetails;
use crate::client::AuthenticatedClient;
use crate::defended;
use crate::directory::Lifetimes;
use crate::error::Refusal;
use crate::narrow::Asked;
use crate::params::Params;
use crate::session::Authentication;
use crate::token::{Binding, Proven};
use crate::value::{
    ClientId, CodeChallenge, CodeId, CodeVerifier, RedirectUri, Scope, Seconds, Secret, Subject, UnixTime,
};
use grantor_jose::JwkThumbprint;
use serde::{Deserialize, Serialize};

/// What an authorization code holds. It travels sealed: no row is written until it is spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Its name, by which it is spent.
    pub id: CodeId,
    /// To whom it was issued.
    pub client: ClientId,
    /// Where it was sent, when the request said so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<RedirectUri>,
    /// What the verifier must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<CodeChallenge>,
    /// When it is worth nothing any more.
    pub expires: UnixTime,
    /// Who allowed it.
    pub subject: Subject,
    /// What was allowed.
    pub access: Access,
    /// How the user had proved who he is.
    pub authentication: Authentication,
    /// The session in which it was allowed.
    pub sid: String,
    /// Whether refresh tokens may come of it.
    pub refreshable: bool,
    /// `nonce` of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Single claims that were asked for.
    #[serde(default)]
    pub claims: ClaimsRequest,
    /// What was allowed beside scopes (RFC 9396).
    #[serde(default, skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub details: AuthorizationDetails,
    /// The key whose proof must come with it (RFC 9449 10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<JwkThumbprint>,
    /// Why less was given than asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrowed: Vec<String>,
}

/// RFC 6749 4.1.3.
#[derive(Debug)]
pub struct Request {
    /// The sealed code.
    pub code: Secret,
    /// The redirect URI, repeated.
    pub redirect_uri: Option<String>,
    /// The PKCE verifier.
    pub verifier: Option<CodeVerifier>,
    /// The audience and scope of the access token.
    pub asked: Asked,
    /// Which of the authorization details it is for (RFC 9396 6).
    pub details: AuthorizationDetails,
}

impl Request {
    /// Reads the parameters.
    pub fn parse(params: &Params) -> Result<Self, Refusal> {
        let code = params.get("code").ok_or(Refusal::MissingParameter("code"))?;
        let verifier = params
            .get("code_verifier")
            .map(|raw| CodeVerifier::parse(raw).ok_or(Refusal::MalformedVerifier))
            .transpose()?;
        // RFC 6749 4.1.3 knows no scope here: it was decided when the user was asked.
        let asked = Asked { scope: None, ..Asked::parse(params)? };
        let redirect_uri = params.get("redirect_uri").map(str::to_owned);
        let details = AuthorizationDetails::of_params(params)?;
        Ok(Self { code: Secret::new(code.to_owned()), redirect_uri, verifier, asked, details })
    }
}

/// On what terms a code is redeemed.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Those of the tenant.
    pub lifetimes: &'a Lifetimes,
    /// The longest life of an access token that could come of it.
    pub access_life: Seconds,
    /// The keys that the request proved.
    pub proven: Proven,
}

/// RFC 6749 4.1.3, RFC 7636 4.6: whether this client may have what the code stands for, and on what terms. That the code is
/// spent only once is the store's word.
pub fn redeem(
    request: &Request,
    code: Code,
    client: &AuthenticatedClient,
    terms: &Terms<'_>,
    now: UnixTime,
) -> Result<NewGrant, Refusal> {
    if !client.is(&code.client) {
        return Err(Refusal::CodeOfAnotherClient);
    }
    if now >= code.expires {
        return Err(Refusal::CodeExpired);
    }
    defended!("redirect-uri", check_redirect_uri(request, &code), Ok(()))?;
    defended!("pkce", check_verifier(request, &code), Ok(()))?;
    check_key(terms.proven, &code)?;
    let refreshable = code.refreshable && client.get().metadata.grant_types.contains(&GrantType::RefreshToken);
    let lifetimes = terms.lifetimes;
    let (idle, life) = match (refreshable, client.get().metadata.profile.rotates_refresh_tokens()) {
        (true, true) => (lifetimes.refresh_idle, lifetimes.refresh_absolute),
        // Nothing is written when a refresh token that is not replaced is used.
        (true, false) => (lifetimes.refresh_absolute, lifetimes.refresh_absolute),
        (false, _) => (terms.access_life, terms.access_life),
    };
    Ok(NewGrant {
        client: code.client,
        subject: code.subject,
        access: code.access,
        authentication: code.authentication,
        sid: Some(code.sid),
        nonce: code.nonce,
        claims: code.claims,
        narrowed: code.narrowed,
        details: code.details,
        // A confidential client proves itself at each refresh; of a public one the key is all there is (RFC 9449 5).
        binding: if client.get().metadata.is_confidential() { Binding::Bearer } else { terms.proven.strongest() },
        refreshable,
        delegation: None,
        created: now,
        idle,
        ends: now.plus(life),
    })
}

/// RFC 6749 4.1.3: identical when it was given before. With PKCE it may be left out (OAuth 2.1 4.1.3).
fn check_redirect_uri(request: &Request, code: &Code) -> Result<(), Refusal> {
    match (&request.redirect_uri, &code.redirect_uri) {
        (Some(repeated), Some(given)) if repeated == given.as_str() => Ok(()),
        (Some(_), _) => Err(Refusal::RedirectUriMismatch),
        (None, Some(_)) if code.challenge.is_none() => Err(Refusal::RedirectUriMismatch),
        (None, _) => Ok(()),
    }
}

/// RFC 7636 4.6, and against downgrades: a verifier without a challenge is refused (RFC 9700 2.1.1).
fn check_verifier(request: &Request, code: &Code) -> Result<(), Refusal> {
    match (&code.challenge, &request.verifier) {
        (Some(challenge), Some(verifier)) if challenge.matches(verifier) => Ok(()),
        (Some(_), Some(_)) => Err(Refusal::VerifierMismatch),
        (Some(_), None) => Err(Refusal::VerifierMissing),
        (None, Some(_)) => Err(Refusal::VerifierWithoutChallenge),
        (None, None) => Ok(()),
    }
}

/// RFC 9449 10: the code is worth nothing without the key that it was asked for with.
fn check_key(proven: Proven, code: &Code) -> Result<(), Refusal> {
    match (code.dpop_jkt, proven.dpop) {
        (None, _) => Ok(()),
        (Some(bound), Some(key)) if bound == key => Ok(()),
        (Some(_), Some(_)) => Err(Refusal::CodeBoundToAnotherKey),
        (Some(_), None) => Err(Refusal::DpopProofRequired),
    }
}

impl Code {
    /// The scope that was allowed.
    pub fn scope(&self) -> Scope {
        self.access.scope()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{AuthMethod, auth::tests};

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const NOW: UnixTime = UnixTime::new(100);

    fn code() -> Code {
        Code {
            id: CodeId::new(1, [0; 10]),
            client: ClientId::parse("web").unwrap(),
            redirect_uri: RedirectUri::parse("https://app/cb"),
            challenge: CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            expires: UnixTime::new(160),
            subject: Subject::parse("u1").unwrap(),
            access: Access::default(),
            authentication: Authentication { time: NOW, acr: "1".into(), amr: vec![] },
            sid: "sid".into(),
            refreshable: true,
            nonce: Some("n".into()),
            claims: ClaimsRequest::default(),
            narrowed: vec![],
            details: AuthorizationDetails::default(),
            dpop_jkt: None,
        }
    }

    fn redeem_as(client: &str, form: &str, code: Code, now: UnixTime) -> Result<NewGrant, Refusal> {
        let client = tests::authenticated(&tests::client(client, AuthMethod::ClientSecretBasic));
        let request = Request::parse(&Params::parse(form.as_bytes()).unwrap())?;
        redeem(&request, code, &client, &terms(Proven::default()), now)
    }

    fn terms(proven: Proven) -> Terms<'static> {
        let lifetimes = Box::leak(Box::new(Lifetimes::default()));
        Terms { lifetimes, access_life: Seconds::new(600), proven }
    }

    #[test]
    fn rfc9449_10_a_code_bound_to_a_key_is_worth_nothing_without_it() {
        let key = |n: u8| Some(JwkThumbprint::from_bytes([n; 32]));
        let client = tests::authenticated(&tests::client("web", AuthMethod::ClientSecretBasic));
        let request = Request::parse(&Params::parse(form().as_bytes()).unwrap()).unwrap();
        let with = |dpop| {
            let bound = Code { dpop_jkt: key(1), ..code() };
            redeem(&request, bound, &client, &terms(Proven { dpop, certificate: None }), NOW).map(|_| ())
        };
        assert_eq!(with(key(1)), Ok(()));
        assert_eq!(with(key(2)), Err(Refusal::CodeBoundToAnotherKey));
        assert_eq!(with(None), Err(Refusal::DpopProofRequired));
    }

    #[test]
    fn rfc9449_5_the_refresh_token_of_a_public_client_is_bound() {
        let key = JwkThumbprint::from_bytes([1; 32]);
        let request = Request::parse(&Params::parse(form().as_bytes()).unwrap()).unwrap();
        for (method, binding) in
            [(AuthMethod::None, Binding::Dpop(key)), (AuthMethod::ClientSecretBasic, Binding::Bearer)]
        {
            let client = tests::authenticated(&tests::client("web", method));
            let proven = Proven { dpop: Some(key), certificate: None };
            assert_eq!(redeem(&request, code(), &client, &terms(proven), NOW).unwrap().binding, binding);
        }
    }

    fn form() -> String {
        format!("code=x&redirect_uri=https%3A%2F%2Fapp%2Fcb&code_verifier={VERIFIER}")
    }

    #[test]
    fn rfc6749_4_1_3_a_code_is_redeemed() {
        let grant = redeem_as("web", &form(), code(), NOW).unwrap();
        assert_eq!(grant.nonce.as_deref(), Some("n"));
        // Not registered for refresh tokens: the grant ends with its access token.
        assert_eq!(grant.ends, UnixTime::new(700));
    }

    #[test]
    fn rfc6749_4_1_3_code_of_another_client_is_refused() {
        assert_eq!(redeem_as("other", &form(), code(), NOW), Err(Refusal::CodeOfAnotherClient));
    }

    #[test]
    fn rfc6749_4_1_2_an_expired_code_is_refused() {
        assert!(redeem_as("web", &form(), code(), UnixTime::new(159)).is_ok());
        assert_eq!(redeem_as("web", &form(), code(), UnixTime::new(160)), Err(Refusal::CodeExpired));
    }

    #[test]
    fn rfc6749_4_1_3_another_redirect_uri_is_refused() {
        let other = form().replace("app", "evil");
        assert_eq!(redeem_as("web", &other, code(), NOW), Err(Refusal::RedirectUriMismatch));
        let without = format!("code=x&code_verifier={VERIFIER}");
        assert!(redeem_as("web", &without, code(), NOW).is_ok());
        let no_pkce = Code { challenge: None, ..code() };
        assert_eq!(redeem_as("web", "code=x", no_pkce, NOW), Err(Refusal::RedirectUriMismatch));
    }

    #[test]
    fn rfc7636_4_6_the_verifier_must_match() {
        let wrong = form().replace("dBj", "dBk");
        assert_eq!(redeem_as("web", &wrong, code(), NOW), Err(Refusal::VerifierMismatch));
        let none = "code=x&redirect_uri=https%3A%2F%2Fapp%2Fcb";
        assert_eq!(redeem_as("web", none, code(), NOW), Err(Refusal::VerifierMissing));
        assert_eq!(redeem_as("web", "code=x&code_verifier=short", code(), NOW), Err(Refusal::MalformedVerifier));
    }

    #[test]
    fn rfc9700_2_1_1_a_verifier_without_a_challenge_is_refused() {
        let no_pkce = Code { challenge: None, ..code() };
        assert_eq!(redeem_as("web", &form(), no_pkce, NOW), Err(Refusal::VerifierWithoutChallenge));
    }
}
