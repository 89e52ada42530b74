//! A command line tool whose user signs in once. README.md has the line that runs it.

use grantor_client::{Ask, Authentication, Client, Error, FileStore, Http, Issuer, Name, TokenSource, discover};
use grantor_protocol::value::{ClientId, Scope};
use std::sync::Arc;
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: cli ISSUER CLIENT_ID API");
    let issuer = Issuer::parse(&next()?).ok_or("no issuer")?;
    let id = ClientId::parse(&next()?).ok_or("no client_id")?;
    let api = next()?;

    let http = Http::new()?;
    let provider = discover(&http, &issuer).await?;
    let client = Client::new(provider, id, Authentication::None, http.clone());

    // A real tool takes the keyring: `KeyringStore`.
    let store = Arc::new(FileStore::open(std::env::temp_dir().join("grantor-example"))?);
    let name = Name::parse("example").ok_or("no name")?;
    let source = TokenSource::stored(client.clone(), store, name);

    // Signed in already, by an earlier run? Then the token is renewed by itself.
    if let Err(Error::SignInAgain(why)) = source.grant().await {
        eprintln!("{why}");
        let scope = Scope::parse("openid profile offline_access notes:read").ok_or("no scope")?;
        let ask = Ask { scope, ..Ask::default() };
        let open = |url: &_| eprintln!("Sign in here: {url}");
        source.keep(client.sign_in(&ask, Duration::from_mins(5), open).await?).await?;
    }
    let response = source.send(http.reqwest().get(api)).await?;
    println!("{}\n{}", response.status(), response.text().await?);
    Ok(())
}
