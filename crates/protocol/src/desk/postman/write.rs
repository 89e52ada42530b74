//! A collection as Postman reads it. Secrets stay behind.

use super::super::collection::{Collection, Folder, Item, Request, Token};
use super::super::note::{Note, Notes, Why};
use super::super::tokens::{Needed, TokenRequest, Tokens};
use super::super::variable::{Value as Held, Variable};
use super::{SCHEMA, TOKEN_REQUEST, auth_written, body};
use serde_json::{Map, Value, json};

/// A collection of Postman's.
#[derive(Clone, Debug)]
pub struct PostmanFile {
    /// The file.
    pub json: Value,
    /// What of the collection is not in it, or not as it was.
    pub notes: Vec<Note>,
}

/// Writes a collection of version 2.1: the settings as they are, a token request for each token that needs nobody (its test
/// script puts the token into the variable that the settings name), variables, and secrets without their values.
pub fn to_postman(collection: &Collection) -> PostmanFile {
    let mut notes = Notes::default();
    let tokens = Tokens::of(collection, &mut notes);
    let mut writer = Writer { tokens: &tokens, notes };
    let root = collection.root();
    let mut items = writer.token_requests();
    items.extend(writer.items(root, ""));
    let mut file = Map::new();
    let mut info = Map::new();
    info.insert("name".to_owned(), json!(root.name));
    describe(&mut info, &root.description);
    info.insert("schema".to_owned(), SCHEMA.into());
    file.insert("info".to_owned(), info.into());
    if let Some(auth) = writer.auth(&root.token, "") {
        file.insert("auth".to_owned(), auth);
    }
    file.insert("item".to_owned(), items.into());
    let mut variables = Vec::new();
    for (number, variable) in collection.variables().iter().enumerate() {
        variables.push(writer.variable(variable, &format!("/variables/{number}")));
    }
    variables.extend(tokens.missing.iter().map(|name| json!({ "key": name, "value": "", "type": "string" })));
    file.insert("variable".to_owned(), variables.into());
    PostmanFile { json: file.into(), notes: writer.notes.finish() }
}

struct Writer<'t, 'c> {
    tokens: &'t Tokens<'c>,
    notes: Notes,
}

impl Writer<'_, '_> {
    fn items(&mut self, folder: &Folder, at: &str) -> Vec<Value> {
        let mut items = Vec::new();
        for (number, item) in folder.items.iter().enumerate() {
            let at = format!("{at}/items/{number}");
            items.push(match item {
                Item::Folder(inner) => self.folder(inner, &at),
                Item::Request(request) => self.request(request, &at),
            });
        }
        items
    }

    fn folder(&mut self, folder: &Folder, at: &str) -> Value {
        let mut written = Map::new();
        written.insert("name".to_owned(), json!(folder.name));
        describe(&mut written, &folder.description);
        if let Some(auth) = self.auth(&folder.token, at) {
            written.insert("auth".to_owned(), auth);
        }
        written.insert("item".to_owned(), self.items(folder, at).into());
        written.into()
    }

    fn request(&mut self, request: &Request, at: &str) -> Value {
        let mut written = Map::new();
        if let Some(auth) = self.auth(&request.token, at) {
            written.insert("auth".to_owned(), auth);
        }
        written.insert("method".to_owned(), json!(request.method));
        written.insert("header".to_owned(), body::write_headers(&request.headers).into());
        written.insert("url".to_owned(), json!(request.url));
        describe(&mut written, &request.description);
        if let Some(body) = body::write(&request.body) {
            written.insert("body".to_owned(), body);
        }
        json!({ "name": request.name, "request": written, "response": [] })
    }

    fn auth(&mut self, token: &Token, at: &str) -> Option<Value> {
        match token {
            Token::Inherited => None,
            Token::None => Some(auth_written::none()),
            Token::Settings(settings) => {
                let needed = self.tokens.find(settings)?;
                Some(auth_written::write(needed, &format!("{at}/token"), &mut self.notes))
            }
        }
    }

    fn variable(&mut self, variable: &Variable, at: &str) -> Value {
        match &variable.value {
            Held::Plain(text) => json!({ "key": variable.name, "value": text, "type": "string" }),
            Held::Secret(secret) => {
                if secret.is_some() {
                    self.notes.add(at, Why::SecretLeftOut(variable.name.clone()));
                }
                json!({ "key": variable.name, "value": "", "type": "secret" })
            }
        }
    }

    fn token_requests(&self) -> Vec<Value> {
        let with_request = self.tokens.all().iter().filter_map(|needed| Some((needed, needed.request.as_ref()?)));
        with_request.enumerate().map(|(number, (needed, request))| token_request(number + 1, needed, request)).collect()
    }
}

/// An item that obtains a token and keeps it. Nothing of the collection stands in the script but the name of a variable,
/// which can be nothing but a name.
fn token_request(number: usize, needed: &Needed<'_>, request: &TokenRequest) -> Value {
    let variable = &needed.variable;
    let member = needed.settings.use_token.as_str();
    let script = [
        "pm.test('a token was issued', () => pm.response.to.have.status(200));".to_owned(),
        format!("pm.collectionVariables.set('{variable}', pm.response.json().{member});"),
    ];
    let auth = match &request.basic {
        None => auth_written::none(),
        Some((id, secret)) => json!({ "type": "basic", "basic": [
            { "key": "username", "value": id, "type": "string" },
            { "key": "password", "value": secret.reference(), "type": "string" },
        ]}),
    };
    let fields = request.form.iter().map(|field| json!({ "key": field.name, "value": field.value }));
    let what = needed.settings.name.as_ref().map_or(variable.as_str(), |name| name.as_str());
    json!({
        "id": format!("{TOKEN_REQUEST}{number}"),
        "name": format!("Token: {what}"),
        "event": [{ "listen": "test", "script": { "type": "text/javascript", "exec": script } }],
        "request": {
            "auth": auth,
            "method": "POST",
            "header": body::write_headers(&request.headers),
            "url": request.url,
            "body": { "mode": "urlencoded", "urlencoded": fields.collect::<Vec<_>>() },
        },
        "response": [],
    })
}

fn describe(members: &mut Map<String, Value>, description: &str) {
    if !description.is_empty() {
        members.insert("description".to_owned(), description.into());
    }
}
