//! A client of one authorization server, and the requests that it makes there.

use crate::ask::Ask;
use crate::auth::{Authentication, Occasion};
use crate::dpop::{DPOP, DpopKey, USE_NONCE};
use crate::error::{Error, Result};
use crate::grant::Grant;
use crate::http::{Answer, Form, Http};
use crate::id_token::{Expected, Identity};
use crate::provider::{Endpoint, Issuer, MetadataProblem, Provider};
use crate::random;
use crate::token::{self, TokenProblem, TokenType, Tokens};
use grantor_jose::{JwkSet, SigningAlgorithm};
use grantor_protocol::value::{ClientId, Scope, Seconds, Secret};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use std::sync::Arc;
use url::Url;

/// A client of one authorization server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    provider: Arc<Provider>,
    id: ClientId,
    authentication: Authentication,
    pub(crate) http: Http,
    dpop: Option<DpopKey>,
}

/// What an ID token of a request must agree with besides what every one must.
#[derive(Clone, Copy, Default)]
pub(crate) struct Identified<'a> {
    pub(crate) nonce: Option<&'a Secret>,
    pub(crate) max_age: Option<Seconds>,
    pub(crate) before: Option<&'a Identity>,
    pub(crate) asked: Option<&'a Scope>,
}

/// Finds the authorization server of an issuer (OpenID Connect Discovery 4, RFC 8414 3), in both forms of the path.
///
/// # Errors
///
/// [`Error::NoMetadata`] when there is none at any of them; [`Error::Metadata`] when the first that is found is not the issuer's own.
pub async fn discover(http: &Http, issuer: &Issuer) -> Result<Provider> {
    let mut why = String::new();
    for address in issuer.well_known() {
        let url = Url::parse(&address).map_err(|_| MetadataProblem::Member("issuer"))?;
        let answer = http.get(&url, HeaderMap::new()).await?;
        // What is found first counts: a document of another issuer is an attack or a mistake, and no reason to look further.
        if answer.status == 200 {
            return Ok(Provider::from_metadata(issuer, &answer.body)?);
        }
        why = format!("{address} answers {}", answer.status);
    }
    Err(Error::NoMetadata { issuer: issuer.to_string(), why })
}

impl Client {
    /// A client that sends its tokens as Bearer.
    pub fn new(provider: Provider, id: ClientId, authentication: Authentication, http: Http) -> Self {
        Self { provider: Arc::new(provider), id, authentication, http, dpop: None }
    }

    /// The same with tokens that are bound to a key (RFC 9449).
    ///
    /// # Errors
    ///
    /// When the server's metadata do not say that it knows DPoP with ES256.
    pub fn with_dpop(self, key: DpopKey) -> Result<Self> {
        let known = self.provider.dpop_algorithms.as_ref();
        if !known.is_some_and(|known| known.contains(&SigningAlgorithm::Es256)) {
            return Err(Error::Unsupported("DPoP with ES256 (dpop_signing_alg_values_supported)"));
        }
        Ok(Self { dpop: Some(key), ..self })
    }

    /// The same with the key that a grant's tokens are bound to, if they are.
    #[must_use]
    pub fn for_grant(&self, grant: &Grant) -> Self {
        Self { dpop: grant.dpop.clone(), ..self.clone() }
    }

    /// `client_id`.
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// The server.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// How it asks.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The key that its tokens are bound to.
    pub fn dpop(&self) -> Option<&DpopKey> {
        self.dpop.as_ref()
    }

    /// A token for the program itself (RFC 6749 4.4).
    pub async fn client_credentials(&self, ask: &Ask) -> Result<Grant> {
        let mut form = Form::default();
        form.add("grant_type", "client_credentials");
        ask.add_to(&mut form);
        self.token(&form, Identified::default()).await
    }

    /// A fresh access token of a grant (RFC 6749 6). What comes back replaces the grant: its refresh token may be another.
    ///
    /// # Errors
    ///
    /// [`Error::SignInAgain`] when the server does not know the grant any more, or it never had a refresh token.
    pub async fn refresh(&self, grant: &Grant) -> Result<Grant> {
        let none = || Error::SignInAgain("there is no refresh token".to_owned());
        let refresh = grant.tokens.refresh_token.as_ref().ok_or_else(none)?;
        let identified = Identified { before: grant.identity.as_ref(), ..Identified::default() };
        Ok(self.renewed(refresh, &Ask::default(), identified).await?.after(grant))
    }

    /// A grant of a refresh token that something else has kept: another library, or a person who has it in his hands. With a
    /// scope, for no more than that (RFC 6749 6).
    ///
    /// # Errors
    ///
    /// [`Error::SignInAgain`] when the server does not know the token.
    pub async fn adopt(&self, refresh_token: Secret, ask: &Ask) -> Result<Grant> {
        let mut grant = self.renewed(&refresh_token, ask, Identified::default()).await?;
        grant.tokens.refresh_token.get_or_insert(refresh_token);
        Ok(grant)
    }

