//! stub
use crate::failure::Result;
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {}
impl Demo {
    pub(crate) async fn run(self, _d: Option<std::path::PathBuf>, _o: crate::output::Output) -> Result<()> {
        Ok(())
    }
}
