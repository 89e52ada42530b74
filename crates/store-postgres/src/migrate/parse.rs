//! A file of statements. A statement ends with a `;` at the end of a line. Lines in front of it that begin with `--!`
//! are directives, other comments are for people.
//!
//! - `--! backfill`: carried out again and again. `$1` is where it is (text, empty at first), `$2` is how many rows it may
//!   take. It gives one row: where it is then, or NULL at the end, and how many rows it took.
//! - `--! index NAME`: makes an index of a table that is in use, with `CREATE INDEX CONCURRENTLY IF NOT EXISTS`. What an
//!   attempt that was broken off left behind is dropped first.
//! - `--! rows SELECT count(*) ...`: how many rows the statement looks at, for `--dry-run`.
//! - `--! lock TEXT`: which lock it takes and for how long, for people.

use super::MigrateError;
use tokio_postgres::Client;

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// How it is carried out.
    pub kind: Kind,
    /// The text, without comments.
    pub sql: String,
    /// The statement that counts the rows it looks at.
    pub rows: Option<String>,
    /// Which lock it takes and for how long.
    pub lock: Option<String>,
}

/// How a statement is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Once.
    Once,
    /// Once, and an index of this name that is not valid goes first.
    Index(String),
    /// In small steps.
    Backfill,
}

/// What a server calls things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// PostgreSQL, and YugabyteDB, which is PostgreSQL above its storage.
    Postgres,
    /// Compares texts by bytes unless a collation is named, and knows none that says so.
    Cockroach,
}

impl Dialect {
    pub(super) async fn of(client: &Client) -> Result<Self, MigrateError> {
        let version: String = client.query_one("SELECT version()", &[]).await?.try_get(0)?;
        Ok(if version.contains("CockroachDB") { Self::Cockroach } else { Self::Postgres })
    }
}

/// The statements of a file, in order.
pub(super) fn statements(text: &str, dialect: Dialect) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut next = Statement::empty();
    for line in text.lines() {
        if let Some(directive) = line.strip_prefix("--!") {
            next.directed(directive.trim());
        } else if !line.trim_start().starts_with("--") && !line.trim().is_empty() {
            let (line, ends) = line.strip_suffix(';').map_or((line, false), |line| (line, true));
            if !next.sql.is_empty() {
                next.sql.push('\n');
            }
            match dialect {
                Dialect::Postgres => next.sql.push_str(line),
                Dialect::Cockroach => next.sql.push_str(&line.replace(" COLLATE \"C\"", "")),
            }
            if ends {
                statements.push(std::mem::replace(&mut next, Statement::empty()));
            }
        }
    }
    statements
}

impl Statement {
    fn empty() -> Self {
        Self { kind: Kind::Once, sql: String::new(), rows: None, lock: None }
    }

    fn directed(&mut self, directive: &str) {
        match directive.split_once(' ') {
            Some(("index", name)) => self.kind = Kind::Index(name.to_owned()),
            Some(("rows", sql)) => self.rows = Some(sql.to_owned()),
            Some(("lock", text)) => self.lock = Some(text.to_owned()),
            _ if directive == "backfill" => self.kind = Kind::Backfill,
            // A test reads every file.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_statements_with_directives() {
        let text = "-- For people; only.\nCREATE TABLE a (\n  b text COLLATE \"C\" -- c\n);\n\n--! lock none\n--! index d\nCREATE INDEX d;\n\
                    --! rows SELECT count(*) FROM a\n--! backfill\nSELECT 1;\n";
        let found = statements(text, Dialect::Cockroach);
        assert_eq!(found[0], Statement { sql: "CREATE TABLE a (\n  b text -- c\n)".to_owned(), ..Statement::empty() });
        assert_eq!(found[1].kind, Kind::Index("d".to_owned()));
        assert_eq!((found[1].sql.as_str(), found[1].lock.as_deref()), ("CREATE INDEX d", Some("none")));
        assert_eq!((&found[2].kind, found[2].rows.as_deref()), (&Kind::Backfill, Some("SELECT count(*) FROM a")));
        assert_eq!(found.len(), 3);
        assert!(statements(text, Dialect::Postgres)[0].sql.contains("b text COLLATE \"C\""));
    }
}
