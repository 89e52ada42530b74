//! The unit costs, out of what a run wrote down.

use crate::failure::Result;
use crate::report::table;
use crate::run::Results;

/// Of one request in seconds of a core, of one record in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs {
    pub(crate) metadata: f64,
    pub(crate) token_opaque: f64,
    pub(crate) token_es256: f64,
    pub(crate) introspection: f64,
    pub(crate) userinfo: f64,
    pub(crate) refresh: f64,
    pub(crate) code: f64,
    pub(crate) sign_in: f64,
    pub(crate) grant_disk: f64,
    pub(crate) event_disk: f64,
    pub(crate) node_memory: f64,
    pub(crate) client_memory: f64,
    /// Refreshes a second on one PostgreSQL server.
    pub(crate) postgres: Option<f64>,
    /// Processor time of a refresh at a node before PostgreSQL.
    pub(crate) postgres_refresh: Option<f64>,
    /// Refreshes a second that one SQLite file takes.
    pub(crate) sqlite: f64,
}

impl Costs {
    pub(crate) fn of(results: &Results) -> Result<Self> {
        let optional = |name: &str| results.sections.iter().find_map(|section| section.figures.get(name).copied());
        let figure = |name: &str| {
            let missing = || format!("the figures have no {name}: run every part of the bench with --json");
            optional(name).ok_or_else(missing)
        };
        Ok(Self {
            metadata: figure("jwks.cpu")?,
            token_opaque: figure("token-opaque.cpu")?,
            token_es256: figure("token-es256.cpu")?,
            introspection: figure("introspect-opaque.cpu")?,
            userinfo: figure("userinfo.cpu")?,
            refresh: figure("refresh.cpu")?,
            code: figure("code.cpu")?,
            sign_in: figure("sign_in.cpu")?,
            grant_disk: figure("grant.disk")?,
            event_disk: figure("event.disk")?,
            node_memory: figure("memory.idle")?,
            client_memory: figure("client.memory")?,
            postgres: optional("postgres.refresh.rate"),
            postgres_refresh: optional("postgres.refresh.cpu"),
            sqlite: figure("refresh.rate")?,
        })
    }

    pub(crate) fn table(&self) -> String {
        let micros = |seconds: f64| format!("{:.1} us", seconds * 1e6);
        let bytes = |bytes: f64| format!("{bytes:.0} bytes");
        let mut rows = vec![
            ("metadata or JWKS", micros(self.metadata)),
            ("client credentials, opaque token", micros(self.token_opaque)),
            ("client credentials, JWT ES256", micros(self.token_es256)),
            ("introspection of an opaque token", micros(self.introspection)),
            ("userinfo", micros(self.userinfo)),
            ("refresh, SQLite", micros(self.refresh)),
            ("code redemption with an ID token", micros(self.code)),
            ("sign-in with a password (argon2id)", format!("{:.1} ms", self.sign_in * 1e3)),
            ("a grant on disk, with its indexes", bytes(self.grant_disk)),
            ("a line of the audit log on disk", bytes(self.event_disk)),
            ("a node in memory", format!("{:.0} MiB", self.node_memory / 1_048_576.0)),
            ("a client in memory", bytes(self.client_memory)),
            ("refreshes a second, one SQLite file", format!("{:.0}", self.sqlite)),
        ];
        rows.extend(self.postgres_refresh.map(|seconds| ("refresh, PostgreSQL, at the node", micros(seconds))));
        rows.extend(self.postgres.map(|rate| ("refreshes a second, one PostgreSQL", format!("{rate:.0}"))));
        let rows: Vec<_> = rows.into_iter().map(|(what, cost)| vec![what.to_owned(), cost]).collect();
        table(&["what", "cost"], &rows)
    }
}
