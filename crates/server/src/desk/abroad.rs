//! What the desk asks of other servers. It goes through the relay of the playground: to listed origins only, through the
//! guard, and so many times in an hour for one address. The desk is no open proxy either.

use super::Seat;
use grantor_fetch::{FetchError, RelayAnswer, RelayError, RelayRequest, well_known};
use grantor_jose::{JwkSet, SigningAlgorithm};
use grantor_protocol::Refusal;
use grantor_protocol::desk::{Ask, NotGiven, ServerMetadata, Source, Unaskable, Unfilled};
use grantor_protocol::metadata::path;
use grantor_web::SentProblem;

/// Why something could not be obtained or sent.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The desk does not allow it, or the server is in trouble.
    Refused(Refusal),
    /// The page says why, and about what.
    Told(SentProblem, String),
}

/// A server that gives tokens.
pub(super) struct Known {
    /// Whether it is this one.
    pub(super) own: bool,
    /// Its name, where somebody wrote it down.
    pub(super) issuer: Option<String>,
    /// Whether it promises to say its name (RFC 9207 3).
    pub(super) promises_iss: bool,
    /// RFC 6749 3.1; perhaps empty.
    pub(super) authorization: String,
    /// RFC 6749 3.2; perhaps empty.
    pub(super) token: String,
    /// `jwks_uri`.
    keys: Option<String>,
}

impl Stopped {
    pub(super) fn told(problem: SentProblem) -> Self {
        Self::Told(problem, String::new())
    }
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Unfilled> for Stopped {
    fn from(unfilled: Unfilled) -> Self {
        match unfilled {
            Unfilled::Unknown(names) => Self::Told(SentProblem::UnknownVariables, names.join(", ")),
            Unfilled::Unset(names) => Self::Told(SentProblem::UnsetSecrets, names.join(", ")),
            Unfilled::TooDeep | Unfilled::TooLong | Unfilled::NotOneLine => Self::told(SentProblem::Unfillable),
        }
    }
}

impl From<Unaskable> for Stopped {
    fn from(unaskable: Unaskable) -> Self {
        match unaskable {
            Unaskable::Unfilled(unfilled) => unfilled.into(),
            Unaskable::GrantType(grant_type) => Self::Told(SentProblem::GrantType, grant_type.as_str().to_owned()),
            Unaskable::Method(method) => Self::Told(SentProblem::ClientAuthentication, method.as_str().to_owned()),
            Unaskable::NoSecret => Self::told(SentProblem::NoSecret),
            Unaskable::ClientId => Self::told(SentProblem::NoClient),
        }
    }
}

impl From<NotGiven> for Stopped {
    fn from(not_given: NotGiven) -> Self {
        match not_given {
            NotGiven::Malformed => Self::told(SentProblem::BadAnswer),
            NotGiven::Issuer => Self::told(SentProblem::OtherIssuer),
            NotGiven::Refused(code) => Self::Told(SentProblem::Refused, code),
            NotGiven::TokenType => Self::told(SentProblem::Bound),
            NotGiven::Nonce => Self::told(SentProblem::IdToken),
        }
    }
}

impl Seat<'_> {
    /// Passes a request on. The log says to whom, and never what.
    pub(super) async fn abroad(&self, request: RelayRequest) -> Result<RelayAnswer, Stopped> {
        let (call, origin) = (self.call, request.origin());
        let unlisted = |origin: &str| Stopped::Told(SentProblem::Unlisted, origin.to_owned());
        let relay = call.context.relay.as_ref().ok_or_else(|| unlisted(&origin))?;
        if !call.context.relayed.spend(call.meta.address, call.now()) {
            return Err(Stopped::told(SentProblem::TooMany));
        }
        let answer = call.context.operations.gate.abroad(relay.pass_on(request)).await;
        let request_id = call.meta.request_id;
        match answer.map_err(|_| Stopped::told(SentProblem::Busy))? {
            Ok(answer) => {
                tracing::info!(%request_id, tenant = %call.tenancy.name(), origin, status = answer.status, "relayed");
                Ok(answer)
            }
            Err(error) => {
                tracing::info!(%request_id, reason = %error, "the relay refused");
                Err(match error {
                    RelayError::Method | RelayError::Header => Stopped::told(SentProblem::NotPassedOn),
                    RelayError::NotListed | RelayError::Fetch(FetchError::NotHttps) => unlisted(&origin),
                    RelayError::Fetch(FetchError::MalformedUrl) => Stopped::told(SentProblem::Url),
                    RelayError::Fetch(FetchError::Throttled) => Stopped::told(SentProblem::Busy),
                    RelayError::Fetch(_) => Stopped::Told(SentProblem::Unreachable, origin),
                })
            }
        }
    }

    /// The server that these settings mean. Of another one the metadata are read each time: nothing that it said before counts.
    pub(super) async fn server(&self, ask: &Ask) -> Result<Known, Stopped> {
        let own = &self.call.tenancy.issuer;
        let is_own = match ask.source() {
            Source::Issuer(issuer) => issuer == own.as_str(),
            Source::Endpoints { token, .. } => *token == own.endpoint(path::TOKEN),
        };
        if is_own {
            return Ok(Known {
                own: true,
                issuer: Some(own.to_string()),
                promises_iss: true,
                authorization: own.endpoint(path::AUTHORIZE),
                token: own.endpoint(path::TOKEN),
                keys: None,
            });
        }
        match ask.source() {
            Source::Issuer(issuer) => self.discovered(issuer).await,
            Source::Endpoints { authorization, token } => Ok(Known {
                own: false,
                issuer: None,
                promises_iss: false,
                authorization: authorization.clone(),
                token: token.clone(),
                keys: None,
            }),
        }
    }

    /// RFC 8414 3, OpenID Connect Discovery 4.
    async fn discovered(&self, issuer: &str) -> Result<Known, Stopped> {
        let places = well_known(issuer).map_err(|_| Stopped::told(SentProblem::Url))?;
        for place in places {
            let answer = self.abroad(got(place)?).await?;
            if answer.status != 200 {
                continue;
            }
            let metadata = ServerMetadata::parse(answer.body.as_bytes(), issuer).map_err(|wrong| match wrong {
                NotGiven::Issuer => Stopped::told(SentProblem::OtherIssuer),
                _ => Stopped::told(SentProblem::NoMetadata),
            })?;
            return Ok(Known {
                own: false,
                issuer: Some(issuer.to_owned()),
                promises_iss: metadata.promises_iss,
                authorization: metadata.authorization.unwrap_or_default(),
                token: metadata.token.unwrap_or_default(),
                keys: metadata.keys,
            });
        }
        Err(Stopped::told(SentProblem::NoMetadata))
    }

    /// The keys that its ID tokens are signed with.
    pub(super) async fn keys(&self, known: &Known) -> Result<JwkSet, Stopped> {
        let bad = |_| Stopped::told(SentProblem::IdToken);
        if known.own {
            return JwkSet::parse(&self.call.tenancy.ready()?.jwks).map_err(bad);
        }
        let at = known.keys.clone().ok_or(Stopped::told(SentProblem::IdToken))?;
        JwkSet::parse(self.abroad(got(at)?).await?.body.as_bytes()).map_err(bad)
    }
}

/// Every algorithm that is verified here: which of them counts, the key says.
pub(super) const ALGORITHMS: &[SigningAlgorithm] = SigningAlgorithm::ALL;

fn got(url: String) -> Result<RelayRequest, Stopped> {
    RelayRequest::composed("GET", url, [("accept", "application/json")], None)
        .map_err(|_| Stopped::told(SentProblem::Url))
}