    async fn renewed(&self, refresh_token: &Secret, ask: &Ask, identified: Identified<'_>) -> Result<Grant> {
        let mut form = Form::default();
        form.add("grant_type", "refresh_token");
        form.add("refresh_token", refresh_token.expose());
        ask.add_to(&mut form);
        match self.token(&form, identified).await {
            Err(Error::Refused(refused)) if refused.code == "invalid_grant" => {
                Err(Error::SignInAgain(refused.to_string()))
            }
            other => other,
        }
    }

    /// Takes a grant back (RFC 7009): its refresh token, and its access token.
    pub async fn revoke(&self, grant: &Grant) -> Result<()> {
        let tokens = [
            ("refresh_token", grant.tokens.refresh_token.as_ref()),
            ("access_token", Some(&grant.tokens.access_token)),
        ];
        for (hint, token) in tokens {
            let Some(token) = token else { continue };
            let mut form = Form::default();
            form.add("token", token.expose());
            form.add("token_type_hint", hint);
            let answer = self.post(Endpoint::Revocation, &form).await?;
            if answer.status != 200 {
                return Err(token::refused(&answer));
            }
        }
        Ok(())
    }

    /// Asks the token endpoint, and checks whatever comes back.
    pub(crate) async fn token(&self, form: &Form, identified: Identified<'_>) -> Result<Grant> {
        let asked_at = random::now();
        let answer = self.post(Endpoint::Token, form).await?;
        if answer.status != 200 {
            return Err(token::refused(&answer));
        }
        let kind = if self.dpop.is_some() { TokenType::Dpop } else { TokenType::Bearer };
        let tokens = Tokens::parse(&answer.body, kind, asked_at)?;
        let identity = self.identity(&tokens, identified).await?;
        Ok(Grant {
            issuer: self.provider.issuer().to_string(),
            client: self.id.clone(),
            tokens,
            identity,
            dpop: self.dpop.clone(),
        })
    }

    /// OpenID Connect Core 3.1.3.3, 12.2: an ID token must come of a sign-in with `openid`, and may come of a refresh.
    async fn identity(&self, tokens: &Tokens, identified: Identified<'_>) -> Result<Option<Identity>> {
        let openid = |scope: &Scope| scope.contains("openid");
        let granted = tokens.scope.as_ref().or(identified.asked);
        let must_come = identified.asked.is_some_and(openid) && granted.is_some_and(openid);
        let Some(token) = tokens.id_token.as_ref().filter(|_| must_come || identified.before.is_some()) else {
            return if must_come { Err(TokenProblem::NoIdToken.into()) } else { Ok(None) };
        };
        let keys = self.keys().await?;
        let expected = Expected {
            issuer: self.provider.issuer().as_str(),
            client: &self.id,
            keys: &keys,
            algorithms: &self.provider.id_token_algorithms,
            nonce: identified.nonce,
            max_age: identified.max_age,
            access_token: &tokens.access_token,
            subject: identified.before.map(Identity::subject),
            now: random::now(),
        };
        Ok(Some(Identity::check(token, &expected)?))
    }

    async fn keys(&self) -> Result<JwkSet> {
        let answer = self.http.get(self.provider.endpoint(Endpoint::Jwks)?, HeaderMap::new()).await?;
        let keys = JwkSet::parse(&answer.body).ok().filter(|_| answer.status == 200);
        keys.ok_or_else(|| answer.wrong("and no set of keys (RFC 7517 5)"))
    }

    /// Sends a form with the client's proof, and with a proof of the key. Once more when the server wants a nonce in the
    /// latter (RFC 9449 8).
    pub(crate) async fn post(&self, endpoint: Endpoint, form: &Form) -> Result<Answer> {
        let url = if self.http.shows_certificate() {
            self.provider.endpoint_for_certificate(endpoint)?
        } else {
            self.provider.endpoint(endpoint)?
        };
        let answer = self.post_once(url, form).await?;
        let fresh = self.dpop.as_ref().is_some_and(|key| key.remember(url, &answer.headers));
        let wanted = fresh && matches!(token::refused(&answer), Error::Refused(refused) if refused.code == USE_NONCE);
        if !wanted {
            return Ok(answer);
        }
        let answer = self.post_once(url, form).await?;
        if let Some(key) = &self.dpop {
            key.remember(url, &answer.headers);
        }
        Ok(answer)
    }

    async fn post_once(&self, url: &Url, form: &Form) -> Result<Answer> {
        let issuer = self.provider.issuer().as_str();
        let platform = match &self.authentication {
            Authentication::Workload(workload) => Some(workload.token(&self.http, issuer).await?),
            _ => None,
        };
        let (mut form, mut headers, jti) = (form.clone(), HeaderMap::new(), random::text()?);
        let occasion =
            Occasion { client: &self.id, issuer, jti: &jti, now: random::now(), platform: platform.as_ref() };
        if let Some(header) = self.authentication.prove(&mut form, &occasion)? {
            headers.insert(AUTHORIZATION, header);
        }
        if let Some(key) = &self.dpop {
            headers.insert(DPOP, key.header("POST", url, None)?);
        }
        self.http.post(url, headers, &form).await
    }
}
