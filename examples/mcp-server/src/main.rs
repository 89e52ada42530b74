//! An MCP server whose tools want scopes, with `grantor-resource` in front. README.md says how to run it.
//!
//! MCP has one address for all tools, and so what a request needs stands in its body: whoever reads at all needs
//! `notes:read`, which the layer of the route wants; a call of a tool that writes goes through a second layer, which
//! wants `notes:write` too. A client that has not got it is told so with 403 and the scope that would do, and comes back
//! with a better token (MCP authorization, "Scope Challenge Handling").

mod doors;
mod notes;

use axum::Router;
use axum::routing::any;
use doors::Doors;
use grantor_resource::{Api, Fetcher, Introspection, Requirement, Settings};
use http::header::{HeaderName, WWW_AUTHENTICATE};
use notes::Notes;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::env;
use std::error::Error;
use std::io::IsTerminal as _;
use std::sync::Arc;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).with_writer(std::io::stderr);
    log.with_ansi(std::io::stderr().is_terminal()).init();
    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3002".to_owned());
    let listener = tokio::net::TcpListener::bind(&listen).await?;
    axum::serve(listener, router(&api()?)).await?;
    Ok(())
}

/// Who issues the tokens, and who we are to it.
fn api() -> Result<Api, Box<dyn Error>> {
    let issuer = env::var("ISSUER").unwrap_or_else(|_| "http://localhost:8080".to_owned());
    let audience = env::var("AUDIENCE").unwrap_or_else(|_| "http://localhost:3002/mcp".to_owned());
    let mut api = Api::builder(&issuer, &audience).scopes("notes:read notes:write").name("Notes");
    // A client of the issuer's that may ask about our tokens: then what is taken back is refused at once.
    if let Ok(secret) = env::var("INTROSPECTION_SECRET") {
        api = api.introspection(Introspection::with_secret("notes-mcp", &secret).cached_for(0));
    }
    // An issuer in a network of your own, with a certificate of your own authority.
    if let Ok(file) = env::var("ISSUER_CA") {
        let extra_roots = CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?;
        let allowed_networks = vec!["127.0.0.0/8".parse()?, "::1/128".parse()?];
        api = api.fetcher(Fetcher::new(Settings { extra_roots, allowed_networks })?);
    }
    Ok(api.build()?)
}

fn router(api: &Api) -> Router {
    let notes = Notes::default();
    // Without sessions: every request stands for itself, with its own token, and nobody can take over another's session.
    let config = StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    let mcp = StreamableHttpService::new(move || Ok(notes.clone()), Arc::new(NeverSessionManager::default()), config);
    let tools = Router::new().fallback_service(mcp);
    let doors = Doors {
        // Both scopes, since the route wants the other one anyway: one challenge has to name all that is needed.
        write: tools.clone().layer(api.require(Requirement::scope("notes:read notes:write"))),
        read: tools,
    };
    let route = any(doors::choose).with_state(doors).layer(api.require(Requirement::scope("notes:read")));
    // Outside of all that asks for a token: browsers ask first (CORS), and have none then.
    let browsers = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(Any)
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([WWW_AUTHENTICATE, HeaderName::from_static("mcp-session-id")]);
    Router::new().route("/mcp", route).layer(api.metadata_layer()).layer(browsers)
}
