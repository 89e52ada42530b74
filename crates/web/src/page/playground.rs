//! The playground: every step of a flow, and what a token says. What they show is made in the browser.

use serde::Serialize;

use super::page;

/// Walks through the flows of one issuer.
#[derive(Debug, Clone, Serialize)]
pub struct Playground {
    /// The issuer identifier.
    pub issuer: String,
    /// What stands before the path of every page and endpoint of the issuer on this origin.
    pub base: String,
    /// Where authorization responses arrive: what a client needs among its `redirect_uris`.
    pub redirect_uri: String,
    /// Whether there is a token desk to put tokens on.
    pub desk: bool,
    /// The way to other servers, where there is one.
    pub relay: Option<PlaygroundRelay>,
    /// What is filled in at a demo.
    pub demo: Option<PlaygroundDemo>,
}

/// Whom a page may ask through its server.
#[derive(Debug, Clone, Serialize)]
pub struct PlaygroundRelay {
    /// Where the page asks, as a path.
    pub at: String,
    /// The origins that are passed on to.
    pub origins: Vec<String>,
    /// Whether every port of this machine is, too.
    pub loopback: bool,
}

/// What a demo has to play with.
#[derive(Debug, Clone, Serialize)]
pub struct PlaygroundDemo {
    /// The client that acts for a user.
    pub client_id: String,
    /// What it asks for.
    pub scope: String,
    /// The client that attacks are tried on.
    pub victim: String,
    /// The URL of an API.
    pub api: String,
    /// The client that acts for itself.
    pub machine: String,
    /// What that one asks for.
    pub machine_scope: String,
    /// Clients for each way to prove who one is, with what they prove it by: an array in JSON.
    pub clients: String,
}

/// Where the authorization response arrives: its script hands it to the playground, and the page shows nothing of it.
#[derive(Debug, Clone, Serialize)]
pub struct PlaygroundCallback {
    /// Link to the playground.
    pub playground: String,
}

/// Says what a token is.
#[derive(Debug, Clone, Serialize)]
pub struct TokenInspector {
    /// The issuer identifier.
    pub issuer: String,
    /// Link to the playground.
    pub playground: String,
    /// The way to other servers, where there is one.
    pub relay: Option<PlaygroundRelay>,
}

page!(Playground, "playground.html");
page!(PlaygroundCallback, "playground-callback.html");
page!(TokenInspector, "token-inspector.html");
