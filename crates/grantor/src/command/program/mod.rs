//! For programs and for people at a terminal: `grantor login`, `token`, `exec`, `curl`, `whoami`, `logout`. They ask any
//! authorization server; no configuration and no store of one's own is needed.

mod curl;
mod exec;
mod login;
mod options;
mod place;
mod print;
mod profile;
mod progress;
mod ready;
mod screen;
mod sign_in;

pub(crate) use curl::Curl;
pub(crate) use exec::Exec;
pub(crate) use login::{Login, Logout, Whoami};
pub(crate) use print::Print;

use crate::cli::Command;
use crate::command::token::TokenCommand;
use crate::failure::{Failure, Result};
use crate::output::Output;
use grantor_client::{Endpoint, Error, MetadataProblem, StoreError};

/// Carries the command out when it is one of these; gives any other back.
pub(crate) async fn run(command: Command, output: Output) -> Result<Option<Command>> {
    match command {
        Command::Login(login) => login.run(output).await?,
        Command::Logout(logout) => logout.run(output).await?,
        Command::Whoami(whoami) => whoami.run(output).await?,
        Command::Exec(exec) => exec.run().await?,
        Command::Curl(curl) => curl.run().await?,
        Command::Token(TokenCommand { with: None, print }) => print.run(output).await?,
        other => return Ok(Some(other)),
    }
    Ok(None)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let hint = match &error {
            Error::Store(StoreError::Keyring(_)) => {
                Some("where there is no keyring, --token-store file keeps tokens in a file that only you can read")
            }
            Error::Store(StoreError::Locked(_)) => {
                Some("unlock it and try again; where nobody can, --token-store file keeps tokens in a file")
            }
            Error::NoMetadata { .. } => Some("is the issuer right, down to the last slash?"),
            Error::Metadata(MetadataProblem::AnotherIssuer { .. }) => Some("write --issuer as the server does"),
            Error::Transport { .. } => {
                Some("does it run, and is the address right? --ca trusts a certificate that this system does not")
            }
            Error::Refused(refused) => match refused.code.as_str() {
                "invalid_client" => {
                    Some("is the client registered there, and does it prove who it is in the way that was registered?")
                }
                "invalid_scope" => Some("--scope says what the token is for, of what the server allows to this client"),
                "invalid_target" => Some("--resource names the API, as the server knows it (RFC 8707)"),
                "unauthorized_client" => Some("is the client registered for this grant type?"),
                _ => None,
            },
            Error::Unsupported(endpoint) if *endpoint == Endpoint::DeviceAuthorization.as_str() => {
                Some("without --device a browser of this machine is used")
            }
            Error::TimedOut(_) => Some("--device, where the browser is on another machine"),
            _ => None,
        };
        Self::new(error.to_string()).hint(hint.map(str::to_owned))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Error::Store(error).into()
    }
}
