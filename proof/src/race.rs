//! The races of the contract suite, with two nodes: each racer is a client of one of them.

use crate::common::report::Report;
use crate::common::stores::{Backend, Pair};
use anyhow::{Result, anyhow};
use clap::Args;
use grantor_store::Store;
use grantor_store::contract::{TwoNodes, races};
use std::any::Any;
use std::pin::Pin;
use std::process::{Command, ExitCode};
use std::sync::Arc;

/// The variable by which the contract suite is told how often to run each race.
const ROUNDS: &str = "GRANTOR_RACE_ROUNDS";

/// `grantor-proof race`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    store: Backend,
    /// How often each race is run
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    /// Only these, by name and separated by commas; all without
    #[arg(long, value_delimiter = ',', value_parser = known)]
    only: Vec<&'static str>,
}

type Race = fn(Arc<dyn Store>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! races {
    ($($name:ident,)*) => {
        [$((stringify!($name), |store| Box::pin(races::$name(store)))),*]
    };
}

/// Every race of the suite.
const RACES: [(&str, Race); 19] = races![
    rfc6749_4_1_2_one_of_many_redemptions_is_fresh,
    rfc8628_3_4_one_of_many_polls_is_given_the_grant,
    rfc9700_4_14_2_one_of_many_refreshes_rotates,
    rfc9700_4_14_2_without_grace_many_refreshes_revoke,
    rfc7009_2_1_a_revoke_beats_every_refresh,
    one_of_many_revokes_finds_the_grant_standing,
    revoking_all_counts_every_grant_once,
    rfc7009_2_a_revoked_token_is_never_seen_standing,
    one_of_many_remembers,
    many_sessions_replace_one,
    closing_all_sessions_spares_none_that_was_open,
    many_consents_add_up,
    one_of_many_changes_wins,
    the_directory_is_read_as_of_one_moment,
    one_of_many_users_gets_the_name,
    every_event_is_kept,
    expiry_spares_what_lives,
    the_latest_of_many_uses_stays,
    no_use_outlives_its_client,
];

/// The name of a race, or which there are.
fn known(name: &str) -> Result<&'static str, String> {
    let names = RACES.map(|(name, _)| name);
    let all = || format!("there is no race of this name, but {}", names.join(", "));
    names.into_iter().find(|known| *known == name).ok_or_else(all)
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let rounds = arguments.rounds.to_string();
    // The environment of a running program stays as it is; so this one runs itself again.
    if std::env::var(ROUNDS).as_deref() != Ok(&rounds) {
        let status =
            Command::new(std::env::current_exe()?).args(std::env::args_os().skip(1)).env(ROUNDS, rounds).status()?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    // What a racer says when it gives up is part of the report.
    std::panic::set_hook(Box::new(|_| {}));
    let mut report = Report::default();
    let wanted = |name| arguments.only.is_empty() || arguments.only.contains(&name);
    for (name, race) in RACES.into_iter().filter(|(name, _)| wanted(name)) {
        let pair = Pair::open(arguments.store).await?;
        let ended = tokio::spawn(race(Arc::new(TwoNodes::by_task(pair.nodes.clone())))).await;
        let found = ended.map_err(|why| why.try_into_panic().map_or(anyhow!("cancelled"), |panic| said(&*panic)));
        report.check(&format!("race on {}, {rounds} rounds: {name}", arguments.store.name()), found);
    }
    Ok(report.finish())
}

fn said(panic: &(dyn Any + Send)) -> anyhow::Error {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    anyhow!("{}", text.unwrap_or("it panicked").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_race_that_is_not_there_is_not_run_in_silence() {
        assert_eq!(known("one_of_many_remembers"), Ok("one_of_many_remembers"));
        assert!(known("one_of_many").unwrap_err().contains("one_of_many_remembers"));
    }

    #[test]
    fn every_race_of_the_contract_is_run() {
        let contract = include_str!("../../crates/store/src/contract.rs");
        let (_, races) = contract.split_once("            races::{\n").unwrap();
        let (races, _) = races.split_once("            }\n").unwrap();
        let wanted: Vec<_> = races.lines().map(|line| line.trim().trim_end_matches(',')).collect();
        assert_eq!(RACES.map(|(name, _)| name).to_vec(), wanted);
    }
}
