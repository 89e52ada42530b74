//! What every command works with.

use crate::config::Configuration;
use crate::output::Output;
use grantor_protocol::value::TenantName;

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context {
    /// The configuration, and where the data is.
    pub(crate) configuration: Configuration,
    /// How to answer.
    pub(crate) output: Output,
    /// The tenant that was named.
    pub(crate) tenant: Option<TenantName>,
}

impl Context {
    /// The tenant that was named, or the default one.
    pub(crate) fn tenant(&self) -> TenantName {
        self.tenant.clone().unwrap_or_default()
    }

    /// The tenant that was named.
    pub(crate) fn named_tenant(&self) -> Option<&TenantName> {
        self.tenant.as_ref()
    }
}
