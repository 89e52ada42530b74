//! `grantor token`: for scripts.

use super::options::{Options, Which};
use super::ready::Ready;
use crate::failure::Result;
use crate::output::{Output, line};
use clap::Args;
use grantor_client::TokenType;
use serde_json::json;

#[derive(Debug, Args)]
pub(crate) struct Print {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    options: Options,
}

impl Print {
    /// The token and nothing else, so that `$(grantor token)` is it.
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let ready = Ready::of(&self.which, self.options).await?;
        let grant = ready.grant().await?;
        if grant.tokens.token_type == TokenType::Dpop {
            eprintln!(
                "warning: this token is bound to a key that stays here; alone it is worth nothing (try grantor curl)"
            );
        }
        if output.json {
            return output.value(|| {
                json!({
                    "access_token": grant.tokens.access_token.expose(),
                    "token_type": grant.tokens.token_type.as_str(),
                    "expires_at": grant.tokens.expires,
                    "scope": grant.tokens.scope,
                })
            });
        }
        line(grant.tokens.access_token.expose())
    }
}
