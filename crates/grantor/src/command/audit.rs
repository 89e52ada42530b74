//! `grantor audit`.

use crate::context::Context;
use crate::failure::{Context as _, Result};
use crate::open;
use crate::output::line;
use clap::Args;
use grantor_protocol::value::EventId;
use std::time::Duration;

/// How many events are read at once.
const PAGE: usize = 1000;

/// How long to wait for more.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Only what came after this event
    #[arg(long, value_name = "ID", value_parser = parse_event)]
    after: Option<EventId>,
    /// Wait for more
    #[arg(long, short)]
    follow: bool,
}

impl Audit {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let store = open::existing(&context.configuration).await?;
        let tenant = context.tenant();
        let mut after = self.after;
        loop {
            let events = store.events(&tenant, after, PAGE).await?;
            for event in &events {
                line(&serde_json::to_string(event).context(|| "write an event".to_owned())?)?;
                after = Some(event.id);
            }
            if events.len() < PAGE {
                if !self.follow {
                    return Ok(());
                }
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    _ = tokio::signal::ctrl_c() => return Ok(()),
                }
            }
        }
    }
}

fn parse_event(raw: &str) -> Result<EventId, String> {
    EventId::parse(raw).ok_or_else(|| "a UUID, as it stands in `id`".to_owned())
}
