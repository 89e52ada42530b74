//! `.http` files, as the HTTP Client of JetBrains' IDEs and httpYac read them: requests with `###` between them, variables
//! as `@name = value`, and after a token request a handler that keeps the token.
//!
//! Such a file is a program: a line of its own can begin a request, include a file, write one or run a script, and
//! `{{...}}` is evaluated. So nothing is written that could be read as anything but what it is.

mod safe;

use super::collection::{Body, Collection, Field, Folder, Header, Item, Request};
use super::note::{Note, Notes, Why};
use super::settings::TokenSettings;
use super::tokens::{Needed, TokenRequest, Tokens, encoded};
use super::variable::Value;
use safe::Names;
use std::fmt::Write as _;

/// A `.http` file.
#[derive(Clone, Debug)]
pub struct HttpFile {
    /// The file.
    pub text: String,
    /// What of the collection is not in it, or not as it was.
    pub notes: Vec<Note>,
}

/// Writes a collection as one file: variables, a token request for each token that needs nobody, then the requests with
/// their token from its variable. Secrets stay behind; they, and tokens that need a person, are given as variables of the
/// program that runs the file.
pub fn to_http_file(collection: &Collection) -> HttpFile {
    let mut notes = Notes::default();
    let tokens = Tokens::of(collection, &mut notes);
    let names = Names::new(collection, &tokens, &mut notes);
    let mut writer = Writer { text: String::new(), tokens: &tokens, names: &names, notes };
    writer.head(collection);
    for needed in tokens.all() {
        writer.token(needed);
    }
    writer.folder(collection.root(), None, "", "");
    HttpFile { text: writer.text, notes: writer.notes.finish() }
}

struct Writer<'t, 'c> {
    text: String,
    tokens: &'t Tokens<'c>,
    names: &'t Names,
    notes: Notes,
}

/// A request as it is about to be written.
struct Written<'w> {
    title: String,
    method: &'w str,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    /// What happens to the answer: ours, and so not looked at.
    handler: Option<String>,
}

impl<'c> Writer<'_, 'c> {
    fn head(&mut self, collection: &Collection) {
        self.line(&format!("# {}", safe::comment(collection.root().name.as_str())));
        let mut outside = Vec::new();
        for (number, variable) in collection.variables().iter().enumerate() {
            let at = format!("/variables/{number}");
            let name = self.names.of(&variable.name);
            match &variable.value {
                Value::Plain(text) => match self.names.in_line(text) {
                    Ok(text) => self.line(&format!("@{name} = {text}")),
                    Err(why) => self.notes.add(&at, why),
                },
                Value::Secret(secret) => {
                    if secret.is_some() {
                        self.notes.add(&at, Why::SecretLeftOut(variable.name.clone()));
                    }
                    outside.push(name.to_owned());
                }
            }
        }
        outside.extend(self.tokens.missing.iter().map(|name| self.names.of(name).to_owned()));
        let by_hand = self.tokens.all().iter().filter(|needed| needed.request.is_none());
        outside.extend(by_hand.map(|needed| self.names.of(&needed.variable).to_owned()));
        if !outside.is_empty() {
            self.line(&format!(
                "# To be given from outside, as they do not belong into a file: {}",
                outside.join(", ")
            ));
        }
    }

    fn token(&mut self, needed: &Needed<'_>) {
        let Some(TokenRequest { url, basic, headers, form }) = &needed.request else { return };
        let variable = self.names.of(&needed.variable);
        let mut all: Vec<(String, String)> = headers.iter().map(pair).collect();
        if let Some((id, secret)) = basic {
            // The programs encode both for HTTP Basic.
            all.push(("Authorization".to_owned(), format!("Basic {id} {}", secret.reference())));
        }
        all.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        let member = needed.settings.use_token.as_str();
        let what = needed.settings.name.as_ref().map_or(variable, |name| name.as_str());
        let written = Written {
            title: format!("Token: {what}"),
            method: "POST",
            url: url.clone(),
            headers: all,
            body: Some(joined(form)),
            handler: Some(format!("> {{%\n  client.global.set(\"{variable}\", response.body.{member});\n%}}")),
        };
        self.request(&written, "/token");
    }

    fn folder(&mut self, folder: &'c Folder, inherited: Option<&'c TokenSettings>, path: &str, at: &str) {
        let settings = folder.token.or(inherited);
        for (number, item) in folder.items.iter().enumerate() {
            let at = format!("{at}/items/{number}");
            match item {
                Item::Folder(inner) => self.folder(inner, settings, &format!("{path}{} / ", inner.name), &at),
                Item::Request(request) => {
                    let written = self.written(request, request.token.or(settings), path);
                    self.request(&written, &at);
                }
            }
        }
    }

    fn written<'w>(&self, request: &'w Request, settings: Option<&TokenSettings>, path: &str) -> Written<'w> {
        let token = settings.and_then(|settings| self.tokens.find(settings));
        let is = |header: &&Header, name: &str| header.name.as_str().eq_ignore_ascii_case(name);
        let own = request.headers.iter().filter(|header| token.is_none() || !is(header, "Authorization"));
        let mut headers: Vec<(String, String)> = own.map(pair).collect();
        if let Some(needed) = token {
            let value = needed.settings.authorization(&needed.variable.reference());
            headers.insert(0, ("Authorization".to_owned(), value));
        }
        let body = match &request.body {
            Body::Empty => None,
            Body::Text(text) => Some(text.clone()),
            Body::Form(fields) => {
                if !request.headers.iter().any(|header| is(&header, "Content-Type")) {
                    headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
                }
                Some(joined(fields))
            }
        };
        let title = format!("{path}{}", request.name);
        Written { title, method: request.method.as_str(), url: request.url.to_string(), headers, body, handler: None }
    }

    /// Writes a request, or nothing of it.
    fn request(&mut self, written: &Written<'_>, at: &str) {
        match self.rendered(written) {
            Ok(text) => self.text.push_str(&text),
            Err(why) => self.notes.add(at, why),
        }
    }

    fn rendered(&self, written: &Written<'_>) -> Result<String, Why> {
        let url = safe::url(&self.names.in_line(&written.url)?).ok_or(Why::WouldBreakOut)?;
        let mut text = format!("\n### {}\n{} {url}\n", safe::comment(&written.title), written.method);
        for (name, value) in &written.headers {
            let _ = writeln!(text, "{name}: {}", self.names.in_line(value)?);
        }
        if let Some(body) = &written.body {
            let body = self.names.in_text(body)?;
            if !safe::is_body(&body) {
                return Err(Why::WouldBreakOut);
            }
            let _ = write!(text, "\n{body}\n");
        }
        if let Some(handler) = &written.handler {
            let _ = write!(text, "\n{handler}\n");
        }
        Ok(text)
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }
}

/// A form in one line.
fn joined(fields: &[Field]) -> String {
    let field = |field: &Field| format!("{}={}", encoded(&field.name), encoded(&field.value));
    fields.iter().map(field).collect::<Vec<_>>().join("&")
}

fn pair(header: &Header) -> (String, String) {
    (header.name.to_string(), header.value.to_string())
}
