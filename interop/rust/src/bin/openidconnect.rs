//! crates.io `openidconnect`: discovery, the code flow, ID tokens and userinfo by its own rules.

use anyhow::{Context, Result, bail};
use grantor_interop::demo::Demo;
use grantor_interop::http::{call, secured, send};
use grantor_interop::person::{Decision, Person, REDIRECT_URI, parameter};
use grantor_interop::report::{Report, equal};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
    CoreClientAuthMethod, CoreErrorResponseType, CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalProviderMetadata, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IntrospectionUrl, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl, RefreshToken, RequestTokenError, RevocationUrl,
    Scope, SubjectIdentifier, TokenIntrospectionResponse, TokenResponse,
};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use url::Url;

/// What the library does not know of metadata.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Endpoints {
    introspection_endpoint: String,
    revocation_endpoint: String,
}

impl AdditionalProviderMetadata for Endpoints {}

type Metadata = ProviderMetadata<
    Endpoints,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;
type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointMaybeSet, EndpointMaybeSet>;
type LibraryError = openidconnect::core::CoreRequestTokenError<reqwest::Error>;
const SCOPES: [&str; 4] = ["profile", "email", "offline_access", "notes:read"];

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut report = Report::default();
    let Some(suite) = report.check("discovery, with the keys", Suite::discover()).await else {
        return Ok(report.finish());
    };
    let Some(tokens) =
        report.check("code and PKCE, with state, iss, nonce and ID token", suite.grant("demo-web")).await
    else {
        return Ok(report.finish());
    };
    report.check("userinfo is about the subject of the ID token", suite.user_info(&tokens)).await;
    report.check("the ID token of another nonce is refused", suite.another_nonce()).await;
    report.check("the demo API takes the access token", suite.api_says(tokens.access_token(), 200)).await;
    report.check("introspection says who and whom", suite.introspected(&tokens)).await;
    report.check("another verifier is refused", suite.another_verifier()).await;
    report.check("refresh: same successor on a retry, reuse revokes the grant", suite.refreshes(&tokens)).await;
    report.check("client credentials", suite.client_credentials()).await;
    report.check("a revoked access token is dead everywhere at once", suite.revokes_access()).await;
    report.check("a revoked refresh token takes its access tokens with it", suite.revokes_refresh()).await;
    report.check("a public client", suite.grant("demo-public")).await;
    report.check("denied: access_denied with state and iss", suite.denied()).await;
    report.check("prompt=none without a session: login_required", suite.login_required()).await;
    Ok(report.finish())
}

struct Suite {
    demo: Demo,
    metadata: Metadata,
    person: Person,
}

/// An authorization request that was answered.
struct Asked {
    code: AuthorizationCode,
    verifier: PkceCodeVerifier,
    nonce: Nonce,
}

impl Suite {
    async fn discover() -> Result<Self> {
        let demo = Demo::given()?;
        let metadata = Metadata::discover_async(IssuerUrl::new(demo.issuer.clone())?, &send).await?;
        equal(metadata.jwks().keys().is_empty(), false)?;
        let person = Person::new(&demo)?;
        Ok(Self { demo, metadata, person })
    }

