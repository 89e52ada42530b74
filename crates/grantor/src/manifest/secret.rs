//! Secrets of clients and passwords of users: recognised when they are the same, hashed when they are not.

use super::keeper::Keeper;
use super::{ClientSecrets, HashedSecret, HashedSecrets};
use crate::failure::{Failure, Result};
use crate::fresh;
use grantor_jose::base64url;
use grantor_login::password;
use grantor_protocol::client::{ClientSecret, SecretHash, StoredSecret};
use grantor_protocol::value::{Secret, UnixTime};

/// What marks the quick hash in a manifest.
const QUICK: &str = "sha256:";

/// What marks a secret that is kept readable, under the master key.
const SEALED: &str = "sealed:";

/// What comes of a declaration.
pub(super) struct Settled {
    /// To be stored.
    pub(super) secrets: Vec<StoredSecret>,
    /// To be shown once.
    pub(super) generated: Option<Secret>,
}

/// The secrets that a client has from now on. One that it has already is kept as it is; one that is needed and neither
/// given nor there is made.
pub(super) fn settle(
    declared: &ClientSecrets,
    keeper: &Keeper<'_>,
    held: &[StoredSecret],
    now: UnixTime,
) -> Result<Settled> {
    let expires = declared.client_secret_expires_at.filter(|expires| expires.get() != 0);
    if !keeper.is_needed() {
        return Ok(Settled { secrets: Vec::new(), generated: None });
    }
    if let Some(hashed) = &declared.client_secret_hash {
        let mut secrets = Vec::new();
        for (hash, expires) in hashed.iter().filter_map(HashedSecret::parse) {
            if !keeper.can_read(&hash) {
                return Err(unreadable());
            }
            let created = held.iter().find(|secret| secret.hash == hash).map_or(now, |secret| secret.created);
            secrets.push(StoredSecret { hash, created, expires });
        }
        return Ok(Settled { secrets, generated: None });
    }
    let fitting: Vec<StoredSecret> =
        held.iter().map(|stored| keeper.fit(stored)).filter_map(Result::transpose).collect::<Result<_>>()?;
    if let Some(secret) = &declared.client_secret {
        let same = fitting.iter().any(|stored| stored.is_alive(now) && keeper.matches(&stored.hash, secret));
        let same_time = declared.client_secret_expires_at.is_none()
            || fitting.iter().any(|stored| stored.expires == expires && keeper.matches(&stored.hash, secret));
        if same && same_time {
            return Ok(Settled { secrets: fitting, generated: None });
        }
        let stored = StoredSecret { hash: keeper.keep(secret)?, created: now, expires };
        return Ok(Settled { secrets: vec![stored], generated: None });
    }
    if fitting.iter().any(|stored| stored.is_alive(now)) {
        return Ok(Settled { secrets: fitting, generated: None });
    }
    if held.iter().any(|stored| stored.is_alive(now) && !keeper.can_read(&stored.hash)) {
        return Err(unreadable());
    }
    let secret = ClientSecret::new(fresh::bytes()?).into_secret();
    let stored = StoredSecret { hash: keeper.keep(&secret)?, created: now, expires };
    Ok(Settled { secrets: vec![stored], generated: Some(secret) })
}

fn unreadable() -> Failure {
    Failure::new("a secret for client_secret_jwt was sealed under another master key")
        .hint("use the master key that it was exported with, or give client_secret itself".to_owned())
}

/// The PHC string of a password.
pub(super) fn hash_chosen(secret: &Secret) -> Result<String> {
    Ok(password::hash(secret.expose(), fresh::bytes()?))
}

impl HashedSecrets {
    /// Each of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &HashedSecret> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many.as_slice(),
        }
        .iter()
    }

    /// As an export writes them.
    pub(super) fn of(secrets: &[StoredSecret], now: UnixTime) -> Option<Self> {
        let mut all: Vec<HashedSecret> =
            secrets.iter().filter(|secret| secret.is_alive(now)).map(HashedSecret::of).collect();
        match all.len() {
            0 => None,
            1 => all.pop().map(Self::One),
            _ => Some(Self::Many(all)),
        }
    }
}

impl HashedSecret {
    /// The hash and its end.
    pub(super) fn parse(&self) -> Option<(SecretHash, Option<UnixTime>)> {
        let (text, expires) = match self {
            Self::Lasting(hash) => (hash, None),
            Self::Expiring { hash, expires } => (hash, Some(*expires)),
        };
        let hash = match text.strip_prefix(QUICK) {
            Some(quick) => {
                let whole = base64url::decode(quick).is_some_and(|bytes| bytes.len() == 32);
                whole.then(|| SecretHash::Sha256(quick.to_owned()))
            }
            None => match text.strip_prefix(SEALED) {
                Some(sealed) => base64url::decode(sealed).is_some().then(|| SecretHash::Sealed(sealed.to_owned())),
                None => password::recognises(text).then(|| SecretHash::Phc(text.clone())),
            },
        };
        hash.map(|hash| (hash, expires))
    }

    fn of(secret: &StoredSecret) -> Self {
        let hash = match &secret.hash {
            SecretHash::Sha256(quick) => format!("{QUICK}{quick}"),
            SecretHash::Phc(phc) => phc.clone(),
            SecretHash::Sealed(sealed) => format!("{SEALED}{sealed}"),
        };
        match secret.expires {
            Some(expires) => Self::Expiring { hash, expires },
            None => Self::Lasting(hash),
        }
    }
}
