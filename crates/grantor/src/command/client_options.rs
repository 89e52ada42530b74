//! What `grantor client create` and `update` set of a client.

use crate::failure::Result;
use clap::Args;
use clap::builder::PossibleValuesParser;
use grantor_protocol::client::AuthMethod;
use grantor_protocol::grant::GrantType;
use grantor_protocol::profile::Profile;
use serde_json::{Map, Value};
use std::path::PathBuf;

/// The members of RFC 7591 that are set by hand; a manifest or --set has all of them.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What users are shown
    #[arg(long)]
    name: Option<String>,
    /// Where users are sent back to; may be repeated
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// How it obtains tokens; may be repeated
    #[arg(long, value_name = "TYPE", value_parser = PossibleValuesParser::new(GrantType::ALL.map(GrantType::as_str)))]
    grant_type: Vec<String>,
    /// How it authenticates
    #[arg(long, value_name = "METHOD", value_parser = PossibleValuesParser::new(AuthMethod::ALL.map(AuthMethod::as_str)))]
    auth_method: Option<String>,
    /// A file with its public keys, a set or one alone (RFC 7517)
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
    jwks: Option<PathBuf>,
    /// Where its public keys are
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,
    /// How strict the server is with it
    #[arg(long, value_name = "PROFILE", value_parser = PossibleValuesParser::new(Profile::ALL.map(Profile::as_str)))]
    profile: Option<String>,
    /// A public client: the same as --auth-method none
    #[arg(long, conflicts_with = "auth_method")]
    public: bool,
    /// The scopes that it may ask for, with spaces between them
    #[arg(long)]
    scope: Option<String>,
    /// web or native
    #[arg(long, value_name = "TYPE")]
    application_type: Option<String>,
    /// Any other member of RFC 7591; the value is JSON, or a text
    #[arg(long, value_name = "MEMBER=VALUE", value_parser = parse_member)]
    set: Vec<(String, Value)>,
}

impl Options {
    /// Writes what was said over a record.
    pub(super) fn write(self, record: &mut Map<String, Value>) -> Result<()> {
        let jwks = self.jwks.as_deref().map(super::jwks_file).transpose()?;
        // Each takes the place of the other (RFC 7591 2).
        if jwks.is_some() {
            record.remove("jwks_uri");
        }
        if self.jwks_uri.is_some() {
            record.remove("jwks");
        }
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                record.insert(key.to_owned(), value);
            }
        };
        let list = |items: Vec<String>| (!items.is_empty()).then(|| Value::from(items));
        put("client_name", self.name.map(Value::from));
        put("redirect_uris", list(self.redirect_uri));
        put("grant_types", list(self.grant_type));
        put("token_endpoint_auth_method", self.public.then(|| "none".into()).or(self.auth_method.map(Value::from)));
        put("scope", self.scope.map(Value::from));
        put("application_type", self.application_type.map(Value::from));
        put("jwks", jwks);
        put("jwks_uri", self.jwks_uri.map(Value::from));
        put("profile", self.profile.map(Value::from));
        for (key, value) in self.set {
            put(&key, Some(value));
        }
        Ok(())
    }
}

fn parse_member(raw: &str) -> Result<(String, Value), String> {
    let (key, value) = raw.split_once('=').ok_or("write MEMBER=VALUE")?;
    Ok((key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))))
}
