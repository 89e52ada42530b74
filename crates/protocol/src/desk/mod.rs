//! What the token desk saves: requests in folders, the token settings that they inherit, variables, and both on their way
//! from and to the files of other programs.
//!
//! Everything here may come from a stranger. So each text has a type that says what it may hold, everything has a bound, a value is
//! put in the place of a name and never evaluated, and a secret leaves only through [`Secret::expose`](crate::value::Secret::expose) and
//! [`Environment::take_secrets`].

mod ask;
mod collection;
mod edit;
mod fill;
mod given;
mod http_file;
mod indent;
mod invalid;
mod note;
mod parts;
mod postman;
mod secrets;
mod settings;
mod text;
mod tokens;
mod variable;

pub use ask::{Ask, AskedToken, Leaving, Source, Unaskable, urlencoded};
pub use collection::{Body, Collection, Field, Folder, Header, Item, Request, Token};
pub use edit::{About, At, Step, Unchanged};
pub use fill::{Unfilled, Variables};
pub use given::{Given, NotGiven, Sender, ServerMetadata, code};
pub use http_file::{HttpFile, to_http_file};
pub use indent::indented;
pub use invalid::Invalid;
pub use note::{Note, Why};
pub use postman::{Foreign, Imported, PostmanFile, from_postman, is_postman, to_postman};
pub use settings::{Endpoints, Parameter, Parameters, Place, Server, TokenSettings, UsedToken};
pub use text::{HeaderName, Line, Method, Name, VariableName};
pub use variable::{Environment, Value, Variable};

/// The most bytes of a collection or an environment, as JSON.
pub const MAX_BYTES: usize = 4 << 20;

/// How deep folders may lie in each other.
pub const MAX_DEPTH: usize = 16;

/// The most folders and requests of a collection.
pub const MAX_ITEMS: usize = 2_000;

/// The most variables of a collection or an environment.
pub const MAX_VARIABLES: usize = 500;

/// The most headers of a request, fields of a form, and extra parameters of one kind.
pub const MAX_LIST: usize = 100;

/// The most bytes of a body, a description and the value of a variable.
pub const MAX_TEXT: usize = 256 << 10;

#[cfg(test)]
mod tests;
