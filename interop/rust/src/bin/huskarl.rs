//! crates.io `huskarl`: DPoP (RFC 9449) wherever a key can be proved, pushed and signed requests, signed answers.

use anyhow::{Context, Result, bail};
use grantor_interop::apply::apply;
use grantor_interop::demo::Demo;
use grantor_interop::http::{call, client, post};
use grantor_interop::person::{Decision, Person, REDIRECT_URI, parameter};
use grantor_interop::report::{Report, equal};
use huskarl::authorizer::{HttpAuthorizer, dpop_resend_advised};
use huskarl::cache::{GrantTokenSource, InMemoryRefreshTokenStore, InMemoryTokenCache, NoSource};
use huskarl::core::client_auth::{Audience, ClientAuthentication, JwtBearer, NoAuth};
use huskarl::core::dpop::DPoP;
use huskarl::core::server_metadata::AuthorizationServerMetadata;
use huskarl::grant::authorization_code::{
    AuthorizationCodeGrant, CompleteInput, CompleteOutput, ResponseMode, StartInput,
};
use huskarl::grant::client_credentials::{ClientCredentialsGrant, ClientCredentialsGrantParameters};
use huskarl::grant::core::TokenResponse;
use huskarl::grant::refresh::RefreshGrantParameters;
use huskarl::prelude::*;
use huskarl::userinfo::UserInfoClient;
use huskarl_crypto_native::asymmetric::signer::{GenerateAlgorithm, PrivateKey};
use huskarl_reqwest::ReqwestClient;
use oauth2::http::{Method, StatusCode, Uri};
use serde_json::{Value, json};
use std::process::ExitCode;
use url::Url;

const SCOPE: &str = "vault:open";
const AUDIENCE: &str = "https://vault.example/";

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut report = Report::default();
    let suite = Suite::new().await?;
    for (name, algorithm) in [
        ("ES256", GenerateAlgorithm::Es256),
        ("EdDSA", GenerateAlgorithm::Ed25519),
        ("PS256", GenerateAlgorithm::Ps256 { modulus_length: 2048 }),
    ] {
        let name = format!("DPoP with {name}: client credentials by private_key_jwt");
        report.check(&name, suite.for_itself(algorithm)).await;
    }
    let user = suite.public_user().await?;
    report.check("DPoP: a public client, pushed; the ID token holds", user.signed_in()).await;
    report.check("DPoP: userinfo", user.userinfo()).await;
    report.check("DPoP: an API, by the library's own headers, with the nonce of the server", user.calls()).await;
    report.check("a bound token as Bearer is refused", user.as_bearer()).await;
    report.check("DPoP: refresh, bound to the key", user.refreshes()).await;
    report.check("FAPI 2.0: private_key_jwt, PAR, DPoP", suite.fapi("vault-fapi", None)).await;
    report
        .check("FAPI 2.0 Message Signing: JAR and JARM besides", suite.fapi("vault-signed", Some(ResponseMode::Jwt)))
        .await;
    Ok(report.finish())
}

struct Suite {
    demo: Demo,
    http: ReqwestClient,
    metadata: AuthorizationServerMetadata,
    person: Person,
    key: PrivateKey,
}

/// A user's tokens at a public client.
struct Session<'a> {
    suite: &'a Suite,
    grant: AuthorizationCodeGrant,
    completed: CompleteOutput,
}

impl Suite {
    async fn new() -> Result<Self> {
        let demo = Demo::given()?;
        let key = new_key(GenerateAlgorithm::Es256)?;
        apply(&demo, &manifest(&key)?, SCOPE).await?;
        let http = ReqwestClient::builder().build().await?;
        let metadata =
            AuthorizationServerMetadata::fetch().http_client(&http).issuer(demo.issuer.as_str()).call().await?;
        let person = Person::new(&demo)?;
        Ok(Self { demo, http, metadata, person, key })
    }

    fn signs(&self) -> JwtBearer {
        JwtBearer::builder().signer(self.key.clone()).audience(Audience::Issuer).build()
    }

