//! What the server acknowledged, as its clients remember it, and what must be true because of it.

use super::client::{Not, Said, active, redeem, refresh, revoke};
use super::http::Connection;
use super::person::{Code, Person, Tokens};
use anyhow::{Context as _, Result, bail};
use std::time::{Duration, Instant};

/// After so long every node knows of a revocation.
pub(crate) const BOUND: Duration = Duration::from_secs(1);
/// Codes live for ten minutes; one that is older proves nothing when it is refused.
const FRESH: Duration = Duration::from_secs(500);

/// One authorization, from its code to its end. It belongs to one worker, so that nobody else moves it.
#[derive(Debug)]
pub(crate) struct Entry {
    code: Code,
    since: Instant,
    stage: Stage,
}

/// How far it came. What was sent and not answered may have happened or not.
#[derive(Debug)]
enum Stage {
    /// The code arrived and nobody presented it.
    Code,
    /// The code was presented, and no answer came.
    Redeeming,
    /// Tokens arrived. A refresh without an answer does not count: its token still works, if only for a retry.
    Granted(Tokens),
    /// Something was sent that takes the grant back, and no answer came.
    Revoking(Tokens),
    /// The grant was taken back for certain, by then.
    Revoked(Tokens, Instant),
}

/// What happened, counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) redeemed: u64,
    pub(crate) refreshed: u64,
    pub(crate) revoked: u64,
    /// Codes that were presented at two nodes at the same time.
    pub(crate) raced: u64,
    /// Answers that said: later.
    pub(crate) unavailable: u64,
    /// Requests that no answer came to.
    pub(crate) unanswered: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.redeemed += other.redeemed;
        self.refreshed += other.refreshed;
        self.revoked += other.revoked;
        self.raced += other.raced;
        self.unavailable += other.unavailable;
        self.unanswered += other.unanswered;
    }

    /// Those that were acknowledged.
    pub(crate) fn acknowledged(self) -> u64 {
        self.redeemed + self.refreshed + self.revoked
    }

    /// Those that came to nothing.
    pub(crate) fn failed(self) -> u64 {
        self.unavailable + self.unanswered
    }

    fn note(&mut self, said: &Said) {
        if let Said::Not(not) = said {
            self.not(*not);
        }
    }

    fn not(&mut self, not: Not) {
        match not {
            Not::Now => self.unavailable += 1,
            Not::AtAll => self.unanswered += 1,
        }
    }
}

impl Entry {
    /// Sends the person for a code.
    pub(crate) async fn begin(
        connection: &mut Connection,
        person: &mut Person,
        counts: &mut Counts,
    ) -> Result<Option<Self>> {
        match person.authorize(connection).await? {
            Ok(code) => Ok(Some(Self { code, since: Instant::now(), stage: Stage::Code })),
            Err(not) => {
                counts.not(not);
                Ok(None)
            }
        }
    }

    /// Presents the code, if nobody has.
    pub(crate) async fn redeem(&mut self, connection: &mut Connection, counts: &mut Counts) -> Result<()> {
        if !matches!(self.stage, Stage::Code) || self.since.elapsed() > FRESH {
            return Ok(());
        }
        self.stage = Stage::Redeeming;
        let said = redeem(connection, &self.code.code, &self.code.verifier).await?;
        counts.note(&said);
        match said {
            Said::Done(answer) => {
                self.stage = Stage::Granted(Tokens::of(&answer)?);
                counts.redeemed += 1;
            }
            Said::Refused => bail!("a code that was given and not used is refused"),
            Said::Not(_) => {}
        }
        Ok(())
    }

    /// Presents the code at two nodes at the same moment: at most one may take it, and then it is revoked by the other
    /// (RFC 6749 4.1.2).
    pub(crate) async fn redeem_twice(&mut self, two: [&mut Connection; 2], counts: &mut Counts) -> Result<()> {
        if !matches!(self.stage, Stage::Code) || self.since.elapsed() > FRESH {
            return Ok(());
        }
        self.stage = Stage::Redeeming;
        let Code { code, verifier } = &self.code;
        let [one, other] = two;
        let (one, other) = tokio::join!(redeem(one, code, verifier), redeem(other, code, verifier));
        let (one, other) = (one?, other?);
        counts.note(&one);
        counts.note(&other);
        counts.raced += 1;
        match (one, other) {
            (Said::Done(_), Said::Done(_)) => bail!("a code was spent twice"),
            (Said::Refused, Said::Refused) => bail!("a code that was given and not used is refused twice"),
            (Said::Done(answer), Said::Refused) | (Said::Refused, Said::Done(answer)) => {
                self.stage = Stage::Revoked(Tokens::of(&answer)?, Instant::now());
                counts.redeemed += 1;
                counts.revoked += 1;
            }
            (Said::Done(answer), _) | (_, Said::Done(answer)) => {
                self.stage = Stage::Revoking(Tokens::of(&answer)?);
                counts.redeemed += 1;
            }
            _ => {}
        }
        Ok(())
    }

