//! stub
use crate::failure::Result;
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {}
impl Serve {
    pub(crate) fn flags(&self, _f: &mut crate::config::Flags) {}
    pub(crate) async fn run(self, _c: crate::cli::Context) -> Result<()> {
        Ok(())
    }
}
