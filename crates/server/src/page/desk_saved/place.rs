//! What is in one place of a collection as a form, and the form as a change of the collection.

use super::Trouble;
use super::rows::{padded, pairs, text};
use super::{settings, variables};
use grantor_protocol::desk::{
    About, At, Body, Collection, Field, Header, HeaderName, Item, Line, MAX_LIST, Method, Name, Request, Token, Value,
    Variable, VariableName,
};
use grantor_protocol::params::Params;
use grantor_protocol::value::Secret;
use grantor_protocol::workspace::Saved;
use grantor_web::{AboutForm, PlaceForm, PlainRow, RequestForm, SavedFault};

/// What is there; none when nothing is.
pub(super) fn shown(saved: &Saved<Collection>, at: &At) -> Option<PlaceForm> {
    let collection = saved.document();
    if let Some((request, _)) = collection.request(at.steps()) {
        let about = about_shown(&request.name, &request.description, &request.token, false);
        return Some(PlaceForm::Request { about, request: request_shown(request) });
    }
    let (folder, _) = collection.folder(at.steps())?;
    let about = about_shown(&folder.name, &folder.description, &folder.token, at.is_root());
    Some(if at.is_root() {
        PlaceForm::Collection { about, variables: variables::shown(saved) }
    } else {
        PlaceForm::Folder { about }
    })
}

/// What was sent for this place, without secrets; none when nothing is there.
pub(super) fn posted(form: &Params, saved: &Saved<Collection>, at: &At) -> Option<PlaceForm> {
    let about = about_posted(form);
    Some(match shown(saved, at)? {
        PlaceForm::Collection { .. } => PlaceForm::Collection { about, variables: variables::posted(form, saved) },
        PlaceForm::Folder { .. } => PlaceForm::Folder { about },
        PlaceForm::Request { .. } => PlaceForm::Request { about, request: request_posted(form) },
    })
}

/// Keeps what was sent.
pub(super) fn keep(form: &Params, saved: &mut Saved<Collection>, at: &At) -> Result<(), Trouble> {
    let mut sent = about_posted(form);
    let mut held = saved.document().clone();
    if at.is_root() {
        // With all of its secrets: those that are not sent along are forgotten.
        held = held.with_variables(variables::read(form, saved)?)?;
    }
    if let Some(secret) = form.get("settings.secret").filter(|_| sent.token == "settings") {
        (held, sent.settings.client_secret) = with_secret(&held, &sent.settings.client_secret, secret)?;
    }
    let about = about_read(&sent)?;
    let changed = if held.request(at.steps()).is_some() {
        held.with_request(at, request_read(about, &request_posted(form))?)?
    } else {
        held.with_about(at, about)?
    };
    if at.is_root() {
        variables::replace(saved, changed);
    } else {
        saved.replace(changed);
    }
    Ok(())
}

/// A request of this name, with nothing in it.
pub(super) fn new_request(name: Name) -> Item {
    Item::Request(Request {
        name,
        description: String::new(),
        token: Token::Inherited,
        method: Method::get(),
        url: Line::default(),
        headers: Vec::new(),
        body: Body::Empty,
    })
}

/// Puts a client secret into the variable that is named for it, or into one that is made for it. Gives the variable's name.
fn with_secret(held: &Collection, named: &str, secret: &str) -> Result<(Collection, String), Trouble> {
    let mut all = held.variables().to_vec();
    let named = named.trim();
    let name = if named.is_empty() {
        let taken = |name: &String| all.iter().any(|variable| variable.name.as_str() == name);
        let mut names = std::iter::once("client_secret".to_owned()).chain((2..).map(|n| format!("client_secret_{n}")));
        names.find(|name| !taken(name)).unwrap_or_default()
    } else {
        named.to_owned()
    };
    let secret = Secret::new(secret.to_owned());
    match all.iter_mut().find(|variable| variable.name.as_str() == name) {
        Some(Variable { value: Value::Plain(_), .. }) => return Err(SavedFault::PlainSecret.into()),
        Some(Variable { value: Value::Secret(held), .. }) => *held = Some(secret),
        None => {
            let name = VariableName::parse(&name).ok_or(SavedFault::Variable)?;
            all.push(Variable::secret(name, Some(secret)));
        }
    }
    Ok((held.with_variables(all)?, name))
}

fn about_shown(name: &Name, description: &str, token: &Token, is_root: bool) -> AboutForm {
    let (token, settings) = settings::token_shown(token, is_root);
    AboutForm { name: name.to_string(), description: description.to_owned(), token, settings }
}

fn about_posted(form: &Params) -> AboutForm {
    let of = |name: &str| text(form, name);
    let settings = settings::posted(form);
    AboutForm { name: of("name"), description: of("description"), token: of("token"), settings }
}

fn about_read(form: &AboutForm) -> Result<About, SavedFault> {
    let name = Name::parse(form.name.trim()).ok_or(SavedFault::Name)?;
    let token = settings::token_read(&form.token, &form.settings)?;
    Ok(About { name, description: form.description.clone(), token })
}

fn request_shown(request: &Request) -> RequestForm {
    let headers = request.headers.iter();
    let header = |header: &Header| PlainRow { name: header.name.to_string(), value: header.value.to_string() };
    let (body, text, fields) = match &request.body {
        Body::Empty => ("empty", String::new(), Vec::new()),
        Body::Text(text) => ("text", text.clone(), Vec::new()),
        Body::Form(fields) => {
            let field = |field: &Field| PlainRow { name: field.name.clone(), value: field.value.clone() };
            ("form", String::new(), fields.iter().map(field).collect())
        }
    };
    RequestForm {
        method: request.method.to_string(),
        url: request.url.to_string(),
        headers: padded(headers.map(header).collect()),
        body: body.to_owned(),
        text,
        fields: padded(fields),
    }
}

fn request_posted(form: &Params) -> RequestForm {
    let of = |name: &str| text(form, name);
    RequestForm {
        method: of("method"),
        url: of("url"),
        headers: padded(pairs(form, "header", MAX_LIST)),
        body: of("body"),
        text: of("text"),
        fields: padded(pairs(form, "field", MAX_LIST)),
    }
}

fn request_read(about: About, form: &RequestForm) -> Result<Request, SavedFault> {
    let About { name, description, token } = about;
    let named = |row: &&PlainRow| !row.name.is_empty();
    let header = |row: &PlainRow| {
        let name = HeaderName::parse(row.name.trim()).ok_or(SavedFault::Header)?;
        Ok(Header { name, value: Line::parse(&row.value).ok_or(SavedFault::Line)? })
    };
    let field = |row: &PlainRow| Field { name: row.name.clone(), value: row.value.clone() };
    Ok(Request {
        name,
        description,
        token,
        method: Method::parse(form.method.trim()).ok_or(SavedFault::Method)?,
        url: Line::parse(form.url.trim()).ok_or(SavedFault::Line)?,
        headers: form.headers.iter().filter(named).map(header).collect::<Result<_, _>>()?,
        body: match form.body.as_str() {
            "text" => Body::Text(form.text.clone()),
            "form" => Body::Form(form.fields.iter().filter(named).map(field).collect()),
            _ => Body::Empty,
        },
    })
}
