//! Handles: opaque texts that only the server can make and read. An opaque access token and an authorization code are
//! sealed; a refresh token names its grant and generation and carries a MAC. A forged one fails before anything touches
//! the database. Each begins with a prefix of its kind, which is bound into the seal: no kind passes for another.

use crate::value::{GrantId, Issuer, look_at};
use grantor_jose::seal::{HANDLE_OVERHEAD, HANDLE_RANDOM, HandleSealKey};
use grantor_jose::{base64url, derive, mac::MacKey};

/// What a handle is. The one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandleKind {
    /// An opaque access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// An authorization code.
    Code,
    /// What a form carries from one page to the next.
    Interaction,
    /// A pushed authorization request (RFC 9126).
    PushedRequest,
    /// A device code (RFC 8628).
    DeviceCode,
    /// `state` of an authorization request of the token desk (RFC 6749 4.1.1).
    DeskState,
}

/// One key with its name.
pub struct HandleKey {
    id: [u8; 4],
    seal: HandleSealKey,
    mac: MacKey,
}

/// The keys of one tenant, the active one first.
pub struct HandleKeys {
    /// What each kind is bound to, in the order of [`HandleKind::ALL`].
    contexts: [Vec<u8>; 7],
    keys: Vec<HandleKey>,
}

/// The name of a grant's generation, as a refresh token carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshHandle {
    /// Which grant.
    pub grant: GrantId,
    /// Which generation.
    pub generation: u32,
}

impl HandleKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::AccessToken,
        Self::RefreshToken,
        Self::Code,
        Self::Interaction,
        Self::PushedRequest,
        Self::DeviceCode,
        Self::DeskState,
    ];

    /// What it begins with, so that secret scanners and people recognise it.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::AccessToken => "gr_at_",
            Self::RefreshToken => "gr_rt_",
            Self::Code => "gr_ac_",
            Self::Interaction => "gr_in_",
            Self::PushedRequest => "gr_pr_",
            Self::DeviceCode => "gr_dc_",
            Self::DeskState => "gr_ds_",
        }
    }

    /// The kind that a text claims to be by its prefix.
    pub fn of(unverified: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| unverified.starts_with(kind.prefix()))
    }
}

impl HandleKey {
    /// From 32 secret bytes. The name follows from them.
    pub fn new(secret: &[u8; 32]) -> Self {
        let named = MacKey::new(&derive::subkey(secret, "name")).tag(&[]);
        let mut id = [0; 4];
        id.iter_mut().zip(named).for_each(|(to, from)| *to = from);
        Self {
            id,
            seal: HandleSealKey::new(&derive::subkey(secret, "seal")),
            mac: MacKey::new(&derive::subkey(secret, "mac")),
        }
    }
}

impl HandleKeys {
    /// The keys of a tenant; the first is the active one.
    pub fn new(issuer: &Issuer, keys: Vec<HandleKey>) -> Self {
        let contexts = HandleKind::ALL.map(|kind| format!("{} {issuer}", kind.prefix()).into_bytes());
        Self { contexts, keys }
    }

    /// Reads where the active key lies: see `Tenancy::look_around`. What it gives means nothing.
    pub fn look_around(&self) -> usize {
        look_at(self.context(HandleKind::AccessToken)) ^ self.keys.first().map_or(0, |key| key.seal.look_around())
    }

    /// Seals a content; `random` must be fresh for every call. None when there is no key at all.
    pub fn seal(&self, kind: HandleKind, random: [u8; HANDLE_RANDOM], content: &[u8]) -> Option<String> {
        let key = self.keys.first()?;
        let mut bytes = Vec::with_capacity(key.id.len() + content.len() + HANDLE_OVERHEAD);
        bytes.extend_from_slice(&key.id);
        key.seal.seal_after(self.context(kind), random, content, &mut bytes).then(|| text(kind, &bytes))
    }

    /// Opens what [`Self::seal`] made for the same kind and tenant.
    pub fn open(&self, kind: HandleKind, text: &str) -> Option<Vec<u8>> {
        let bytes = base64url::decode(text.strip_prefix(kind.prefix())?)?;
        let (id, sealed) = bytes.split_at_checked(4)?;
        let key = self.keys.iter().find(|key| key.id == id)?;
        key.seal.open(self.context(kind), sealed)
    }

    /// The refresh token of a generation: derived, so that asking twice gives the same.
    pub fn refresh_token(&self, handle: RefreshHandle) -> Option<String> {
        let key = self.keys.first()?;
        let generation = handle.generation.to_be_bytes();
        let tag = key.mac.tag(&[self.context(HandleKind::RefreshToken), handle.grant.as_bytes(), &generation]);
        let mut bytes = key.id.to_vec();
        bytes.extend(handle.grant.as_bytes());
        bytes.extend(generation);
        bytes.extend(tag);
        Some(text(HandleKind::RefreshToken, &bytes))
    }

    /// Reads a refresh token made here for this tenant.
    pub fn open_refresh_token(&self, text: &str) -> Option<RefreshHandle> {
        let bytes = base64url::decode(text.strip_prefix(HandleKind::RefreshToken.prefix())?)?;
        let (id, rest) = bytes.split_at_checked(4)?;
        let (grant, rest) = rest.split_at_checked(16)?;
        let (generation, tag) = rest.split_at_checked(4)?;
        let key = self.keys.iter().find(|key| key.id == id)?;
        if !key.mac.verify(&[self.context(HandleKind::RefreshToken), grant, generation], tag) {
            return None;
        }
        let grant = GrantId::from_bytes(grant.try_into().ok()?);
        Some(RefreshHandle { grant, generation: u32::from_be_bytes(generation.try_into().ok()?) })
    }

