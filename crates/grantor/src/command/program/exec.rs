//! `grantor exec -- COMMAND`: a program that knows nothing of tokens gets one.

use super::options::{Options, Which};
use super::ready::Ready;
use crate::failure::{Failure, Result};
use clap::Args;
use grantor_client::TokenType;
use std::ffi::OsString;
use std::process::Command;

#[derive(Debug, Args)]
#[command(after_help = "For example:
  grantor exec -- ./backup.sh
  grantor exec --env API_TOKEN -- make release")]
pub(crate) struct Exec {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    options: Options,
    /// The variable that holds the token
    #[arg(long, value_name = "NAME", default_value = "GRANTOR_TOKEN")]
    env: String,
    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Exec {
    /// The token is in the environment alone: what stands in a command line everybody on the machine can read.
    pub(crate) async fn run(self) -> Result<()> {
        if self.env.is_empty() || self.env.contains(['=', '\0']) {
            return Err(Failure::usage(format!("{:?} is no name of a variable", self.env)));
        }
        let (program, arguments) = self.command.split_first().ok_or_else(|| Failure::usage("give a command"))?;
        let ready = Ready::of(&self.which, self.options).await?;
        let grant = ready.grant().await?;
        if grant.tokens.token_type == TokenType::Dpop {
            return Err(Failure::new(
                "the token is bound to a key that stays here: another program can do nothing with it",
            )
            .hint("grantor curl sends requests with it".to_owned()));
        }
        let mut command = Command::new(program);
        command.args(arguments).env(&self.env, grant.tokens.access_token.expose());
        instead(command).map_err(|error| Failure::new(format!("cannot run {}: {error}", program.display())))
    }
}

/// In the place of this process: signals, the terminal and the exit code are the command's own.
#[cfg(unix)]
fn instead(mut command: Command) -> std::io::Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

#[cfg(not(unix))]
fn instead(mut command: Command) -> std::io::Result<()> {
    let code = command.status()?.code().unwrap_or(1);
    std::process::exit(code)
}
