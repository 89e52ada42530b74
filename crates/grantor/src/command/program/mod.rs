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
mod sign_in;

pub(crate) use curl::Curl;
pub(crate) use exec::Exec;
pub(crate) use login::{Login, Logout, Whoami};
pub(crate) use print::Print;

use crate::cli::Command;
use crate::command::token::TokenCommand;
use crate::failure::{Failure, Result};
use crate::output::Output;
use grantor_client::{Error, StoreError};

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
            Error::SignInAgain(_) => Some("grantor login"),
            Error::Store(StoreError::Keyring(_)) => {
                Some("where there is no keyring, --token-store file keeps tokens in a file that only you can read")
            }
            Error::NoMetadata { .. } => Some("is the issuer right, down to the last slash?"),
            Error::Refused(refused) if refused.code == "invalid_client" => {
                Some("is the client registered there, and does it prove who it is in the way that was registered?")
            }
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
