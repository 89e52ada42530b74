//! Documents as files: of other programs read, and written for them. Secrets go in and never out.

use super::super::{Shown, View};
use super::show::looked_at;
use super::{EXPORT, Place};
use crate::desk::OpenedDocument;
use crate::respond;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::desk::{
    Collection, Environment, HttpFile, Imported, Note, PostmanFile, from_postman, is_postman, to_http_file, to_postman,
};
use grantor_protocol::params::Params;
use grantor_protocol::value::ItemId;
use grantor_protocol::workspace::{Document, Saved};
use grantor_web::DeskExport;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// A document in another format.
struct Written {
    name: String,
    text: String,
    notes: Vec<Note>,
    /// How the file's name ends.
    ending: &'static str,
}

/// Reads a file into a new document, and shows what of the file is not in it.
pub(super) async fn import(place: &Place<'_>, text: &str) -> Result<Response, Refusal> {
    let json = text.trim().as_bytes();
    // Why it cannot be read may quote it, and it may hold secrets.
    let unreadable = || Refusal::MalformedParameter("document");
    let (name, path, notes) = if is_postman(json) {
        let Imported { collection, notes } = from_postman(json).map_err(|_| unreadable())?;
        (collection.root().name.to_string(), place.put(collection).await?, notes)
    } else if let Ok(collection) = Collection::parse(json) {
        (collection.root().name.to_string(), place.put(collection).await?, Vec::new())
    } else {
        let environment = Environment::parse(json).map_err(|_| unreadable())?;
        (environment.name().to_string(), place.put(environment).await?, Vec::new())
    };
    let page = DeskExport {
        desk: place.frame(Some(grantor_web::DeskNotice::Done))?,
        name,
        notes: notes.iter().map(ToString::to_string).collect(),
        text: None,
        link: format!("{}{path}", place.call.tenancy.base),
    };
    Ok(View::new(place.call, Some(place.browser)).show(&page))
}

/// A document in another format: a page with what is not in it, or the file.
pub(super) async fn export(call: &crate::extract::Call) -> Shown {
    looked_at(call, async |place: &Place<'_>, item, params: &Params| {
        let to = params.get("to").unwrap_or_default();
        let written = written(place, item, to).await?;
        if params.get("download").is_some() {
            return Ok(written.file());
        }
        let Written { name, text, notes, ending: _ } = written;
        let base = &place.call.tenancy.base;
        let page = DeskExport {
            desk: place.frame(None)?,
            name,
            notes: notes.iter().map(ToString::to_string).collect(),
            text: Some(text),
            link: format!("{base}{EXPORT}?workspace={}&item={item}&to={to}&download=yes", place.here.id),
        };
        Ok(View::new(place.call, Some(place.browser)).show(&page))
    })
    .await
}

async fn written(place: &Place<'_>, item: ItemId, to: &str) -> Result<Written, Refusal> {
    if let Ok(OpenedDocument { saved, .. }) = place.seat.document::<Environment>(&place.here, item).await {
        return if to == "grantor" { own_json(&saved) } else { Err(Refusal::NotOnTheDesk) };
    }
    let OpenedDocument { saved, .. } = place.seat.document::<Collection>(&place.here, item).await?;
    let name = Document::name(saved.document()).to_owned();
    match to {
        "postman" => {
            let PostmanFile { json, mut notes } = to_postman(saved.document());
            notes.extend(left_out(&saved));
            Ok(Written { name, text: pretty(&json)?, notes, ending: "postman_collection.json" })
        }
        "http" => {
            let HttpFile { text, notes } = to_http_file(saved.document());
            Ok(Written { name, text, notes, ending: "http" })
        }
        "grantor" => own_json(&saved),
        _ => Err(Refusal::NotOnTheDesk),
    }
}

fn own_json<D: Document + Serialize>(saved: &Saved<D>) -> Result<Written, Refusal> {
    let document = saved.document();
    let notes = left_out(saved).collect();
    Ok(Written { name: document.name().to_owned(), text: pretty(document)?, notes, ending: "json" })
}

/// The document has no values of secret variables, and so nothing else can say that they are missing.
fn left_out<D: Document>(saved: &Saved<D>) -> impl Iterator<Item = Note> {
    let set = saved.document().variables().iter().filter(|variable| saved.has_secret(&variable.name));
    set.map(|variable| Note::secret_left_out(&variable.name))
}

fn pretty(document: &impl Serialize) -> Result<String, Refusal> {
    serde_json::to_string_pretty(document).map(|text| text + "\n").map_err(|_| Refusal::Broken)
}

impl Written {
    /// For the browser to keep, and not to show.
    fn file(self) -> Response {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let name: String = self.name.chars().map(plain).take(60).collect();
        let mut response = respond::status(StatusCode::OK);
        *response.body_mut() = self.text.into();
        let headers = response.headers_mut();
        let kind = if self.ending == "http" { "text/plain; charset=utf-8" } else { "application/json" };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{}\"", self.ending)) {
            headers.insert(header::CONTENT_DISPOSITION, disposition);
        }
        response
    }
}
