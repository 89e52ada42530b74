//! An API, and the way of a request through it: find the token, see whether it holds, whether its sender may use it, and
//! whether it is enough.

use crate::cache::{Age, Cache};
use crate::credential::{Credential, Head};
use crate::dpop::Dpop;
use crate::introspection::Asker;
use crate::jwt::{self, Expected};
use crate::keys::Keys;
use crate::rejection::Rejection;
use crate::status::StatusLists;
use crate::{Builder, ProtectedResource, Refusal, Requirement, Revocations, Standing, Verified};
use arc_swap::ArcSwapOption;
use grantor_jose::SigningAlgorithm;
use grantor_jose::jws::{KnownHeader, Unverified};
use grantor_jose::names::{Name, Names};
use grantor_protocol::protected_resource::{Scheme, Voice};
use grantor_protocol::token::Binding;
use grantor_protocol::value::{Seconds, UnixTime};
use std::fmt;
use std::sync::Arc;

/// An API that accepts access tokens of one issuer. Cheap to clone; clones share what they remember.
#[derive(Clone)]
pub struct Api(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) requirement: Requirement,
    pub(crate) algorithms: Vec<SigningAlgorithm>,
    pub(crate) leeway: Seconds,
    pub(crate) form: bool,
    pub(crate) keys: Arc<Keys>,
    /// That of the last token that held: most are signed with one key.
    pub(crate) header: ArcSwapOption<KnownHeader>,
    pub(crate) statuses: Option<StatusLists>,
    pub(crate) introspection: Option<Asker>,
    pub(crate) dpop: Dpop,
    pub(crate) revocations: Option<Arc<dyn Revocations>>,
    pub(crate) names: Names,
    pub(crate) cache: Cache,
    pub(crate) metadata: ProtectedResource,
    /// URL and path of the metadata, where the audience is one of the web.
    pub(crate) metadata_place: Option<(String, String)>,
    pub(crate) clock: Clock,
}

/// What time it is.
#[derive(Clone)]
pub(crate) struct Clock(pub(crate) Arc<dyn Fn() -> UnixTime + Send + Sync>);

/// A token whose worth is asked for.
#[derive(Clone, Copy)]
struct Question<'a> {
    token: &'a str,
    name: Name,
    age: Age,
    now: UnixTime,
}

impl Api {
    /// An API that accepts the tokens of `issuer` (its URL, exactly as it stands in `iss`) for `audience` (its own
    /// identifier, exactly as it stands in `aud`).
    pub fn builder(issuer: &str, audience: &str) -> Builder {
        Builder::new(issuer, audience)
    }

