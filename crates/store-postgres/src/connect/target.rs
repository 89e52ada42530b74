//! What the URL of a database says: which hosts, and how the connection is secured.

use grantor_store::StoreError;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;
use std::future::poll_fn;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long one host has to let us in.
const CONNECT: Duration = Duration::from_secs(3);
/// A host that does not acknowledge what it was sent for so long is taken for dead: a connection that was cut in silence
/// shows within seconds.
const SILENCE: Duration = Duration::from_secs(5);
const KEEPALIVE: Duration = Duration::from_secs(2);

/// Where the database is, who asks, and how the way there is secured. Its password is nowhere to be seen.
#[derive(Clone)]
pub struct Target {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Target {
    /// Parses `postgres://user:password@host-1:5432,host-2:5432/name?sslmode=verify-full&sslrootcert=/path`, as libpq
    /// reads it, but for `sslmode`, see [`crate::PostgresStore::connect`].
    ///
    /// # Errors
    /// [`StoreError::Broken`]: the URL says something else, or the roots cannot be read. The text does not tell the URL.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let (url, security) = Security::taken_from(url)?;
        let mut config = Config::from_str(&url).map_err(|error| refused(&source(&error)))?;
        if config.get_hosts().is_empty() {
            return Err(refused("it names no host"));
        }
        let mode = security.mode.unwrap_or_else(|| Mode::for_hosts(config.get_hosts()));
        config
            .ssl_mode(match mode {
                Mode::Disable => SslMode::Disable,
                Mode::Prefer => SslMode::Prefer,
                Mode::Require => SslMode::Require,
            })
            .connect_timeout(CONNECT)
            .tcp_user_timeout(SILENCE)
            .keepalives(true)
            .keepalives_idle(KEEPALIVE)
            .keepalives_interval(KEEPALIVE)
            .keepalives_retries(2)
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        let tls = match mode {
            Mode::Disable => None,
            Mode::Prefer | Mode::Require => Some(MakeRustlsConnect::new(tls(security.roots.as_deref())?)),
        };
        Ok(Self { config, tls })
    }

    /// By which the database's administrator knows who asks.
    #[must_use]
    pub fn with_application_name(mut self, name: &str) -> Self {
        self.config.application_name(name);
        self
    }

    /// One connection of its own, for the command line and for migrations. It ends when the client is dropped.
    ///
    /// # Errors
    /// No host that takes writes lets us in.
    pub async fn client(&self) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = self.connect().await?;
        tokio::spawn(async move {
            // What it would say, the client says.
            let _ = connection.ended().await;
        });
        Ok(client)
    }

    /// A client, and the connection that it sends by, which must be polled.
    pub(super) async fn connect(&self) -> Result<(Client, Wire), tokio_postgres::Error> {
        Ok(match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                (client, Wire::Plain(Box::new(connection)))
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                (client, Wire::Tls(Box::new(connection)))
            }
        })
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("hosts", &self.config.get_hosts()).finish_non_exhaustive()
    }
}

type TlsStream = <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream;

/// A connection, secured or not.
pub(super) enum Wire {
    Plain(Box<Connection<Socket, NoTlsStream>>),
    Tls(Box<Connection<Socket, TlsStream>>),
}

impl Wire {
    /// Carries what the client sends, until one side ends it.
    pub(super) async fn ended(self) -> Result<(), tokio_postgres::Error> {
        match self {
            Self::Plain(connection) => connection.await,
            Self::Tls(connection) => connection.await,
        }
    }

    /// The same, and says when the server notifies of something.
    pub(super) async fn hears(self, heard: impl Fn()) -> Result<(), tokio_postgres::Error> {
        match self {
            Self::Plain(connection) => carry(*connection, heard).await,
            Self::Tls(connection) => carry(*connection, heard).await,
        }
    }
}

async fn carry<S, T>(mut connection: Connection<S, T>, heard: impl Fn()) -> Result<(), tokio_postgres::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(_) = message? {
            heard();
        }
    }
    Ok(())
}

/// `verify-ca` and `verify-full` are [`Mode::Require`]: whoever asks for TLS has the certificate verified whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
}

impl Mode {
    fn for_hosts(hosts: &[Host]) -> Self {
        let here = |host: &Host| match host {
            Host::Tcp(name) => {
                name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
            }
            #[cfg(unix)]
            Host::Unix(_) => true,
        };
        if hosts.iter().all(here) { Self::Disable } else { Self::Require }
    }
}

/// The parameters of the URL that the driver does not know, or knows less of.
#[derive(Debug, Default, PartialEq, Eq)]
struct Security {
    mode: Option<Mode>,
    roots: Option<String>,
}

