//! What a demand needs of hardware.

use super::costs::Costs;
use super::people::Habits;
use crate::report::table;

/// A second, for each device.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rate {
    pub(crate) mean: f64,
    /// In the busiest hour.
    pub(crate) peak: f64,
}

/// What each device asks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demand {
    pub(crate) refreshes: Rate,
    pub(crate) codes: Rate,
    pub(crate) sign_ins: Rate,
    pub(crate) introspections: Rate,
}

/// A node has so many cores, and is this busy at the peak.
const CORES: f64 = 4.0;
const BUSY: f64 = 0.6;
/// A database is this busy at the peak.
const DATABASE_BUSY: f64 = 0.5;
/// The audit log is kept for so many days.
const KEPT: f64 = 90.0;
/// Clients and tenants that every node knows.
const CLIENTS: f64 = 100_000.0;

/// Said under the table.
pub(crate) const WORDS: &str = "A node has four cores and is 60 % busy in the busiest hour; a database is half as busy as it was \
measured to be able to be, on two shared cores and the disk above: a real database server takes several times that, and the \
number of shards falls with it. The audit log is kept for 90 days. Memory is that of a node that knows 100,000 clients.";

/// One column of the plan.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    name: String,
    users: f64,
    grants: f64,
    tokens: f64,
    introspections: f64,
    sign_ins: f64,
    writes: f64,
    nodes: f64,
    disk: f64,
    log: f64,
    memory: f64,
    shards: Option<f64>,
}

impl Scale {
    /// As many users as so many nodes serve.
    pub(crate) fn filling(name: &str, nodes: u32, costs: &Costs, demand: &Demand, habits: &Habits) -> Self {
        let (shared, cores) = (nodes > 1, f64::from(nodes) * CORES * BUSY);
        let by_processor = cores / cores_of_a_user(costs, demand, habits, shared);
        // One file has one writer, however many cores there are.
        let by_file =
            costs.sqlite * DATABASE_BUSY / (demand.refreshes.peak + demand.codes.peak) / habits.devices_of_a_user;
        let users = if shared { by_processor } else { by_processor.min(by_file) };
        Self::of(name, users, f64::from(nodes), shared, costs, demand, habits)
    }

    /// As many nodes as so many users need.
    pub(crate) fn serving(name: &str, users: u64, costs: &Costs, demand: &Demand, habits: &Habits) -> Self {
        let users = users as f64;
        let nodes = (users * cores_of_a_user(costs, demand, habits, true) / CORES / BUSY).ceil();
        Self::of(name, users, nodes, true, costs, demand, habits)
    }

    fn of(name: &str, users: f64, nodes: f64, shared: bool, costs: &Costs, demand: &Demand, habits: &Habits) -> Self {
        let grants = users * habits.devices_of_a_user;
        let machines = users * habits.machines_of_a_user / habits.machine_token;
        let tokens = grants * (demand.refreshes.peak + demand.codes.peak) + machines;
        // A rotation is a row; a code is two, its grant among them; each token is a line of the audit log as well.
        let writes = grants * (demand.refreshes.peak + 2.0 * demand.codes.peak + demand.sign_ins.peak) + tokens;
        let tokens_a_day = (grants * (demand.refreshes.mean + demand.codes.mean) + machines) * 86_400.0;
        let commits = grants * (demand.refreshes.peak + demand.codes.peak);
        Self {
            name: name.to_owned(),
            users,
            grants,
            tokens,
            introspections: grants * demand.introspections.peak,
            sign_ins: grants * demand.sign_ins.peak,
            writes,
            nodes,
            disk: grants * costs.grant_disk,
            log: tokens_a_day * KEPT * costs.event_disk,
            memory: costs.node_memory + CLIENTS * costs.client_memory,
            shards: costs.postgres.filter(|_| shared).map(|rate| (commits / rate / DATABASE_BUSY).ceil().max(1.0)),
        }
    }
}

/// Of the busiest hour, in cores.
fn cores_of_a_user(costs: &Costs, demand: &Demand, habits: &Habits, shared: bool) -> f64 {
    let refresh = if shared { costs.postgres_refresh.unwrap_or(costs.refresh) } else { costs.refresh };
    let device = demand.refreshes.peak * refresh
        + demand.codes.peak * (costs.code + costs.userinfo)
        + demand.sign_ins.peak * costs.sign_in
        + demand.introspections.peak * costs.introspection;
    let machine = costs.token_es256 / habits.machine_token;
    habits.devices_of_a_user * device + habits.machines_of_a_user * machine
}

/// The table of the plan.
pub(crate) fn table_of(scales: &[Scale]) -> String {
    let mut head = vec![""];
    head.extend(scales.iter().map(|scale| scale.name.as_str()));
    let line = |what: &str, value: fn(&Scale) -> String| {
        std::iter::once(what.to_owned()).chain(scales.iter().map(value)).collect::<Vec<_>>()
    };
    let rows = [
        line("users", |scale| short(scale.users)),
        line("devices, each a grant", |scale| short(scale.grants)),
        line("tokens a second, busiest hour", |scale| short(scale.tokens)),
        line("introspections a second", |scale| short(scale.introspections)),
        line("password sign-ins a second", |scale| short(scale.sign_ins)),
        line("rows written a second", |scale| short(scale.writes)),
        line("nodes of four cores", |scale| short(scale.nodes)),
        line("memory of each node", |scale| bytes(scale.memory)),
        line("grants on disk", |scale| bytes(scale.disk)),
        line("audit log on disk", |scale| bytes(scale.log)),
        line("databases", |scale| scale.shards.map_or_else(|| "one file".to_owned(), short)),
    ];
    table(&head, &rows)
}

/// Three digits and a word.
fn short(number: f64) -> String {
    let scales = [(1e9, " bn"), (1e6, " M"), (1e3, " k")];
    let (scale, word) = scales.into_iter().find(|(scale, _)| number >= *scale).unwrap_or((1.0, ""));
    let scaled = number / scale;
    if scaled >= 100.0 || (word.is_empty() && scaled.fract() == 0.0) {
        format!("{scaled:.0}{word}")
    } else {
        format!("{scaled:.1}{word}")
    }
}

fn bytes(number: f64) -> String {
    let scales = [(1_u64 << 50, "PiB"), (1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB")];
    let found = scales.into_iter().find(|(scale, _)| number >= *scale as f64);
    found.map_or_else(|| format!("{number:.0} bytes"), |(scale, word)| format!("{:.1} {word}", number / scale as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(short(5e9), "5.0 bn");
        assert_eq!(short(1_234.0), "1.2 k");
        assert_eq!(short(10.0), "10");
        assert_eq!(bytes(3.0 * 1_099_511_627_776.0), "3.0 TiB");
    }
}
