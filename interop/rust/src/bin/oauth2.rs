//! crates.io `oauth2`: it knows no discovery, so the metadata of RFC 8414 is read by hand.

use anyhow::{Context, Result, bail};
use grantor_interop::demo::Demo;
use grantor_interop::http::{call, client, secured, send};
use grantor_interop::person::{Decision, Person, REDIRECT_URI, parameter};
use grantor_interop::report::{Report, equal};
use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AccessToken, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    IntrospectionUrl, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, RevocationUrl,
    Scope, StandardRevocableToken, TokenIntrospectionResponse, TokenResponse, TokenUrl,
};
use serde_json::Value;
use std::process::ExitCode;

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointSet>;
const SCOPES: [&str; 2] = ["offline_access", "notes:read"];

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut report = Report::default();
    let suite = Suite::new().await?;
    report.check("metadata by RFC 8414 has what a client needs", suite.metadata_is_complete()).await;
    let Some(tokens) = report.check("code and PKCE, with state and iss", suite.grant("demo-web")).await else {
        return Ok(report.finish());
    };
    report.check("the demo API takes the access token", suite.is_accepted(&tokens)).await;
    report.check("introspection says who and what for", suite.introspected(&tokens)).await;
    report.check("another verifier is refused", suite.another_verifier()).await;
    report.check("a code works once", suite.code_works_once()).await;
    report.check("refresh: same successor on a retry, reuse revokes the grant", suite.refreshes(&tokens)).await;
    report.check("client credentials", suite.client_credentials()).await;
    report.check("a wrong secret is invalid_client", suite.wrong_secret()).await;
    report.check("a revoked access token is dead everywhere at once", suite.revokes_access()).await;
    report.check("a revoked refresh token takes its access tokens with it", suite.revokes_refresh()).await;
    report.check("a public client", suite.grant("demo-public")).await;
    report.check("denied: access_denied with state and iss", suite.denied()).await;
    Ok(report.finish())
}

struct Suite {
    demo: Demo,
    metadata: Value,
    person: Person,
}

impl Suite {
    async fn new() -> Result<Self> {
        let demo = Demo::given()?;
        let url = format!("{}/.well-known/oauth-authorization-server", demo.issuer);
        let metadata = client().get(url).send().await?.error_for_status()?.json().await?;
        let person = Person::new(&demo)?;
        Ok(Self { demo, metadata, person })
    }

    fn endpoint(&self, name: &str) -> Result<String> {
        Ok(self
            .metadata
            .get(name)
            .and_then(Value::as_str)
            .with_context(|| format!("metadata has no {name}"))?
            .to_owned())
    }

