//! The ceiling: the stack that the server stands on, with its settings, answering a fixed body, and doing the cryptography
//! that a path cannot do without. It is sent the same requests, and reads them to their end; nothing of them is parsed,
//! looked up, or written.

use crate::failure::Result;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey, RSA_PKCS1_SHA256,
};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::any;
use clap::{Args, ValueEnum};
use http::{HeaderValue, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// As the server has them.
const HEADER: Duration = Duration::from_secs(30);
const MAX_HEADER: usize = 64 * 1024;

/// `grantor-bench ceiling`.
#[derive(Debug, Args)]
pub(crate) struct Ceiling {
    /// Where to answer
    #[arg(long)]
    pub(crate) listen: SocketAddr,
    /// The length of the body, in bytes
    #[arg(long, default_value_t = 256)]
    pub(crate) body: usize,
    /// What is done for each request, in this order
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) work: Vec<Work>,
}

/// Cryptography that a path cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Work {
    /// An access token or an ID token is signed
    SignEs256,
    /// The same with Ed25519
    SignEddsa,
    /// The same with RSA of 2048 bits
    SignRs256,
    /// An assertion or a proof is verified; its key is known
    VerifyEs256,
}

impl Work {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// What is signed is about as long as the claims of an access token.
const MESSAGE: usize = 400;

struct Bench {
    body: &'static [u8],
    work: Vec<Work>,
    message: Vec<u8>,
    es256: EcdsaKeyPair,
    es256_signature: Vec<u8>,
    es256_public: ParsedPublicKey,
    eddsa: Ed25519KeyPair,
    rs256: RsaKeyPair,
}

impl Ceiling {
    pub(crate) fn run(self) -> Result<()> {
        // As Grantor does where there is one core.
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(self.serve())
    }

    async fn serve(self) -> Result<()> {
        let bench = Arc::new(Bench::new(self.body, self.work)?);
        let router = Router::new().route("/{*path}", any(answer)).with_state(bench);
        let listener = TcpListener::bind(self.listen).await?;
        let graceful = GracefulShutdown::new();
        loop {
            let (stream, _) = listener.accept().await?;
            let _ = stream.set_nodelay(true);
            let (router, watcher) = (router.clone(), graceful.watcher());
            tokio::spawn(async move {
                let handle =
                    service_fn(move |request: hyper::Request<Incoming>| router.clone().oneshot(request.map(Body::new)));
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(HEADER).max_buf_size(MAX_HEADER);
                builder.writev(false);
                let _ = watcher.watch(builder.serve_connection(TokioIo::new(stream), handle)).await;
            });
        }
    }
}

async fn answer(State(bench): State<Arc<Bench>>, _: Bytes) -> Response {
    if !bench.work.iter().all(|work| bench.carry_out(*work).is_some()) {
        return Response::new(Body::empty());
    }
    let mut response = Response::new(Body::from(bench.body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl Bench {
    fn new(body: usize, work: Vec<Work>) -> Result<Self> {
        let random = SystemRandom::new();
        let message = vec![b'm'; MESSAGE];
        let es256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        Ok(Self {
            body: Box::leak(vec![b'x'; body].into_boxed_slice()),
            work,
            es256_signature: es256.sign(&random, &message)?.as_ref().to_vec(),
            es256_public: ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, es256.public_key().as_ref())?,
            es256,
            eddsa: Ed25519KeyPair::generate()?,
            rs256: RsaKeyPair::generate(KeySize::Rsa2048)?,
            message,
        })
    }

    /// None when it failed, which it never does.
    fn carry_out(&self, work: Work) -> Option<()> {
        let random = SystemRandom::new();
        match work {
            Work::SignEs256 => drop(std::hint::black_box(self.es256.sign(&random, &self.message).ok()?)),
            Work::SignEddsa => drop(std::hint::black_box(self.eddsa.sign(&self.message))),
            Work::SignRs256 => {
                let mut signature = vec![0; self.rs256.public_modulus_len()];
                self.rs256.sign(&RSA_PKCS1_SHA256, &random, &self.message, &mut signature).ok()?;
                std::hint::black_box(signature);
            }
            Work::VerifyEs256 => self.es256_public.verify_sig(&self.message, &self.es256_signature).ok()?,
        }
        Some(())
    }
}
