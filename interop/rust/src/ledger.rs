//! What the server acknowledged, as its clients remember it.

use crate::demo::Demo;
use crate::http::{Answer, post};
use crate::person::{Decision, Person, REDIRECT_URI, parameter};
use crate::report::equal;
use crate::request::AuthorizationRequest;
use anyhow::{Context, Result, bail};
use std::time::{Duration, Instant};

const CLIENT: &str = "demo-web";
const SCOPE: &str = "openid offline_access notes:read";
/// Codes live for 60 seconds; one that is older proves nothing when it is refused.
pub const FRESH: Duration = Duration::from_secs(45);

/// One authorization, from its code to its end.
#[derive(Clone)]
pub struct Entry {
    request: AuthorizationRequest,
    code: String,
    since: Instant,
    /// For how long its code counts.
    fresh: Duration,
    stage: Stage,
}

/// How far it came. What is in flight when the server dies may have happened or not.
#[derive(Clone)]
enum Stage {
    /// The code arrived and nobody presented it.
    Code,
    /// The code was presented, and no answer came.
    Redeeming,
    /// Tokens arrived. A refresh that is in flight does not count: its token still works, if only for a retry.
    Granted(Tokens),
    /// A revocation was sent, and no answer came.
    Revoking,
    /// The revocation was acknowledged.
    Revoked(Tokens),
}

#[derive(Clone)]
struct Tokens {
    access: String,
    refresh: String,
}

/// What was acknowledged, counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub redeemed: u64,
    pub refreshed: u64,
    pub revoked: u64,
}

impl Entry {
    /// Sends the person through the pages for a code, which counts for so long.
    pub async fn begin(demo: &Demo, person: &Person, fresh: Duration) -> Result<Self> {
        let request = AuthorizationRequest::new(demo, CLIENT, REDIRECT_URI, SCOPE, &[])?;
        let callback = person.authorize(&request.url, Decision::Allow).await?;
        let code = parameter(&callback, "code")?;
        Ok(Self { request, code, since: Instant::now(), fresh, stage: Stage::Code })
    }

    pub async fn redeem(&mut self, demo: &Demo, counts: &mut Counts) -> Result<()> {
        self.stage = Stage::Redeeming;
        let answer = self.request.redeem(demo, &self.code).await?;
        self.stage = Stage::Granted(tokens(&answer).context("the code")?);
        counts.redeemed += 1;
        Ok(())
    }

    pub async fn refresh(&mut self, demo: &Demo, counts: &mut Counts) -> Result<()> {
        let Stage::Granted(held) = &mut self.stage else { return Ok(()) };
        let answer = refresh(demo, &held.refresh).await?;
        *held = tokens(&answer).context("the refresh token")?;
        counts.refreshed += 1;
        Ok(())
    }

    pub async fn revoke(&mut self, demo: &Demo, counts: &mut Counts) -> Result<()> {
        let Stage::Granted(held) = &self.stage else { return Ok(()) };
        let held = held.clone();
        self.stage = Stage::Revoking;
        let answer = post(demo, CLIENT, "revoke", &[("token", &held.refresh)]).await?;
        if answer.status.as_u16() != 200 {
            return Err(Trouble::from(&answer).into());
        }
        self.stage = Stage::Revoked(held);
        counts.revoked += 1;
        Ok(())
    }

    /// As it is while its code is presented and nobody has answered.
    #[must_use]
    pub fn redeeming(&self) -> Self {
        Self { stage: Stage::Redeeming, ..self.clone() }
    }

    /// As it is while its revocation is asked for and nobody has answered.
    #[must_use]
    pub fn revoking(&self) -> Self {
        Self { stage: Stage::Revoking, ..self.clone() }
    }

    pub fn is_granted(&self) -> bool {
        matches!(self.stage, Stage::Granted(_))
    }

    /// After a restart, everything that was acknowledged holds.
    pub async fn holds(&mut self, demo: &Demo) -> Result<()> {
        let mut unused = Counts::default();
        match &self.stage {
            Stage::Code if self.since.elapsed() < self.fresh => {
                self.redeem(demo, &mut unused).await.context("a code that was given and not used")
            }
            Stage::Code | Stage::Redeeming | Stage::Revoking => Ok(()),
            Stage::Granted(held) => {
                equal(active(demo, &held.access).await?, true).context("an access token that was given")?;
                self.refresh(demo, &mut unused).await.context("the refresh token that was given last")
            }
            Stage::Revoked(held) => {
                equal(active(demo, &held.access).await?, false).context("an access token that was revoked")?;
                refused(&refresh(demo, &held.refresh).await?).context("a refresh token that was revoked")
            }
        }
    }

    /// A code that was redeemed stays so: the second use is refused, and revokes what the first gave (RFC 6749 4.1.2), which
    /// only a server that remembers the first can do.
    pub async fn spent_for_good(self, demo: &Demo) -> Result<()> {
        let Stage::Granted(held) = &self.stage else { return Ok(()) };
        let fresh = self.since.elapsed() < self.fresh;
        refused(&self.request.redeem(demo, &self.code).await?).context("a code that was redeemed")?;
        if !fresh {
            return Ok(());
        }
        equal(active(demo, &held.access).await?, false).context("a grant whose code was used twice")
    }
}

/// An answer that was no success.
#[derive(Debug)]
pub struct Trouble {
    status: u16,
    body: String,
}

impl Trouble {
    /// Whether this is why, with this status.
    pub fn is(why: &anyhow::Error, status: u16) -> bool {
        why.downcast_ref::<Self>().is_some_and(|trouble| trouble.status == status)
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.body)
    }
}

impl std::error::Error for Trouble {}

impl From<&Answer> for Trouble {
    fn from(answer: &Answer) -> Self {
        Self { status: answer.status.as_u16(), body: answer.body.to_string() }
    }
}

async fn refresh(demo: &Demo, token: &str) -> Result<Answer> {
    post(demo, CLIENT, "token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

async fn active(demo: &Demo, token: &str) -> Result<bool> {
    let answer = post(demo, "demo-notes-api", "introspect", &[("token", token)]).await?;
    answer.body["active"].as_bool().with_context(|| format!("introspection says {} {}", answer.status, answer.body))
}

fn tokens(answer: &Answer) -> Result<Tokens> {
    match (answer.text("access_token"), answer.text("refresh_token")) {
        (Some(access), Some(refresh)) => Ok(Tokens { access, refresh }),
        _ => Err(Trouble::from(answer).into()),
    }
}

fn refused(answer: &Answer) -> Result<()> {
    match answer.text("error").as_deref() {
        Some("invalid_grant") => Ok(()),
        _ => bail!("{}, not refused: {:?}", answer.status, answer.text("error")),
    }
}
