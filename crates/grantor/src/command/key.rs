//! stub
use crate::failure::Result;
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Key {
    List,
}
impl Key {
    pub(crate) async fn run(self, _c: &crate::cli::Context) -> Result<()> {
        Ok(())
    }
}