    pub(crate) fn of(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Whether a request may pass: it has an access token in its `Authorization` header, the token holds, its sender proved
    /// what it is bound to, and it fulfils the requirement. Waits only when keys must be fetched or the issuer be asked.
    ///
    /// A DPoP proof is used up by it: check each request once.
    ///
    /// # Errors
    ///
    /// How to answer the request otherwise. Why is in the log (at `info`) and in the rejection.
    pub async fn check(&self, head: impl Into<Head<'_>>, requirement: &Requirement) -> Result<Verified, Rejection> {
        let head = head.into();
        self.check_credential(Credential::of_header(head.headers), &head, requirement).await
    }

    /// The same for a request whose body is read: the token may be in it as `access_token`, if that is switched on with
    /// [`Builder::accept_form_tokens`]; a request that has one there otherwise is refused (RFC 6750 2.2).
    ///
    /// # Errors
    ///
    /// As [`Self::check`].
    pub async fn check_with_form(
        &self,
        head: impl Into<Head<'_>>,
        form: &[u8],
        requirement: &Requirement,
    ) -> Result<Verified, Rejection> {
        let head = head.into();
        let credential = match Credential::of_header_or_form(&head, form) {
            Ok(credential) if credential.is_of_form() && !self.0.form => Err(Refusal::UnexpectedForm),
            credential => credential,
        };
        self.check_credential(credential, &head, requirement).await
    }

    async fn check_credential(
        &self,
        credential: Result<Credential<'_>, Refusal>,
        head: &Head<'_>,
        requirement: &Requirement,
    ) -> Result<Verified, Rejection> {
        let now = self.now();
        let credential = credential.map_err(|why| self.reject(why, requirement, None, now))?;
        let question = self.question(&credential.token, now);
        let known = match self.known(&question) {
            Some(known) => known,
            // Apart: it is large, and seldom needed.
            None => Box::pin(self.learned(&question)).await,
        };
        known
            .and_then(|token| self.admit(&credential, token, head, requirement, now))
            .map_err(|why| self.reject(why, requirement, Some(credential.scheme), now))
    }

    /// Gives back the memory of tokens that were verified: each is verified anew. Nothing needs this to be right; what was
    /// taken back is refused without it.
    pub fn forget_verified(&self) {
        self.0.cache.clear();
    }

    /// What the API says of itself (RFC 9728 2).
    pub fn metadata(&self) -> &ProtectedResource {
        &self.0.metadata
    }

    /// Where that is looked for: the URL (RFC 9728 3.1), if the audience is one of the web.
    pub fn metadata_url(&self) -> Option<&str> {
        self.0.metadata_place.as_ref().map(|(url, _)| url.as_str())
    }

    /// The path of that URL.
    pub fn metadata_path(&self) -> Option<&str> {
        self.0.metadata_place.as_ref().map(|(_, path)| path.as_str())
    }

    /// A nonce for the client's next DPoP proof, where nonces are wanted (RFC 9449 8.2).
    pub fn dpop_nonce(&self) -> Option<String> {
        self.0.dpop.nonce(self.now())
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether a token that was checked before is enough for this, too.
    pub(crate) fn decide(&self, token: &Verified, requirement: &Requirement, head: &Head<'_>) -> Result<(), Rejection> {
        let now = self.now();
        let scheme = Credential::of_header(head.headers).ok().map(|credential| credential.scheme);
        requirement.decide(token, now).map_err(|lacks| self.reject(lacks.into(), requirement, scheme, now))
    }

    fn now(&self) -> UnixTime {
        (self.0.clock.0)()
    }

    fn question<'a>(&self, token: &'a str, now: UnixTime) -> Question<'a> {
        Question { token, name: self.0.names.of(token), age: self.0.keys.withdrawals(), now }
    }