    async fn for_itself(&self, algorithm: GenerateAlgorithm) -> Result<()> {
        let dpop = DPoP::builder().signer(new_key(algorithm)?).build();
        let grant = ClientCredentialsGrant::builder_from_metadata(&self.metadata)
            .client_id("vault-machine")
            .http_client(self.http.clone())
            .client_auth(self.signs())
            .dpop(dpop)
            .build();
        let parameters = ClientCredentialsGrantParameters::builder().scope(vec![SCOPE.to_owned()]).build();
        let tokens = grant.exchange(parameters).await?;
        let said = self.introspect(&tokens).await?;
        equal(said.get("client_id"), Some(&json!("vault-machine")))?;
        self.is_bound(&tokens, &said)
    }

    async fn introspect(&self, tokens: &TokenResponse) -> Result<Value> {
        let token = tokens.access_token().token().expose_secret();
        Ok(post(&self.demo, "demo-notes-api", "introspect", &[("token", token)]).await?.body)
    }

    /// The token names the key that the library signs with.
    fn is_bound(&self, tokens: &TokenResponse, said: &Value) -> Result<()> {
        let key = tokens.access_token().dpop_jkt().context("not bound")?;
        equal(said.pointer("/cnf/jkt"), Some(&json!(key)))?;
        equal(said.get("token_type"), Some(&json!("DPoP")))
    }

    async fn code_grant(
        &self,
        id: &str,
        auth: impl ClientAuthentication + 'static,
        mode: Option<ResponseMode>,
    ) -> Result<AuthorizationCodeGrant> {
        let builder = AuthorizationCodeGrant::builder_from_metadata(&self.metadata)?
            .client_id(id)
            .http_client(self.http.clone())
            .client_auth(auth)
            .redirect_uri(REDIRECT_URI)
            .maybe_response_mode(mode)
            .dpop(DPoP::builder().signer(new_key(GenerateAlgorithm::Es256)?).build());
        Ok(match mode {
            Some(_) => builder.jar(self.key.clone()).build().await?,
            None => builder.build().await?,
        })
    }

    /// The whole flow: the request is pushed, because the server takes that.
    async fn complete(&self, grant: &AuthorizationCodeGrant, scope: &str) -> Result<CompleteOutput> {
        let scope = scope.split(' ').map(str::to_owned).collect();
        let started = grant.start(StartInput::scope(scope)).await?;
        let url = Url::parse(&started.authorization_url.to_string())?;
        parameter(&url, "request_uri")?;
        let callback = self.person.authorize(&url, Decision::Allow).await?;
        let input = CompleteInput::builder_from_callback(callback.as_str())?.build();
        Ok(grant.complete(&started.pending_state, input).await?)
    }

    async fn public_user(&self) -> Result<Session<'_>> {
        let grant = self.code_grant("demo-public", NoAuth, None).await?;
        let completed = self.complete(&grant, "openid email offline_access notes:read").await?;
        Ok(Session { suite: self, grant, completed })
    }

    async fn fapi(&self, id: &str, mode: Option<ResponseMode>) -> Result<()> {
        let grant = self.code_grant(id, self.signs(), mode).await?;
        let completed = self.complete(&grant, "openid offline_access vault:open").await?;
        equal(completed.id_token.context("no ID token")?.sub.as_ref(), Some(&self.demo.alice()?.sub))?;
        let said = self.introspect(&completed.token_response).await?;
        self.is_bound(&completed.token_response, &said)
    }
}