    fn client(&self, id: &str) -> Result<Client> {
        let mut client = BasicClient::new(ClientId::new(id.to_owned()));
        if let Some(secret) = &self.demo.client(id)?.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.clone()));
        }
        Ok(client
            .set_auth_uri(AuthUrl::new(self.endpoint("authorization_endpoint")?)?)
            .set_token_uri(TokenUrl::new(self.endpoint("token_endpoint")?)?)
            .set_introspection_url(IntrospectionUrl::new(self.endpoint("introspection_endpoint")?)?)
            .set_revocation_url(RevocationUrl::new(secured(&self.endpoint("revocation_endpoint")?))?)
            .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned())?))
    }

    async fn metadata_is_complete(&self) -> Result<()> {
        equal(&self.endpoint("issuer")?, &self.demo.issuer)?;
        for name in
            ["authorization_endpoint", "token_endpoint", "jwks_uri", "introspection_endpoint", "revocation_endpoint"]
        {
            equal(self.endpoint(name)?.starts_with(&self.demo.issuer), true)?;
        }
        let methods = self.metadata.get("code_challenge_methods_supported").and_then(Value::as_array);
        equal(methods.is_some_and(|methods| methods.iter().any(|method| method == "S256")), true)
    }

    async fn ask(&self, id: &str) -> Result<(AuthorizationCode, PkceCodeVerifier)> {
        let client = self.client(id)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = SCOPES.map(|scope| Scope::new(scope.to_owned()));
        let (url, state) =
            client.authorize_url(CsrfToken::new_random).add_scopes(scopes).set_pkce_challenge(challenge).url();
        let callback = self.person.authorize(&url, Decision::Allow).await?;
        equal(&parameter(&callback, "state")?, state.secret())?;
        equal(&parameter(&callback, "iss")?, &self.demo.issuer)?;
        Ok((AuthorizationCode::new(parameter(&callback, "code")?), verifier))
    }

    async fn grant(&self, id: &str) -> Result<BasicTokenResponse> {
        let (code, verifier) = self.ask(id).await?;
        Ok(self.client(id)?.exchange_code(code).set_pkce_verifier(verifier).request_async(&send).await?)
    }

    async fn is_accepted(&self, tokens: &BasicTokenResponse) -> Result<()> {
        equal(call(self.demo.api("/notes")?.url()?, tokens.access_token().secret()).await?.as_u16(), 200)
    }

    async fn active(&self, token: &AccessToken) -> Result<bool> {
        let api = self.client("demo-notes-api")?;
        Ok(api.introspect(token).request_async(&send).await?.active())
    }

    async fn introspected(&self, tokens: &BasicTokenResponse) -> Result<()> {
        let api = self.client("demo-notes-api")?;
        let said = api.introspect(tokens.access_token()).request_async(&send).await?;
        equal(said.active(), true)?;
        equal(said.client_id().map(|id| id.as_str()), Some("demo-web"))?;
        equal(said.sub(), Some(self.demo.alice()?.sub.as_str()))?;
        let scopes = said.scopes().context("no scope")?;
        equal(scopes.iter().any(|scope| scope.as_str() == "notes:read"), true)
    }

    async fn another_verifier(&self) -> Result<()> {
        let (code, _) = self.ask("demo-web").await?;
        let (_, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.client("demo-web")?;
        refused(
            BasicErrorResponseType::InvalidGrant,
            client.exchange_code(code).set_pkce_verifier(verifier).request_async(&send).await,
        )
    }

    async fn code_works_once(&self) -> Result<()> {
        let (code, verifier) = self.ask("demo-web").await?;
        let again = PkceCodeVerifier::new(verifier.secret().clone());
        let client = self.client("demo-web")?;
        let tokens = client.exchange_code(code.clone()).set_pkce_verifier(verifier).request_async(&send).await?;
        refused(
            BasicErrorResponseType::InvalidGrant,
            client.exchange_code(code).set_pkce_verifier(again).request_async(&send).await,
        )?;
        equal(self.active(tokens.access_token()).await?, false)
    }

    async fn refresh(&self, token: &RefreshToken) -> Result<BasicTokenResponse, LibraryError> {
        let Ok(client) = self.client("demo-web") else { return Err(RequestTokenError::Other("no client".to_owned())) };
        client.exchange_refresh_token(token).request_async(&send).await
    }

    async fn refreshes(&self, tokens: &BasicTokenResponse) -> Result<()> {
        let first = tokens.refresh_token().context("no refresh token")?;
        let second = self.refresh(first).await?;
        let second = second.refresh_token().context("no successor")?;
        let retried = self.refresh(first).await?;
        equal(retried.refresh_token().map(RefreshToken::secret), Some(second.secret()))?;
        let third = self.refresh(second).await?;
        refused(BasicErrorResponseType::InvalidGrant, self.refresh(first).await)?;
        refused(
            BasicErrorResponseType::InvalidGrant,
            self.refresh(third.refresh_token().context("no successor")?).await,
        )?;
        equal(self.active(third.access_token()).await?, false)
    }

    async fn client_credentials(&self) -> Result<()> {
        let machine = self.client("demo-machine")?;
        let request = machine.exchange_client_credentials().add_scope(Scope::new("notes:read".to_owned()));
        let tokens = request.request_async(&send).await?;
        equal(tokens.refresh_token().is_none(), true)?;
        equal(self.active(tokens.access_token()).await?, true)?;
        self.is_accepted(&tokens).await
    }

    async fn wrong_secret(&self) -> Result<()> {
        let machine = self.client("demo-machine")?.set_client_secret(ClientSecret::new("wrong".to_owned()));
        refused(BasicErrorResponseType::InvalidClient, machine.exchange_client_credentials().request_async(&send).await)
    }

    async fn revoke(&self, token: StandardRevocableToken) -> Result<()> {
        Ok(self.client("demo-web")?.revoke_token(token)?.request_async(&send).await?)
    }

    async fn revokes_access(&self) -> Result<()> {
        let tokens = self.grant("demo-web").await?;
        self.revoke(tokens.access_token().into()).await?;
        equal(self.active(tokens.access_token()).await?, false)?;
        equal(call(self.demo.api("/notes")?.url()?, tokens.access_token().secret()).await?.as_u16(), 401)
    }

    async fn revokes_refresh(&self) -> Result<()> {
        let tokens = self.grant("demo-web").await?;
        let refresh = tokens.refresh_token().context("no refresh token")?;
        self.revoke(refresh.into()).await?;
        refused(BasicErrorResponseType::InvalidGrant, self.refresh(refresh).await)?;
        equal(self.active(tokens.access_token()).await?, false)
    }

    async fn denied(&self) -> Result<()> {
        let client = self.client("demo-web")?;
        let (challenge, _) = PkceCodeChallenge::new_random_sha256();
        let request = client.authorize_url(CsrfToken::new_random).add_scope(Scope::new("notes:read".to_owned()));
        let (url, state) = request.set_pkce_challenge(challenge).add_extra_param("prompt", "consent").url();
        let callback = Person::new(&self.demo)?.authorize(&url, Decision::Deny).await?;
        equal(parameter(&callback, "error")?, "access_denied")?;
        equal(&parameter(&callback, "state")?, state.secret())?;
        equal(&parameter(&callback, "iss")?, &self.demo.issuer)
    }
}

type LibraryError = oauth2::basic::BasicRequestTokenError<reqwest::Error>;

fn refused(wanted: BasicErrorResponseType, result: Result<BasicTokenResponse, LibraryError>) -> Result<()> {
    match result {
        Ok(_) => bail!("accepted, but {wanted:?} was expected"),
        Err(RequestTokenError::ServerResponse(response)) => equal(response.error(), &wanted),
        Err(why) => Err(why.into()),
    }
}
