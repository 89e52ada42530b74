//! Passwords, and secrets that somebody chose: made as argon2id with 19 MiB, two passes, one lane (OWASP's first
//! choice), and verified in the forms that other servers export, each up to a cost that cannot stop the server.
//!
//! | what | as |
//! |---|---|
//! | argon2id, argon2i, argon2d | PHC: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` |
//! | bcrypt | modular crypt: `$2a$`, `$2b$` or `$2y$`, cost 4 to 15 |
//! | scrypt | PHC, passlib's included: `$scrypt$ln=17,r=8,p=1$salt$hash` |
//! | PBKDF2 | PHC: `$pbkdf2-sha256$i=600000,l=32$salt$hash`, `l` or none; `-sha512`; `-sha1` or nothing |
//! | PBKDF2 of passlib | `$pbkdf2-sha256$29000$salt$hash`, `$pbkdf2-sha512$`, `$pbkdf2$` |
//! | PBKDF2 of Django | `pbkdf2_sha256$600000$salt$hash`, `pbkdf2_sha1$`, `pbkdf2_sha512$` |
//!
//! Others are written in one of these by whoever imports them. Salts and hashes of PHC are base64 without `=`.
//!
//! - Keycloak exports a credential as JSON: `algorithm` and `hashIterations` in its `credentialData`, `salt` and
//!   `value` in its `secretData`. PBKDF2 is `$<algorithm>$i=<hashIterations>$<salt>$<value>`, salt and value without
//!   their `=`; argon2 is `$argon2<type>$v=19$m=<memory>,t=<hashIterations>,p=<parallelism>$<salt>$<value>`, with
//!   `v=16` for its version 1.0.
//! - Django's `argon2$argon2id$…` and `bcrypt$$2b$…` go without their first word. Its `bcrypt_sha256$` and `scrypt$`
//!   have no other form.
//!
//! [`hash`](hash()) and [`verify`] take up to two seconds of one core by design, and up to 256 MiB: an async caller
//! runs them on a bounded blocking pool.

mod argon2;
mod bcrypt;
mod derived;
mod pbkdf2;
mod scrypt;

/// Hashes a password under a fresh salt. Empty only if argon2 refuses, which it does for nothing that fits in memory;
/// an empty string verifies nothing.
pub fn hash(password: &str, salt: [u8; 16]) -> String {
    argon2::hash(password, salt)
}

/// What no password has, but is verified at the cost of [`hash`].
pub fn of_nobody(random: [u8; 16]) -> String {
    argon2::of_nobody(random)
}

/// Whether this is the password. The cost is that of the hash, so that imported hashes verify too.
pub fn verify(password: &str, hash: &str) -> bool {
    Hash::parse(hash).is_some_and(|hash| hash.verify(password))
}

/// Whether [`verify`] can read the string at all: one of the forms above, of a bearable cost. Quick.
pub fn recognises(hash: &str) -> bool {
    Hash::parse(hash).is_some()
}

/// Whether the hash is what [`hash`](hash()) makes today: argon2id at today's cost, neither cheaper nor dearer, so that
/// all users come to cost the same. Quick. A caller that hashes again on use asks [`should_rehash`].
pub fn is_current(hash: &str) -> bool {
    match Hash::parse(hash) {
        Some(Hash::Argon2(argon2)) => argon2.is_current(),
        Some(Hash::Bcrypt(_) | Hash::Scrypt(_) | Hash::Pbkdf2(_)) | None => false,
    }
}

/// Whether a password that [`verify`] has just found right should be hashed again and take the place of its hash: when
/// that is not current, and the password is surely all that its user knows. Quick.
///
/// Of a long password bcrypt has seen the beginning only, so that one with a mistyped end verifies as well; hashed
/// again, the mistake would lock out the user who types it right tomorrow.
pub fn should_rehash(password: &str, hash: &str) -> bool {
    match Hash::parse(hash) {
        Some(Hash::Argon2(argon2)) => !argon2.is_current(),
        Some(Hash::Bcrypt(_)) => bcrypt::sees_all_of(password),
        Some(Hash::Scrypt(_) | Hash::Pbkdf2(_)) => true,
        None => false,
    }
}

/// A hash whose cost is bearable, since its algorithm's `parse` is the only door.
enum Hash<'a> {
    Argon2(Box<argon2::Argon2Hash>),
    Bcrypt(bcrypt::BcryptHash<'a>),
    Scrypt(scrypt::ScryptHash),
    Pbkdf2(pbkdf2::Pbkdf2Hash),
}

impl<'a> Hash<'a> {
    fn parse(hash: &'a str) -> Option<Self> {
        argon2::Argon2Hash::parse(hash)
            .map(|hash| Self::Argon2(Box::new(hash)))
            .or_else(|| bcrypt::BcryptHash::parse(hash).map(Self::Bcrypt))
            .or_else(|| scrypt::ScryptHash::parse(hash).map(Self::Scrypt))
            .or_else(|| pbkdf2::Pbkdf2Hash::parse(hash).map(Self::Pbkdf2))
    }

    fn verify(&self, password: &str) -> bool {
        match self {
            Self::Argon2(hash) => hash.verify(password),
            Self::Bcrypt(hash) => hash.verify(password),
            Self::Scrypt(hash) => hash.verify(password),
            Self::Pbkdf2(hash) => hash.verify(password),
        }
    }
}

#[cfg(test)]
mod tests;
