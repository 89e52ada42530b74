//! `grantor migrate`.

use super::{count, count_u64};
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::open;
use clap::Args;
use grantor_store_postgres::migrate::{self, Kind, MIGRATIONS, Pending, Report};
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let Some(cluster) = &context.configuration.cluster else {
            return Err(Failure::usage("there is nothing to migrate without a PostgreSQL database").hint(
                "a file in the data directory is brought up to date by whatever opens it; give --database".to_owned(),
            ));
        };
        let client = open::client(cluster).await?;
        let pending =
            migrate::pending(&client, MIGRATIONS).await.map_err(|error| open::schema_failure(cluster, &error))?;
        let output = context.output;
        if self.dry_run {
            for pending in &pending {
                output.say(for_people(pending))?;
            }
            output.say(match pending.len() {
                0 => "The schema is up to date.".to_owned(),
                steps => format!("Would carry out {}.", count(steps, "statement")),
            })?;
            return output.value(|| json!({ "pending": pending.iter().map(for_programs).collect::<Vec<_>>() }));
        }
        let mut waited = false;
        let completed = open::migrate_schema(cluster, &mut |report| match report {
            Report::Waiting if !waited => {
                waited = true;
                eprintln!("Another node migrates: waiting for it.");
            }
            Report::Waiting => {}
            Report::Begins { migration, statement } => {
                eprintln!("{migration:04} {}", statement.sql.lines().next().unwrap_or_default());
            }
            Report::Filled { migration, rows } => eprintln!("{migration:04} {}", count_u64(rows, "row")),
            Report::Complete { migration } => eprintln!("{:04} {} is complete.", migration.number, migration.name),
        })
        .await?;
        output.say(match completed {
            0 => "The schema is up to date.".to_owned(),
            _ => format!("Completed {}.", count(completed, "migration")),
        })?;
        output.value(|| json!({ "completed": completed }))
    }
}

fn for_people(pending: &Pending) -> String {
    let statement = &pending.statement;
    let rows = statement.rows.as_ref().map(|_| format!(", {}", count_u64(pending.rows, "row"))).unwrap_or_default();
    let lock = statement.lock.as_ref().map(|lock| format!("; lock: {lock}")).unwrap_or_default();
    let steps = if statement.kind == Kind::Backfill { "; in steps" } else { "" };
    format!("-- {:04} {}{rows}{lock}{steps}\n{};\n", pending.migration, pending.name, statement.sql)
}

fn for_programs(pending: &Pending) -> Value {
    let statement = &pending.statement;
    json!({
        "migration": pending.migration,
        "name": pending.name,
        "sql": statement.sql,
        "lock": statement.lock,
        "rows": statement.rows.as_ref().map(|_| pending.rows),
        "in_steps": statement.kind == Kind::Backfill,
    })
}