    /// Presents the refresh token.
    pub(crate) async fn refresh(&mut self, connection: &mut Connection, counts: &mut Counts) -> Result<()> {
        let (Stage::Granted(held) | Stage::Revoking(held) | Stage::Revoked(held, _)) = &mut self.stage else {
            return Ok(());
        };
        let said = refresh(connection, &held.refresh).await?;
        counts.note(&said);
        match (said, &mut self.stage) {
            (Said::Done(answer), Stage::Granted(held) | Stage::Revoking(held)) => {
                *held = Tokens::of(&answer)?;
                counts.refreshed += 1;
            }
            (Said::Done(_), _) => bail!("a grant that was revoked was refreshed"),
            (Said::Refused, Stage::Granted(_)) => bail!("the refresh token that was given last is refused"),
            (Said::Refused, Stage::Revoking(held)) => self.stage = Stage::Revoked(held.clone(), Instant::now()),
            (Said::Refused | Said::Not(_), _) => {}
        }
        Ok(())
    }

    /// Takes the grant back.
    pub(crate) async fn revoke(&mut self, connection: &mut Connection, counts: &mut Counts) -> Result<()> {
        let (Stage::Granted(held) | Stage::Revoking(held)) = &self.stage else { return Ok(()) };
        let held = held.clone();
        let said = revoke(connection, &held.refresh).await?;
        counts.note(&said);
        self.stage = match said {
            Said::Done(_) => {
                counts.revoked += 1;
                Stage::Revoked(held, Instant::now())
            }
            Said::Refused => bail!("revocation says invalid_grant"),
            Said::Not(_) => Stage::Revoking(held),
        };
        Ok(())
    }

    /// Introspects the access token.
    pub(crate) async fn introspect(&mut self, connection: &mut Connection, counts: &mut Counts) -> Result<()> {
        let (Stage::Granted(held) | Stage::Revoking(held) | Stage::Revoked(held, _)) = &self.stage else {
            return Ok(());
        };
        let asked = Instant::now();
        match (active(connection, &held.access).await?, &self.stage) {
            (Ok(true), Stage::Revoked(_, since)) if asked > *since + BOUND => {
                bail!("a token whose grant was revoked is active")
            }
            (Ok(false), Stage::Granted(_)) => bail!("a token that was given is not active"),
            (Err(not), _) => counts.not(not),
            (Ok(_), _) => {}
        }
        Ok(())
    }

    /// Whether it is worth working with.
    pub(crate) fn is_granted(&self) -> bool {
        matches!(self.stage, Stage::Granted(_))
    }

    /// When everything is up again, everything that was acknowledged holds, and everything answers.
    pub(crate) async fn holds(&mut self, connection: &mut Connection) -> Result<()> {
        let mut counts = Counts::default();
        self.introspect(connection, &mut counts).await?;
        self.redeem(connection, &mut counts).await?;
        self.refresh(connection, &mut counts).await?;
        if counts.failed() > 0 {
            bail!("it does not answer: {counts:?}");
        }
        Ok(())
    }

    /// A code that was redeemed stays so: its second use is refused, and takes back what the first gave (RFC 6749 4.1.2),
    /// which only a server that remembers the first can do.
    pub(crate) async fn spent_for_good(mut self, connection: &mut Connection) -> Result<()> {
        let Stage::Granted(held) = &self.stage else { return Ok(()) };
        let held = held.clone();
        if self.since.elapsed() > FRESH {
            return Ok(());
        }
        match redeem(connection, &self.code.code, &self.code.verifier).await? {
            Said::Refused => self.stage = Stage::Revoked(held, Instant::now()),
            Said::Done(_) => bail!("a code that was redeemed was redeemed again"),
            Said::Not(not) => bail!("it does not answer: not {not:?}"),
        }
        let mut counts = Counts::default();
        self.introspect(connection, &mut counts).await.context("after the second use of its code")?;
        self.refresh(connection, &mut counts).await.context("after the second use of its code")
    }
}
