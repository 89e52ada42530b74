//! Against the real programs.

use grantor_local_postgres::{Options, Replication, Server};
use std::path::Path;
use std::process::{Command, Stdio};

const TABLE: &str = "CREATE TABLE kept (n int)";
const COUNT: &str = "SELECT count(*) FROM kept";

#[test]
fn every_database_is_empty_and_alone() {
    let server = Server::shared().unwrap();
    let (one, other) = (server.fresh_database().unwrap(), server.fresh_database().unwrap());
    assert_ne!(one, other);
    let name = one.rsplit('/').next().unwrap();
    server.sql(name, TABLE).unwrap();
    assert_eq!(server.sql(name, COUNT).unwrap(), "0");
    server.sql(other.rsplit('/').next().unwrap(), COUNT).unwrap_err();
    server.database("named").unwrap();
    server.sql("named", TABLE).unwrap();
    server.database("named").unwrap();
    server.sql("named", COUNT).unwrap_err();
    server.database("na\"med").unwrap_err();
}

#[test]
fn what_was_committed_survives_a_kill() {
    let mut server = Server::start(Options::default()).unwrap();
    assert_eq!(server.sql("postgres", "SHOW fsync").unwrap(), "on");
    server.sql("postgres", TABLE).unwrap();
    server.sql("postgres", "INSERT INTO kept VALUES (1)").unwrap();
    let url = server.url();
    server.kill().unwrap();
    server.kill().unwrap();
    server.sql("postgres", COUNT).unwrap_err();
    server.restart().unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(server.sql("postgres", COUNT).unwrap(), "1");
    assert!(server.log().contains("was not properly shut down"));
    // A second time, from a running server, and once in order.
    server.restart().unwrap();
    server.stop().unwrap();
    server.restart().unwrap();
    assert_eq!(server.sql("postgres", COUNT).unwrap(), "1");
}

#[test]
fn a_setting_is_set() {
    let server = Server::start(Options::default().set("fsync", "off").set("max_connections", "20")).unwrap();
    assert_eq!(server.sql("postgres", "SHOW fsync").unwrap(), "off");
    assert_eq!(server.sql("postgres", "SHOW max_connections").unwrap(), "20");
    Server::start(Options::default().set("no_such_setting", "1")).map(drop).unwrap_err();
}

#[test]
fn a_synchronous_standby_has_what_was_acknowledged() {
    let mut primary = Server::start(Options::default()).unwrap();
    let standby = primary.standby(Replication::Synchronous).unwrap();
    primary.sql("postgres", TABLE).unwrap();
    primary.sql("postgres", "INSERT INTO kept VALUES (1)").unwrap();
    standby.sql("postgres", "INSERT INTO kept VALUES (2)").unwrap_err();
    primary.kill().unwrap();
    standby.promote().unwrap();
    assert_eq!(standby.sql("postgres", COUNT).unwrap(), "1");
    standby.sql("postgres", "INSERT INTO kept VALUES (2)").unwrap();
}

#[test]
fn a_frozen_server_goes_on() {
    let server = Server::start(Options::default()).unwrap();
    server.freeze().unwrap();
    let url = format!("{}?connect_timeout=2", server.url());
    let asked = Command::new("psql").args(["-X", "-c", "SELECT 1"]).arg(url).stderr(Stdio::null()).status().unwrap();
    assert!(!asked.success());
    server.thaw().unwrap();
    assert_eq!(server.sql("postgres", "SELECT 1").unwrap(), "1");
}

/// Starts this program again with this one test, which then starts a server and dies.
#[test]
fn a_server_ends_with_its_process() {
    const CHILD: &str = "GRANTOR_LOCAL_POSTGRES_CHILD";
    if std::env::var_os(CHILD).is_some() {
        println!("\ndirectory={}", Server::shared().unwrap().directory().display());
        std::process::abort();
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_server_ends_with_its_process", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(!child.status.success());
    let said = String::from_utf8(child.stdout).unwrap();
    let directory = said.lines().find_map(|line| line.strip_prefix("directory=")).unwrap();
    let home = Path::new(directory).parent().unwrap();
    while home.exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
