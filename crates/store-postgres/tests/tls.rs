//! The way to the database is secured, and a server that cannot show who it is gets nothing.

#![expect(clippy::unwrap_used, reason = "tests")]

use grantor_local_postgres::{Options as ServerOptions, Server};
use grantor_store::Directories as _;
use grantor_store_postgres::{Options, PostgresStore, Target};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::PathBuf;
use tempfile::TempDir;

/// Who vouches for servers, with the file that clients know it by.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let this = Self { issuer, directory: TempDir::new().unwrap() };
        std::fs::write(this.file(), this.issuer.pem()).unwrap();
        this
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("roots.pem")
    }

    /// A server that is `localhost`, and no other name of this machine. Whoever is not `postgres` needs a password.
    fn server(&self) -> Server {
        let server = Server::start(ServerOptions::default()).unwrap();
        let file = server.directory().join("pg_hba.conf");
        let rules = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("hostssl all {USER} all scram-sha-256\n{rules}")).unwrap();
        server.sql("postgres", &format!("CREATE ROLE {USER} SUPERUSER LOGIN PASSWORD '{PASSWORD}'")).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        server.secure(&params.signed_by(&key, &self.issuer).unwrap().pem(), &key.serialize_pem()).unwrap();
        server
    }

    /// A new database of a server, under one of its names, by these roots.
    fn url(&self, server: &Server, host: &str, mode: &str) -> String {
        let url = server.fresh_database().unwrap().replace("127.0.0.1", host);
        format!("{url}?sslmode={mode}&sslrootcert={}", self.file().display())
    }
}

const USER: &str = "grantor";
const PASSWORD: &str = "a password";

async fn refused(url: &str) -> String {
    PostgresStore::connect(url, Options::default()).await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_connection_is_to_the_server_that_the_roots_vouch_for() {
    let authority = Authority::new();
    let server = authority.server();
    for mode in ["verify-full", "require"] {
        let url = authority.url(&server, "localhost", mode);
        let store = PostgresStore::connect(&url, Options::default()).await.unwrap();
        assert_eq!(store.directory_version().await.unwrap(), 0);
        let db = Target::parse(&url).unwrap().client().await.unwrap();
        let connections =
            "SELECT count(*), count(*) FILTER (WHERE ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE datname = current_database()";
        let row = db.query_one(connections, &[]).await.unwrap();
        let (all, secured): (i64, i64) = (row.get(0), row.get(1));
        assert!(all > 4, "{all}");
        assert_eq!(secured, all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_issuer_another_name_and_no_tls_at_all_are_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = authority.server();
    for mode in ["verify-full", "require"] {
        let why = refused(&other.url(&server, "localhost", mode)).await;
        assert!(why.contains("invalid peer certificate"), "{why}");
        let why = refused(&authority.url(&server, "127.0.0.1", mode)).await;
        assert!(why.contains("not valid for name"), "{why}");
        let plain = Server::shared().unwrap();
        let why = refused(&authority.url(plain, "localhost", mode)).await;
        assert!(why.contains("server does not support TLS"), "{why}");
    }
}

/// RFC 5802 6, RFC 5929 4: the proof of the password is bound to the certificate that was seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_proven_to_the_server_of_this_certificate() {
    let authority = Authority::new();
    let server = authority.server();
    let url = |password: &str| {
        let url = authority.url(&server, "localhost", "verify-full");
        url.replace("postgres@", &format!("{USER}:{password}@")) + "&channel_binding=require"
    };
    PostgresStore::connect(&url("a%20password"), Options::default()).await.unwrap();
    let why = refused(&url("another")).await;
    assert!(why.contains("28P01"), "{why}");
}