    /// A MAC over values that a form carries back, for CSRF tokens.
    pub fn tag(&self, purpose: &str, parts: &[&[u8]]) -> Option<String> {
        let key = self.keys.first()?;
        Some(base64url::encode(key.mac.tag(&Self::purposed(purpose, parts))))
    }

    /// Whether a MAC of [`Self::tag`] is right, under any key that is still kept.
    pub fn tag_matches(&self, purpose: &str, parts: &[&[u8]], tag: &str) -> bool {
        let Some(tag) = base64url::decode(tag) else { return false };
        let parts = Self::purposed(purpose, parts);
        self.keys.iter().any(|key| key.mac.verify(&parts, &tag))
    }

    fn purposed<'a>(purpose: &'a str, parts: &[&'a [u8]]) -> Vec<&'a [u8]> {
        std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()).collect()
    }

    fn context(&self, kind: HandleKind) -> &[u8] {
        let [access_token, refresh_token, code, interaction, pushed_request, device_code, desk_state] = &self.contexts;
        match kind {
            HandleKind::AccessToken => access_token,
            HandleKind::RefreshToken => refresh_token,
            HandleKind::Code => code,
            HandleKind::Interaction => interaction,
            HandleKind::PushedRequest => pushed_request,
            HandleKind::DeviceCode => device_code,
            HandleKind::DeskState => desk_state,
        }
    }
}

fn text(kind: HandleKind, bytes: &[u8]) -> String {
    let prefix = kind.prefix();
    let mut text = String::with_capacity(prefix.len() + base64url::encoded_len(bytes.len()));
    text.push_str(prefix);
    base64url::encode_into(bytes, &mut text);
    text
}

impl std::fmt::Debug for HandleKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandleKeys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(issuer: &str, secrets: &[u8]) -> HandleKeys {
        let keys = secrets.iter().map(|byte| HandleKey::new(&[*byte; 32])).collect();
        HandleKeys::new(&Issuer::parse(issuer).unwrap(), keys)
    }

    const HANDLE: RefreshHandle = RefreshHandle { grant: GrantId::from_bytes([7; 16]), generation: 3 };

    #[test]
    fn no_kind_of_handle_passes_for_another() {
        let keys = keys("https://id.example", &[1]);
        let code = keys.seal(HandleKind::Code, [0; 24], b"x").unwrap();
        assert_eq!(keys.open(HandleKind::Code, &code).as_deref(), Some(&b"x"[..]));
        let disguised = code.replace("gr_ac_", "gr_at_");
        assert_eq!(keys.open(HandleKind::AccessToken, &disguised), None);
        assert_eq!(keys.open(HandleKind::AccessToken, &code), None);
    }

    #[test]
    fn no_handle_of_one_tenant_works_at_another() {
        let (ours, theirs) = (keys("https://id.example", &[1]), keys("https://id.example/t/acme", &[1]));
        let code = ours.seal(HandleKind::Code, [0; 24], b"x").unwrap();
        assert_eq!(theirs.open(HandleKind::Code, &code), None);
        let refresh = ours.refresh_token(HANDLE).unwrap();
        assert_eq!(ours.open_refresh_token(&refresh), Some(HANDLE));
        assert_eq!(theirs.open_refresh_token(&refresh), None);
    }

    #[test]
    fn rfc9700_4_14_2_the_successor_is_derived_and_so_the_same_when_asked_twice() {
        let keys = keys("https://id.example", &[1]);
        assert_eq!(keys.refresh_token(HANDLE), keys.refresh_token(HANDLE));
        let next = RefreshHandle { generation: 4, ..HANDLE };
        assert_ne!(keys.refresh_token(HANDLE), keys.refresh_token(next));
    }

    #[test]
    fn a_retired_key_still_opens_and_an_unknown_one_does_not() {
        let (old, both, new) = (keys("https://a", &[1]), keys("https://a", &[2, 1]), keys("https://a", &[2]));
        let code = old.seal(HandleKind::Code, [0; 24], b"x").unwrap();
        let tag = old.tag("csrf", &[b"s"]).unwrap();
        assert!(both.open(HandleKind::Code, &code).is_some() && both.tag_matches("csrf", &[b"s"], &tag));
        assert!(new.open(HandleKind::Code, &code).is_none() && !new.tag_matches("csrf", &[b"s"], &tag));
        assert!(!both.tag_matches("csrf", &[b"t"], &tag) && !both.tag_matches("other", &[b"s"], &tag));
    }

    proptest! {
        #[test]
        fn a_changed_refresh_token_is_refused(at in 6_usize..80, letter in "[A-Za-z0-9_-]") {
            let keys = keys("https://id.example", &[1]);
            let good = keys.refresh_token(HANDLE).unwrap();
            let mut changed = good.clone();
            let at = at.min(good.len() - 1);
            changed.replace_range(at..=at, &letter);
            prop_assume!(changed != good);
            prop_assert_eq!(keys.open_refresh_token(&changed), None);
        }

        #[test]
        fn arbitrary_text_opens_nothing(text in "(gr_(at|rt|ac|in)_)?[A-Za-z0-9_-]{0,120}") {
            let keys = keys("https://id.example", &[1]);
            for kind in HandleKind::ALL {
                prop_assert_eq!(keys.open(kind, &text), None);
            }
            prop_assert_eq!(keys.open_refresh_token(&text), None);
        }
    }
}