    fn client(&self, id: &str) -> Result<Client> {
        let secret = self.demo.client(id)?.client_secret.clone().map(ClientSecret::new);
        let endpoints = self.metadata.additional_metadata();
        Ok(CoreClient::from_provider_metadata(self.metadata.clone(), ClientId::new(id.to_owned()), secret)
            .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned())?)
            .set_introspection_url(IntrospectionUrl::new(endpoints.introspection_endpoint.clone())?)
            .set_revocation_url(RevocationUrl::new(secured(&endpoints.revocation_endpoint))?))
    }

    /// Sends a person to the authorization endpoint; gives where the client was called back.
    async fn send_person(
        &self,
        person: &Person,
        id: &str,
        prompt: Option<CoreAuthPrompt>,
        decision: Decision,
    ) -> Result<(Url, PkceCodeVerifier, Nonce)> {
        let client = self.client(id)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge);
        if let Some(prompt) = prompt {
            request = request.add_prompt(prompt);
        }
        let (url, state, nonce) = request.url();
        let callback = person.authorize(&url, decision).await?;
        equal(&parameter(&callback, "state")?, state.secret())?;
        equal(&parameter(&callback, "iss")?, self.metadata.issuer().as_str())?;
        Ok((callback, verifier, nonce))
    }

    async fn ask(&self, id: &str) -> Result<Asked> {
        let (callback, verifier, nonce) = self.send_person(&self.person, id, None, Decision::Allow).await?;
        Ok(Asked { code: AuthorizationCode::new(parameter(&callback, "code")?), verifier, nonce })
    }

    async fn redeem(&self, id: &str, asked: Asked) -> Result<CoreTokenResponse> {
        let client = self.client(id)?;
        let tokens = client.exchange_code(asked.code)?.set_pkce_verifier(asked.verifier).request_async(&send).await?;
        let id_token = tokens.id_token().context("no ID token")?;
        let verifier = client.id_token_verifier();
        let claims = id_token.claims(&verifier, &asked.nonce)?;
        equal(claims.subject().as_str(), self.demo.alice()?.sub.as_str())?;
        let hash = claims.access_token_hash().context("no at_hash")?;
        let wanted = AccessTokenHash::from_token(
            tokens.access_token(),
            id_token.signing_alg()?,
            id_token.signing_key(&verifier)?,
        )?;
        equal(hash, &wanted)?;
        Ok(tokens)
    }

    async fn grant(&self, id: &str) -> Result<CoreTokenResponse> {
        self.redeem(id, self.ask(id).await?).await
    }

    async fn another_nonce(&self) -> Result<()> {
        let mut asked = self.ask("demo-web").await?;
        asked.nonce = Nonce::new_random();
        match self.redeem("demo-web", asked).await {
            Err(why) if why.to_string().contains("nonce") => Ok(()),
            other => bail!("nonce went unchecked: {:?}", other.err()),
        }
    }

    async fn another_verifier(&self) -> Result<()> {
        let mut asked = self.ask("demo-web").await?;
        asked.verifier = PkceCodeChallenge::new_random_sha256().1;
        let client = self.client("demo-web")?;
        let request = client.exchange_code(asked.code)?.set_pkce_verifier(asked.verifier);
        refused(CoreErrorResponseType::InvalidGrant, request.request_async(&send).await)
    }

    async fn user_info(&self, tokens: &CoreTokenResponse) -> Result<()> {
        let subject = SubjectIdentifier::new(self.demo.alice()?.sub.clone());
        let client = self.client("demo-web")?;
        let claims: CoreUserInfoClaims =
            client.user_info(tokens.access_token().clone(), Some(subject))?.request_async(&send).await?;
        claims.email().context("no email").map(|_| ())
    }

    async fn api_says(&self, token: &AccessToken, status: u16) -> Result<()> {
        equal(call(self.demo.api("/notes")?.url()?, token.secret()).await?.as_u16(), status)
    }

    async fn active(&self, token: &AccessToken) -> Result<bool> {
        Ok(self.client("demo-notes-api")?.introspect(token).request_async(&send).await?.active())
    }

    async fn introspected(&self, tokens: &CoreTokenResponse) -> Result<()> {
        let said = self.client("demo-notes-api")?;
        let said = said.introspect(tokens.access_token()).request_async(&send).await?;
        equal(said.active(), true)?;
        equal(said.client_id().map(|id| id.as_str()), Some("demo-web"))?;
        equal(said.sub(), Some(self.demo.alice()?.sub.as_str()))
    }

    async fn refresh(&self, token: &RefreshToken) -> Result<Result<CoreTokenResponse, LibraryError>> {
        Ok(self.client("demo-web")?.exchange_refresh_token(token)?.request_async(&send).await)
    }

    async fn refreshes(&self, tokens: &CoreTokenResponse) -> Result<()> {
        let first = tokens.refresh_token().context("no refresh token")?;
        let second = self.refresh(first).await??;
        let second = second.refresh_token().context("no successor")?;
        let retried = self.refresh(first).await??;
        equal(retried.refresh_token().map(RefreshToken::secret), Some(second.secret()))?;
        let third = self.refresh(second).await??;
        refused(CoreErrorResponseType::InvalidGrant, self.refresh(first).await?)?;
        let latest = third.refresh_token().context("no successor")?;
        refused(CoreErrorResponseType::InvalidGrant, self.refresh(latest).await?)?;
        equal(self.active(third.access_token()).await?, false)?;
        self.api_says(third.access_token(), 401).await
    }

    async fn client_credentials(&self) -> Result<()> {
        let machine = self.client("demo-machine")?;
        let request = machine.exchange_client_credentials()?.add_scope(Scope::new("notes:read".to_owned()));
        let tokens = request.request_async(&send).await?;
        equal(tokens.id_token().is_none(), true)?;
        equal(self.active(tokens.access_token()).await?, true)?;
        self.api_says(tokens.access_token(), 200).await
    }

    async fn revokes_access(&self) -> Result<()> {
        let tokens = self.grant("demo-web").await?;
        let client = self.client("demo-web")?;
        client.revoke_token(tokens.access_token().clone().into())?.request_async(&send).await?;
        equal(self.active(tokens.access_token()).await?, false)?;
        self.api_says(tokens.access_token(), 401).await?;
        let info = client.user_info(tokens.access_token().clone(), None)?;
        let info: Result<CoreUserInfoClaims, _> = info.request_async(&send).await;
        equal(info.is_err(), true)
    }

    async fn revokes_refresh(&self) -> Result<()> {
        let tokens = self.grant("demo-web").await?;
        let refresh = tokens.refresh_token().context("no refresh token")?;
        self.client("demo-web")?.revoke_token(refresh.clone().into())?.request_async(&send).await?;
        refused(CoreErrorResponseType::InvalidGrant, self.refresh(refresh).await?)?;
        equal(self.active(tokens.access_token()).await?, false)
    }

    async fn denied(&self) -> Result<()> {
        let stranger = Person::new(&self.demo)?;
        let prompt = Some(CoreAuthPrompt::Consent);
        let (callback, ..) = self.send_person(&stranger, "demo-web", prompt, Decision::Deny).await?;
        equal(parameter(&callback, "error")?, "access_denied")
    }

    async fn login_required(&self) -> Result<()> {
        let stranger = Person::new(&self.demo)?;
        let prompt = Some(CoreAuthPrompt::None);
        let (callback, ..) = self.send_person(&stranger, "demo-web", prompt, Decision::Allow).await?;
        equal(parameter(&callback, "error")?, "login_required")
    }
}

fn refused(wanted: CoreErrorResponseType, result: Result<CoreTokenResponse, LibraryError>) -> Result<()> {
    match result {
        Ok(_) => bail!("accepted, but {wanted:?} was expected"),
        Err(RequestTokenError::ServerResponse(response)) => equal(response.error(), &wanted),
        Err(why) => Err(why.into()),
    }
}
