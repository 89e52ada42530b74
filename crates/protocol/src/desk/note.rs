//! What a conversion did not take over, or not as it was.

use super::text::VariableName;
use crate::client::AuthMethod;
use serde::Serialize;
use std::fmt;

/// Something that was not taken over, or not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where: a JSON pointer (RFC 6901) into the file that was read, or into the collection that is written.
    pub at: String,
    /// What happened to it.
    pub why: Why,
}

/// What happened to something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// A script is not run and not kept.
    Script,
    /// Credentials of another kind than OAuth 2.0.
    OtherAuth(String),
    /// `response_type=token`, which OAuth 2.1 leaves out (section 10.1).
    ImplicitGrant,
    /// `grant_type=password`, which OAuth 2.1 leaves out (section 10.2).
    PasswordGrant,
    /// A grant type that is not known here, or has no place there.
    GrantType(String),
    /// The token goes into the header, never into a URL (RFC 6750 2.3, OAuth 2.1 5.2).
    TokenInQuery,
    /// PKCE with S256 is used in its place (RFC 7636 7.2).
    PlainChallenge,
    /// PKCE with S256 is added (OAuth 2.1 4.1.1).
    WithoutChallenge,
    /// Drawn afresh each time (RFC 7636 4.1).
    CodeVerifier,
    /// A token is not part of a collection.
    Token,
    /// There is one token endpoint (RFC 6749 3.2).
    RefreshEndpoint,
    /// A setting that has no place here.
    Setting(String),
    /// It is a secret variable now.
    MadeSecret(VariableName),
    /// A secret has no place in a file: the variable is written without its value.
    SecretLeftOut(VariableName),
    /// The fields of a user in a URL, which are credentials (RFC 3986 3.2.1).
    UserInUrl,
    /// Answers that were kept as examples.
    Examples,
    /// A body of this kind.
    BodyMode(String),
    /// It was switched off.
    Disabled,
    /// Variables of a folder or of a request.
    LocalVariables,
    /// A variable that has no name, or one that cannot be written here.
    VariableName,
    /// Something of this name is there already.
    Repeated,
    /// It has several lines where one is possible, or is too long, or holds what may not be there.
    Unfit,
    /// It is not what the format says.
    Malformed,
    /// The token request that an export adds follows from the settings.
    TokenRequest,
    /// A name was put in the place of none.
    Named,
    /// There is no discovery there: this variable must be given the endpoint.
    EndpointVariable(VariableName),
    /// There is no such way to authenticate there.
    AuthMethod(AuthMethod),
    /// A browser or a person is needed: this variable must be given the token.
    TokenVariable(VariableName),
    /// A line of it would be something else there than a part of the request, so the request is left out.
    WouldBreakOut,
    /// `{{...}}` that names no variable of the collection would be evaluated there, so it is left out.
    WouldBeEvaluated,
    /// This variable has another name there.
    Renamed(VariableName),
    /// There is more to say than this.
    More(usize),
}

impl Note {
    /// That a file has a secret variable without its value.
    pub fn secret_left_out(name: &VariableName) -> Self {
        Self { at: format!("/variables/{name}"), why: Why::SecretLeftOut(name.clone()) }
    }
}

/// How many notes are kept.
const MAX_NOTES: usize = 1_000;

/// Notes as they are made.
#[derive(Debug, Default)]
pub(super) struct Notes {
    kept: Vec<Note>,
    more: usize,
}

impl Notes {
    pub(super) fn add(&mut self, at: &str, why: Why) {
        if self.kept.len() < MAX_NOTES {
            self.kept.push(Note { at: at.to_owned(), why });
        } else {
            self.more += 1;
        }
    }

    pub(super) fn finish(self) -> Vec<Note> {
        let Self { mut kept, more } = self;
        if more > 0 {
            kept.push(Note { at: String::new(), why: Why::More(more) });
        }
        kept
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() { "/" } else { &self.at };
        write!(f, "{at}: {}", self.why)
    }
}

impl Serialize for Note {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut note = serializer.serialize_struct("Note", 2)?;
        note.serialize_field("at", &self.at)?;
        note.serialize_field("why", &self.why.to_string())?;
        note.end()
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Script => "a script: scripts are neither run nor kept",
            Self::OtherAuth(kind) => {
                return write!(f, "credentials of the kind {kind:?}: only oauth2 and noauth are read");
            }
            Self::ImplicitGrant => {
                "the implicit grant, which OAuth 2.1 leaves out: it puts the token into a URL, where it is logged and \
                 injected; use the authorization code"
            }
            Self::PasswordGrant => {
                "the password grant, which OAuth 2.1 leaves out: it shows the user's password to the client; use the \
                 authorization code"
            }
            Self::GrantType(kind) => return write!(f, "the grant type {kind:?}"),
            Self::TokenInQuery => "the token goes into the header: one in a URL is logged (RFC 6750 2.3)",
            Self::PlainChallenge => "PKCE is always S256 (RFC 7636 7.2)",
            Self::WithoutChallenge => "PKCE with S256 is added (OAuth 2.1 4.1.1)",
            Self::CodeVerifier => "a code verifier is drawn afresh each time (RFC 7636 4.1)",
            Self::Token => "a token is not part of a collection",
            Self::RefreshEndpoint => "refresh requests go to the token endpoint too (RFC 6749 6)",
            Self::Setting(name) => return write!(f, "the setting {name:?}"),
            Self::MadeSecret(name) => return write!(f, "it is the secret variable {name} now"),
            Self::SecretLeftOut(name) => return write!(f, "the secret variable {name} is written without its value"),
            Self::UserInUrl => "a user and a password in a URL",
            Self::Examples => "answers kept as examples",
            Self::BodyMode(mode) => return write!(f, "a body of the kind {mode:?}"),
            Self::Disabled => "it was switched off",
            Self::LocalVariables => "variables belong to the collection or to an environment",
            Self::VariableName => "the name of a variable is 1 to 100 of A-Z, a-z, 0-9, _, - and .",
            Self::Repeated => "something of this name is there already",
            Self::Unfit => "it has several lines where one is possible, is too long, or holds what may not be there",
            Self::Malformed => "it is not what the format says",
            Self::TokenRequest => "a token request that follows from the settings",
            Self::Named => "it had no name",
            Self::EndpointVariable(name) => {
                return write!(f, "there is no discovery there: give the variable {name} the endpoint");
            }
            Self::AuthMethod(method) => return write!(f, "there is no {} there", method.as_str()),
            Self::TokenVariable(name) => {
                return write!(f, "nobody obtains this token there: give the variable {name} the token");
            }
            Self::WouldBreakOut => "left out: a line of it would be read as something else than a part of this request",
            Self::WouldBeEvaluated => {
                "left out: {{...}} in it names no variable of the collection, and would be evaluated there"
            }
            Self::Renamed(name) => return write!(f, "it is called {name} there"),
            Self::More(count) => return write!(f, "and {count} more of these"),
        };
        f.write_str(text)
    }
}
