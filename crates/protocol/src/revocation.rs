//! Revocation (RFC 7009).

use crate::client::AuthenticatedClient;
use crate::token::AccessToken;
use crate::token::handle::RefreshHandle;
use crate::value::{GrantId, TokenId, UnixTime};

/// What a token to be revoked turned out to be.
#[derive(Clone, Debug)]
pub enum Revocable {
    /// A refresh token: its grant is taken back (2.1).
    RefreshToken(RefreshHandle),
    /// An access token.
    AccessToken(Box<AccessToken>),
    /// Nothing that stands here: the answer is 200 all the same (2.2).
    Nothing,
}

/// What is to be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// A grant with all its tokens; if its client is the caller, which the store's record tells.
    Grant(GrantId),
    /// One access token.
    Token(TokenId, UnixTime),
    /// Nothing.
    Nothing,
}

/// RFC 7009 2.1: a client can take back only what is its own.
pub fn decide(token: &Revocable, client: &AuthenticatedClient) -> Take {
    match token {
        Revocable::RefreshToken(handle) => Take::Grant(handle.grant),
        Revocable::AccessToken(token) if client.is(&token.client) => Take::Token(token.id, token.expires),
        Revocable::AccessToken(_) | Revocable::Nothing => Take::Nothing,
    }
}
