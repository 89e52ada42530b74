//! Grants: what a user, or an administrator, allowed a client.

mod access;
mod kind;
mod record;

pub use access::Access;
pub use kind::GrantType;
pub use record::{
    ClaimsRequest, Consent, Grant, NewGrant, Presented, Redemption, RequestedClaim, Rotation, Spend, Standing, TokenRef,
};
