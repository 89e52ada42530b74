//! Does the time of a refusal tell anything of a client secret, or which clients there are? (RFC 6749 10.10)
//!
//! `cargo run --release -p grantor-server --example timing -- [SAMPLES [THRESHOLD]]`
//!
//! Two questions are asked of a real server over TCP: a wrong secret that begins like the right one against one that does
//! not, and a client that does not exist against one that does. The samples are interleaved, each pair in random order.
//! The test was fixed before the first measurement: Welch's t over the samples below the 90th percentile of both classes
//! together; |t| above 4.5 is a difference. (A coarser threshold is for machines that do other things at the same time.)
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, missing_docs, reason = "a measurement")]
#![allow(clippy::cast_precision_loss, reason = "counts and nanoseconds are far below 2^53")]

use grantor_protocol::client::{ClientMetadata, ClientSecret, SecretHash, StoredSecret};
use grantor_protocol::value::{ClientId, Issuer, TenantName, UnixTime};
use grantor_server::{MasterKey, Server, Settings, SystemWorld};
use grantor_store::{Change, MemoryStore, Store};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const THRESHOLD: f64 = 4.5;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let samples = arguments.first().map_or(20_000, |number| number.parse().unwrap());
    let threshold = arguments.get(1).map_or(THRESHOLD, |number| number.parse().unwrap());

    let right = ClientSecret::new([42; 32]).into_secret().expose().to_owned();
    let port = serve(&right).await;
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    connection.set_nodelay(true).unwrap();

    let near = format!("{}{}", &right[..40], "A".repeat(right.len() - 40));
    let far = format!("gr_cs_{}", "z".repeat(right.len() - 6));
    let questions = [
        ("right prefix, wrong prefix", form("known-client", &near), form("known-client", &far)),
        ("known client, unknown client", form("known-client", &far), form("other-client", &far)),
        ("unknown client, another one", form("third-client", &far), form("other-client", &far)),
    ];
    let mut differs = false;
    for (name, first, second) in questions {
        ask(&mut connection, &first, &second, samples / 20).await;
        let (a, b) = ask(&mut connection, &first, &second, samples).await;
        let (t, ratio) = welch(&a, &b);
        let verdict = if t.abs() > threshold { "DIFFERENT" } else { "no difference" };
        println!("{name}: t = {t:+.2}, ratio of means {ratio:.4}, {samples} pairs: {verdict}");
        differs |= t.abs() > threshold;
    }
    if differs { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// A server with one client.
async fn serve(secret: &str) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let settings = Settings::new(Issuer::parse(&format!("http://127.0.0.1:{port}")).unwrap());
    let world = Arc::new(SystemWorld);
    let server = Server::new(Arc::clone(&store), MasterKey::from_bytes([1; 32]), settings, world).await.unwrap();
    let hash = SecretHash::quick(&grantor_protocol::value::Secret::new(secret.to_owned()));
    let created = UnixTime::new(0);
    let metadata = ClientMetadata::new(TenantName::default(), ClientId::parse("known-client").unwrap());
    let metadata = ClientMetadata {
        token_endpoint_auth_method: grantor_protocol::client::AuthMethod::ClientSecretPost,
        ..metadata
    };
    let secrets = vec![StoredSecret { hash, created, expires: None }];
    let client = grantor_protocol::client::Client { metadata, secrets, issued_at: created };
    store.change_directory(vec![Change::PutClient(client)], None).await.unwrap();
    tokio::spawn(async move { server.run(listener, None, std::future::pending()).await });
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    port
}

/// A token request, as bytes; all are of one length.
fn form(client: &str, secret: &str) -> Vec<u8> {
    let body = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
    format!(
        "POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Nanoseconds of each answer, in pairs of random order.
async fn ask(connection: &mut TcpStream, first: &[u8], second: &[u8], samples: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut a, mut b) = (Vec::with_capacity(samples), Vec::with_capacity(samples));
    let mut coins = vec![0; samples];
    getrandom::fill(&mut coins).unwrap();
    for coin in coins {
        if coin & 1 == 0 {
            a.push(once(connection, first).await);
            b.push(once(connection, second).await);
        } else {
            b.push(once(connection, second).await);
            a.push(once(connection, first).await);
        }
    }
    (a, b)
}

async fn once(connection: &mut TcpStream, request: &[u8]) -> f64 {
    let mut answer = [0; 4096];
    let begun = Instant::now();
    connection.write_all(request).await.unwrap();
    let length = connection.read(&mut answer).await.unwrap();
    let taken = begun.elapsed().as_nanos() as f64;
    assert!(answer[..length].starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&answer[..length]));
    taken
}

/// Welch's t and the ratio of the means, below the 90th percentile of all.
fn welch(a: &[f64], b: &[f64]) -> (f64, f64) {
    let mut all: Vec<f64> = a.iter().chain(b).copied().collect();
    all.sort_by(f64::total_cmp);
    let most = all[all.len() * 9 / 10];
    let moments = |samples: &[f64]| {
        let kept: Vec<f64> = samples.iter().copied().filter(|sample| *sample < most).collect();
        let count = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let variance = kept.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    };
    let ((mean_a, error_a), (mean_b, error_b)) = (moments(a), moments(b));
    ((mean_a - mean_b) / (error_a + error_b).sqrt(), mean_a / mean_b)
}
