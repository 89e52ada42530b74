//! The tools: each acts for the user whom the token is about.

use grantor_resource::Verified;
use http::request::Parts;
use rmcp::handler::server::tool::Extension;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::schemars::JsonSchema;
use rmcp::{ErrorData, tool, tool_router};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The notes of each user, by the subject of his tokens.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<HashMap<String, Vec<String>>>>);

/// A note.
#[derive(Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(crate) struct Note {
    /// What it says.
    text: String,
}

#[tool_router(server_handler)]
impl Notes {
    /// Your notes, one in a line.
    #[tool]
    async fn list_notes(&self, Extension(request): Extension<Parts>) -> Result<String, ErrorData> {
        self.of(&request, |notes| notes.join("\n"))
    }

    /// Adds a note to yours.
    #[tool]
    async fn add_note(
        &self,
        Parameters(note): Parameters<Note>,
        Extension(request): Extension<Parts>,
    ) -> Result<String, ErrorData> {
        self.of(&request, |notes| {
            notes.push(note.text);
            format!("You have {} notes.", notes.len())
        })
    }
}

impl Notes {
    /// Does something with the notes of the one for whom the request is made: the layer has put his token there.
    fn of<T>(&self, request: &Parts, act: impl FnOnce(&mut Vec<String>) -> T) -> Result<T, ErrorData> {
        let token = request.extensions.get::<Verified>();
        let token = token.ok_or_else(|| ErrorData::internal_error("no token was checked", None))?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(act(all.entry(token.subject().to_owned()).or_default()))
    }
}
