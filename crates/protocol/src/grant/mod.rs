//! Grants: what a user, or an administrator, allowed a client.

mod access;
pub mod authorization_code;
pub mod client_credentials;
pub mod device_code;
mod kind;
mod record;
pub mod refresh_token;

pub use access::Access;
pub use kind::GrantType;
pub use record::{
    ClaimsRequest, Consent, Delegation, Grant, NewGrant, OwnedGrant, Presented, Redemption, Renewal, RequestedClaim,
    Rotation, Spend, Standing, TokenRef,
};