    fn expected(&self, now: UnixTime) -> Expected<'_> {
        let Inner { issuer, audience, algorithms, leeway, .. } = &*self.0;
        Expected { issuer, audience, algorithms, leeway: *leeway, now }
    }

    /// What can be said of a token without waiting.
    fn known(&self, question: &Question<'_>) -> Option<Result<Verified, Refusal>> {
        let Question { token, name, age, now } = question;
        if let Some(token) = self.0.cache.get(name, *age, *now) {
            return self.settled(token, *now);
        }
        let header = self.0.header.load();
        let unverified = jwt::parse(token, header.as_deref());
        if self.asker(&unverified).is_some() {
            return self.0.cache.is_refused(name, *age, *now).map(Err);
        }
        let unverified = match unverified {
            Err(why) => return Some(Err(why)),
            Ok(unverified) => unverified,
        };
        let keys = self.0.keys.at_hand()?;
        let other = header.as_ref().is_none_or(|known| !known.is_of(&unverified)).then(|| unverified.known_header());
        let token = match jwt::check(unverified, &keys, &self.expected(*now)) {
            Err(Refusal::UnknownKey) if self.0.keys.can_be_fetched() => return None,
            Err(why) => return Some(Err(why)),
            Ok(token) => token,
        };
        if let Some(other) = other {
            self.0.header.store(Some(Arc::new(other)));
        }
        self.0.cache.insert(*name, &token, UnixTime::FOREVER, *age);
        self.settled(token, *now)
    }

    /// The rest, with waiting.
    async fn learned(&self, question: &Question<'_>) -> Result<Verified, Refusal> {
        let Question { token, name, age, now } = *question;
        if let Some(token) = self.0.cache.get(&name, age, now) {
            return self.settling(token, now).await;
        }
        let unverified = jwt::parse(token, None);
        if let Some(asker) = self.asker(&unverified) {
            return self.asked(question, asker).await;
        }
        let unverified = unverified?;
        let keys = self.0.keys.fetch(unverified.header().kid()).await?;
        let token = jwt::check(unverified, &keys, &self.expected(now))?;
        self.0.cache.insert(name, &token, UnixTime::FOREVER, age);
        self.settling(token, now).await
    }

    /// Whether a token that holds was taken back, where that can be said without waiting.
    fn settled(&self, token: Verified, now: UnixTime) -> Option<Result<Verified, Refusal>> {
        let lists = self.0.statuses.as_ref().zip(token.status());
        let listed = lists.map_or(Standing::Good, |(lists, status)| lists.standing(status, now));
        let own = || self.0.revocations.as_ref().map_or(Standing::Good, |own| own.standing(&token, now));
        match listed.and(own) {
            Standing::Good => Some(Ok(token)),
            Standing::TakenBack => Some(Err(Refusal::TakenBack)),
            Standing::Unknown => None,
        }
    }

    /// The same with waiting.
    async fn settling(&self, token: Verified, now: UnixTime) -> Result<Verified, Refusal> {
        if let Some(settled) = self.settled(token.clone(), now) {
            return settled;
        }
        let mut standing = match self.0.statuses.as_ref().zip(token.status()) {
            Some((lists, status)) if lists.standing(status, now) == Standing::Unknown => lists.learn(status, now).await,
            Some((lists, status)) => lists.standing(status, now),
            None => Standing::Good,
        };
        if let (Standing::Good, Some(own)) = (standing, &self.0.revocations) {
            standing = match own.standing(&token, now) {
                Standing::Unknown => own.learn(&token, now).await,
                known => known,
            };
        }
        match standing {
            Standing::Good => Ok(token),
            Standing::TakenBack => Err(Refusal::TakenBack),
            Standing::Unknown => Err(Refusal::NoStanding),
        }
    }

    /// Who is asked about the token, where it is not read.
    fn asker(&self, unverified: &Result<Unverified<'_>, Refusal>) -> Option<&Asker> {
        let asker = self.0.introspection.as_ref()?;
        let asks = match unverified {
            Err(Refusal::TooLong) => false,
            Err(Refusal::NotAJwt(_)) => true,
            _ => asker.asks_about_every_token(),
        };
        asks.then_some(asker)
    }

    async fn asked(&self, question: &Question<'_>, asker: &Asker) -> Result<Verified, Refusal> {
        let Question { token, name, age, now } = *question;
        let [kept, kept_inactive] = asker.kept(now);
        let answer = asker.ask(token, name, &self.expected(now).wanted()).await;
        match &answer {
            Ok(token) if now < kept => self.0.cache.insert(name, token, kept, age),
            Err(Refusal::Inactive) if now < kept_inactive => self.0.cache.refuse(name, kept_inactive, age),
            _ => {}
        }
        answer
    }

    /// Whether the sender may use the token, and whether it is enough.
    fn admit(
        &self,
        credential: &Credential<'_>,
        token: Verified,
        head: &Head<'_>,
        requirement: &Requirement,
        now: UnixTime,
    ) -> Result<Verified, Refusal> {
        match (token.binding(), credential.scheme) {
            (Binding::Dpop(_), Scheme::Bearer) => return Err(Refusal::BoundTokenAsBearer),
            (Binding::Dpop(key), Scheme::Dpop) => self.0.dpop.check(head, &credential.token, key, now)?,
            // Who sends a proof believes that the token is worth nothing without it.
            (_, Scheme::Dpop) => return Err(Refusal::UnboundTokenAsDpop),
            (_, Scheme::Bearer) if Dpop::has_proof(head) => return Err(Refusal::UnboundTokenAsDpop),
            (Binding::Mtls(wanted), Scheme::Bearer) => {
                if head.certificate.is_none_or(|certificate| certificate.thumbprint() != *wanted) {
                    return Err(Refusal::OtherCertificate);
                }
            }
            (Binding::Bearer, Scheme::Bearer) => {}
        }
        self.0.requirement.decide(&token, now)?;
        requirement.decide(&token, now)?;
        Ok(token)
    }

    fn reject(&self, refusal: Refusal, requirement: &Requirement, scheme: Option<Scheme>, now: UnixTime) -> Rejection {
        let status = refusal.code().status();
        tracing::info!(audience = self.0.audience, status, %refusal, "a request was refused");
        let voice = Voice {
            audience: &self.0.audience,
            metadata_url: self.metadata_url(),
            dpop_algorithms: &self.0.dpop.algorithms,
        };
        let nonce = (refusal == Refusal::NonceWanted).then(|| self.0.dpop.nonce(now)).flatten();
        let whole = self.0.requirement.clone().and(requirement.clone());
        Rejection::new(refusal, &voice, &whole, scheme, nonce)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { issuer, audience, .. } = &*self.0;
        f.debug_struct("Api").field("issuer", issuer).field("audience", audience).finish_non_exhaustive()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
#[path = "api_tests.rs"]
mod tests;
