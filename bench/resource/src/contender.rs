//! Who takes part.

use crate::given::{Presented, Signed};
use anyhow::{Result, bail};
use serde::Serialize;
use std::hint::black_box;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Whether a token was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// The signature check alone.
    Bare,
    /// Never seen, or nothing is remembered.
    Cold,
    /// Seen a moment ago, and remembered.
    Warm,
}

/// One who verifies.
pub(crate) trait Contender {
    fn name(&self) -> &'static str;

    fn kind(&self) -> Kind;

    /// What of it is measured.
    fn about(&self) -> &'static str;

    /// Seconds for one verification, over at least this time.
    fn round(&mut self, time: Duration) -> Result<f64>;

    /// Whether it takes a token.
    fn accepts(&mut self, token: &str) -> Result<bool>;
}

/// What one does in this process.
pub(crate) trait Check {
    const NAME: &'static str;
    const ABOUT: &'static str;

    /// Whether the request may pass.
    async fn check(&mut self, presented: &Presented) -> bool;

    /// Before all tokens are seen again.
    fn again(&mut self) {}
}

/// One in this process.
pub(crate) struct Here<'a, C> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) signed: &'a Signed,
    pub(crate) kind: Kind,
    pub(crate) check: C,
}

impl<C: Check> Contender for Here<'_, C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn about(&self) -> &'static str {
        C::ABOUT
    }

    fn round(&mut self, time: Duration) -> Result<f64> {
        let Self { runtime, signed, check, .. } = self;
        runtime.block_on(async {
            let (began, mut rounds) = (Instant::now(), 0_u32);
            while began.elapsed() < time {
                check.again();
                for presented in &signed.tokens {
                    if !check.check(black_box(presented)).await {
                        bail!("{} refuses a good token", C::NAME);
                    }
                }
                rounds += 1;
            }
            Ok(began.elapsed().as_secs_f64() / f64::from(rounds) / signed.tokens.len() as f64)
        })
    }

    fn accepts(&mut self, token: &str) -> Result<bool> {
        let presented = Presented::new(token)?;
        self.check.again();
        Ok(self.runtime.block_on(self.check.check(&presented)))
    }
}
