//! stub
use crate::failure::Result;
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Token {
    List,
}
impl Token {
    pub(crate) async fn run(self, _c: &crate::cli::Context) -> Result<()> {
        Ok(())
    }
}
