// A flow as a program in Rust, with grantor-client.

import { rust as text } from "./snippets-quote.js";

/** @import { Shape } from "./snippets.js" */

/** @param {Shape} shape */
export function rust(shape) {
  const { flow, method, call: { method: how, url, body } } = shape;
  const values = ["ClientId", ...(shape.scope === "" ? [] : ["Scope"]), ...(method === "none" && flow !== "refresh" ? [] : ["Secret"])];
  const proof = { none: "Authentication::None", client_secret_basic: "Authentication::SecretBasic(secret)", client_secret_post: "Authentication::SecretPost(secret)" }[method];
  const ask = shape.scope === "" ? "Ask::default()" : `Ask { scope: Scope::parse(${text(shape.scope)}).ok_or("no scope")?, ..Ask::default() }`;
  const content = body === "" ? "" : `.header("Content-Type", "text/plain;charset=UTF-8").body(${text(body)})`;
  return [
    "// The crates of Grantor's repository grantor-client and grantor-protocol, and: cargo add tokio --features macros,rt-multi-thread",
    "use grantor_client::{Ask, Authentication, Client, Http, Issuer, TokenSource, discover};",
    `use grantor_protocol::value::${values.length === 1 ? values[0] : `{${values.join(", ")}}`};`,
    ...(flow === "code" ? ["use std::time::Duration;"] : []),
    "",
    "#[tokio::main]",
    "async fn main() -> Result<(), Box<dyn std::error::Error>> {",
    "    let http = Http::new()?;",
    `    let provider = discover(&http, &Issuer::parse(${text(shape.issuer)}).ok_or("no issuer")?).await?;`,
    ...(method === "none" ? [] : [`    let secret = Secret::new(std::env::var("CLIENT_SECRET")?);`]),
    `    let id = ClientId::parse(${text(shape.clientId)}).ok_or("no client ID")?;`,
    `    let client = Client::new(provider, id, ${proof}, http.clone());`,
    `    let ask = ${ask};`,
    "",
    ...FLOWS[flow],
    "",
    `    let called = source.send(http.reqwest().${how.toLowerCase()}(${text(url)})${content}).await?;`,
    `    println!("{} {}", called.status(), called.text().await?);`,
    "    Ok(())",
    "}",
    "",
  ].join("\n");
}

const FLOWS = {
  code: [
    "    // PKCE, state, iss and the ID token are checked without being asked for.",
    `    let open = |url: &_| println!("Open this in a browser: {url}");`,
    "    let grant = client.sign_in(&ask, Duration::from_secs(300), open).await?;",
    "    // From here on the token is renewed before it ends.",
    "    let source = TokenSource::of(client, grant).await?;",
  ],
  client: ["    // It asks when it is needed, and again before the token ends.", "    let source = TokenSource::client_credentials(client, ask);"],
  refresh: [
    `    let refresh_token = Secret::new(std::env::var("REFRESH_TOKEN")?);`,
    "    let grant = client.adopt(refresh_token, &ask).await?;",
    "    // A new refresh token may have come in its place: the source has it.",
    "    let source = TokenSource::of(client, grant).await?;",
  ],
};
