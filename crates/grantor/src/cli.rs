//! The command line.

use crate::command::token::{Token, TokenCommand};
use crate::command::{self, program};
use crate::config::{Configuration, Flags};
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::output::Output;
use clap::{Args, Parser, Subcommand};
use grantor_protocol::value::TenantName;
use std::path::PathBuf;

/// An OAuth 2.1 and OpenID Connect authorization server in one binary.
///
/// Begin with `grantor demo`: a server to try everything on. `grantor serve` is the real one.
#[derive(Debug, Parser)]
#[command(name = "grantor", version, max_term_width = 110, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command knows. Most of it is for those that work on a server's data; `login` and its kin ask over HTTP.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", env = "GRANTOR_CONFIG", help_heading = DATA)]
    config: Option<PathBuf>,
    /// The data directory [default: grantor-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = DATA)]
    pub(crate) data: Option<PathBuf>,
    /// The URL of a PostgreSQL database, in the place of the file in the data directory
    #[arg(long, global = true, value_name = "URL", help_heading = DATA)]
    database: Option<String>,
    /// JSON on standard output, for programs
    #[arg(long, global = true, help_heading = "Everywhere")]
    json: bool,
    /// The tenant, where it matters [default: default]
    #[arg(long, global = true, value_name = "NAME", value_parser = parse_tenant, help_heading = DATA)]
    tenant: Option<TenantName>,
}

/// The heading of options that say where the data of a server are.
const DATA: &str = "For commands on the data of a server";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(command::serve::Serve),
    /// Sign in at an authorization server, and keep what it allows
    Login(program::Login),
    /// Run a command with an access token in its environment
    Exec(program::Exec),
    /// Send a request to an API, with the access token
    Curl(program::Curl),
    /// Say who is signed in
    Whoami(program::Whoami),
    /// Take back what was allowed, and forget it
    Logout(program::Logout),
    /// Run a server to try things on, with users, clients and an API, that leaves nothing behind
    Demo(command::demo::Demo),
    /// Make the store look as a manifest says: tenants, APIs, clients, users, policies
    Apply(command::apply::Apply),
    /// Print the store as a manifest, secrets and passwords as hashes
    Export(command::export::Export),
    /// Programs that obtain tokens
    #[command(subcommand)]
    Client(command::client::Client),
    /// Resource servers: audiences, scopes, roles
    #[command(subcommand)]
    Api(command::api::Api),
    /// People who sign in
    #[command(subcommand)]
    User(command::user::User),
    /// Signing and sealing keys
    #[command(subcommand)]
    Key(command::key::Key),
    /// Print a good access token; or look at one, or take it back
    Token(command::token::TokenCommand),
    /// What users allowed to clients
    #[command(subcommand)]
    Grant(command::grant::Grant),
    /// Print the audit log as JSON lines
    Audit(command::audit::Audit),
    /// Saved requests of the token desk, as files
    #[command(subcommand)]
    Collection(command::collection::Collection),
    /// The configuration
    #[command(subcommand)]
    Config(command::config::Config),
    /// Ask the server of this configuration whether it is ready for requests
    Health(command::health::Health),
    /// Copy everything into a new file, while the server runs
    Backup(command::backup::Backup),
    /// Put a copy in the place of the database, so that nothing that was taken back since comes back to life
    Restore(command::restore::Restore),
    /// Bring the schema of a PostgreSQL database up to date, while servers run
    Migrate(command::migrate::Migrate),
}

impl Cli {
    /// How the command answers.
    pub(crate) fn output(&self) -> Output {
        Output { json: self.global.json }
    }

    /// Carries the command out.
    pub(crate) async fn run(self) -> Result<()> {
        let Global { config, data, database, json, tenant } = self.global;
        let mut flags = Flags { config, data, database, ..Flags::default() };
        let output = Output { json };
        if let Command::Demo(demo) = self.command {
            return demo.run(flags.data, output).await;
        }
        if let Command::Collection(collection) = self.command {
            return collection.run(output);
        }
        // Those of programs: a server's configuration is nothing to them.
        let Some(command) = program::run(self.command, output).await? else { return Ok(()) };
        if let Command::Serve(serve) = &command {
            serve.flags(&mut flags);
        }
        let configuration = Configuration::of_this_process(&flags)?;
        let context = Context { configuration, output, tenant };
        match command {
            Command::Demo(_)
            | Command::Collection(_)
            | Command::Login(_)
            | Command::Exec(_)
            | Command::Curl(_)
            | Command::Whoami(_)
            | Command::Logout(_)
            | Command::Token(TokenCommand { with: None, .. }) => Err(Failure::usage("this has its own way")),
            Command::Serve(command) => command.run(context).await,
            Command::Apply(command) => command.run(&context).await,
            Command::Export(command) => command.run(&context).await,
            Command::Client(command) => command.run(&context).await,
            Command::Api(command) => command.run(&context).await,
            Command::User(command) => command.run(&context).await,
            Command::Key(command) => command.run(&context).await,
            Command::Token(TokenCommand { with: Some(command), .. }) => Token::run(command, &context).await,
            Command::Grant(command) => command.run(&context).await,
            Command::Audit(command) => command.run(&context).await,
            Command::Config(command) => command.run(&context),
            Command::Health(command) => command.run(&context).await,
            Command::Backup(command) => command.run(&context).await,
            Command::Restore(command) => command.run(&context).await,
            Command::Migrate(command) => command.run(&context).await,
        }
    }
}

fn parse_tenant(raw: &str) -> Result<TenantName, String> {
    TenantName::parse(raw).ok_or_else(|| "1 to 63 of a-z, 0-9 and inner hyphens".to_owned())
}