impl Security {
    /// Gives the URL without them.
    fn taken_from(url: &str) -> Result<(String, Self), StoreError> {
        let mut security = Self::default();
        let Some((front, query)) = url.split_once('?') else { return Ok((url.to_owned(), security)) };
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| refused("a parameter has no value"))?;
            match name {
                "sslmode" => {
                    security.mode = Some(match value {
                        "disable" => Mode::Disable,
                        "prefer" => Mode::Prefer,
                        "require" | "verify-ca" | "verify-full" => Mode::Require,
                        _ => return Err(refused("sslmode is not disable, prefer, require, verify-ca or verify-full")),
                    });
                }
                "sslrootcert" => security.roots = Some(decoded(value)?),
                // Never a decision on a replica.
                "target_session_attrs" if value != "read-write" => {
                    return Err(refused("target_session_attrs must be read-write"));
                }
                _ => rest.push(pair),
            }
        }
        let url = if rest.is_empty() { front.to_owned() } else { format!("{front}?{}", rest.join("&")) };
        Ok((url, security))
    }
}

/// Percent-decoded (RFC 3986 2.1).
fn decoded(value: &str) -> Result<String, StoreError> {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes().iter().copied();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
                return Err(refused("a parameter is not percent-encoded"));
            };
            bytes.extend(u8::try_from(high * 16 + low));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| refused("a parameter is no text"))
}

/// 1.2 and 1.3, with the roots of a file or the platform's, which takes its time to read.
fn tls(roots: Option<&str>) -> Result<ClientConfig, StoreError> {
    // Named here because the process need not have a default provider, and none is installed behind its back.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let unusable = |error: rustls::Error| StoreError::Broken(format!("TLS to the database cannot be set up: {error}"));
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let builder = if let Some(file) = roots {
        builder.with_root_certificates(read_roots(Path::new(file))?)
    } else {
        let verifier = Verifier::new(provider).map_err(unusable)?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    };
    Ok(builder.with_no_client_auth())
}

fn read_roots(file: &Path) -> Result<RootCertStore, StoreError> {
    let unusable = |why: String| StoreError::Broken(format!("the roots in {} cannot be used: {why}", file.display()));
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))? {
        let root = root.map_err(|error| unusable(error.to_string()))?;
        roots.add(root).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() { Err(unusable("there are none".to_owned())) } else { Ok(roots) }
}

/// Says nothing of the URL itself, which holds the password.
fn refused(why: &str) -> StoreError {
    StoreError::Broken(format!("the URL of the database is not valid: {why}"))
}

fn source(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::{Mode, Security, Target};
    use tokio_postgres::config::{Host, SslMode};

    fn of(url: &str) -> (SslMode, bool) {
        let target = Target::parse(url).unwrap();
        (target.config.get_ssl_mode(), target.tls.is_some())
    }

    #[test]
    fn another_machine_is_never_talked_to_in_the_clear_unless_it_is_said() {
        assert_eq!(of("postgres://u:p@db.example/g"), (SslMode::Require, true));
        assert_eq!(of("postgres://u:p@localhost,db.example/g"), (SslMode::Require, true));
        assert_eq!(of("postgres://u:p@db.example/g?sslmode=disable"), (SslMode::Disable, false));
        assert_eq!(of("postgres://u:p@db.example/g?sslmode=prefer"), (SslMode::Prefer, true));
        for local in ["localhost", "127.0.0.1", "[::1]", "%2Frun%2Fpostgresql"] {
            assert_eq!(of(&format!("postgres://u@{local}/g")), (SslMode::Disable, false), "{local}");
        }
        for mode in ["require", "verify-ca", "verify-full"] {
            assert_eq!(of(&format!("postgres://u@localhost/g?sslmode={mode}")), (SslMode::Require, true));
        }
    }

    #[test]
    fn several_hosts_and_the_drivers_own_parameters_are_kept() {
        let url = "postgres://u:p%40@a:1,b:2/g?sslmode=disable&target_session_attrs=read-write&options=-c%20x%3D1";
        let target = Target::parse(url).unwrap();
        assert_eq!(target.config.get_hosts(), [Host::Tcp("a".to_owned()), Host::Tcp("b".to_owned())]);
        assert_eq!(target.config.get_ports(), [1, 2]);
        assert_eq!(target.config.get_password(), Some(&b"p@"[..]));
        assert_eq!(target.config.get_options(), Some("-c x=1"));
        let (url, security) =
            Security::taken_from("postgres://a/b?x=1&sslrootcert=%2Fa%20b&y=2&sslmode=prefer").unwrap();
        assert_eq!(url, "postgres://a/b?x=1&y=2");
        assert_eq!(security, Security { mode: Some(Mode::Prefer), roots: Some("/a b".to_owned()) });
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for bad in [
            "postgres://u:hunter2@h:port/g",
            "postgres://u:hunter2@h/g?sslmode=allow",
            "postgres://u:hunter2@h/g?target_session_attrs=any",
            "postgres://u:hunter2@h/g?sslrootcert=%2Fnone",
            "postgres://u:hunter2@h/g?sslrootcert=%2",
            "postgres://u:hunter2@h/g?nonsense=1",
            "postgres://u:hunter2@h/g?nonsense",
            "postgres:///g",
            "hunter2",
        ] {
            let why = Target::parse(bad).unwrap_err().to_string();
            assert!(!why.contains("hunter2"), "{why}");
        }
        assert!(!format!("{:?}", Target::parse("postgres://u:hunter2@localhost/g").unwrap()).contains("hunter2"));
    }
}