impl Session<'_> {
    async fn signed_in(&self) -> Result<()> {
        let id_token = self.completed.id_token.as_ref().context("no ID token")?;
        equal(id_token.sub.as_ref(), Some(&self.suite.demo.alice()?.sub))?;
        let tokens = &self.completed.token_response;
        self.suite.is_bound(tokens, &self.suite.introspect(tokens).await?)
    }

    /// With a token for the userinfo endpoint, which is no API.
    async fn userinfo(&self) -> Result<()> {
        let completed = self.suite.complete(&self.grant, "openid email").await?;
        let sub = &self.suite.demo.alice()?.sub;
        let userinfo = UserInfoClient::builder_from_grant(&self.grant, &self.suite.metadata)?.build().await?;
        let user = userinfo.get(&self.suite.http, completed.token_response.access_token(), sub).await?;
        equal(&user.sub, sub)
    }

    async fn calls(&self) -> Result<()> {
        let completed = self.suite.complete(&self.grant, "openid offline_access notes:read").await?;
        let source = GrantTokenSource::builder()
            .grant(self.grant.clone())
            .grant_parameters(NoSource)
            .refresh_store(InMemoryRefreshTokenStore::default())
            .build();
        source.prime(completed.token_response).await?;
        let cache = InMemoryTokenCache::builder().source(source).build();
        let authorizer = HttpAuthorizer::builder().cache(cache).build();
        let url = self.suite.demo.api("/notes")?.url()?;
        let uri: Uri = url.parse()?;
        for _ in 0..2 {
            let headers = authorizer.get_headers(&Method::GET, &uri).await?;
            let response = client().get(url).headers(headers).send().await?;
            authorizer.process_response(&uri, response.headers());
            if !dpop_resend_advised(response.status(), response.headers()) {
                return equal(response.status(), StatusCode::OK);
            }
        }
        bail!("asked for a nonce again and again")
    }

    async fn as_bearer(&self) -> Result<()> {
        let token = self.completed.token_response.access_token().token().expose_secret();
        equal(call(self.suite.demo.api("/notes")?.url()?, token).await?, StatusCode::UNAUTHORIZED)
    }

    async fn refreshes(&self) -> Result<()> {
        let token = self.completed.token_response.refresh_token().context("no refresh token")?;
        equal(token.dpop_jkt().is_some(), true)?;
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.token().expose_secret())];
        let unproved = post(&self.suite.demo, "demo-public", "token", &form).await?;
        equal(unproved.text("error").as_deref(), Some("invalid_grant"))?;
        let parameters = RefreshGrantParameters::refresh_token(token.clone());
        let next = self.grant.to_refresh_grant().exchange(parameters).await?;
        self.suite.is_bound(&next, &self.suite.introspect(&next).await?)
    }
}

fn new_key(algorithm: GenerateAlgorithm) -> Result<PrivateKey> {
    Ok(PrivateKey::generate(algorithm, Some(format!("key-{}", fastrand::u32(..))))?)
}

/// The clients of this suite, with the key that they sign with.
fn manifest(key: &PrivateKey) -> Result<Value> {
    let jwks = json!({ "keys": [serde_json::to_value(key.as_private_jwk().public_jwk())?] });
    let signs = |id: &str, more: Value| {
        let mut client = json!({
            "client_id": id, "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks, "dpop_bound_access_tokens": true,
        });
        if let (Some(client), Value::Object(more)) = (client.as_object_mut(), more) {
            client.extend(more);
        }
        client
    };
    let user = |profile: &str| {
        json!({
            "profile": profile, "redirect_uris": [REDIRECT_URI], "application_type": "native",
            "grant_types": ["authorization_code", "refresh_token"], "id_token_signed_response_alg": "ES256",
            "authorization_signed_response_alg": "ES256",
        })
    };
    let ceilings = ["vault-machine", "vault-fapi", "vault-signed"].map(|id| json!({ "client_id": id, "scope": SCOPE }));
    Ok(json!({
        "apis": [{
            "audience": AUDIENCE, "name": "Vault", "scopes": [{ "name": SCOPE }], "resource_servers": ["demo-notes-api"],
            "ceilings": ceilings, "token": { "binding": "dpop" },
        }],
        "clients": [
            signs("vault-machine", json!({ "grant_types": ["client_credentials"] })),
            signs("vault-fapi", user("fapi2")),
            signs("vault-signed", user("fapi2-message-signing")),
        ],
    }))
}
