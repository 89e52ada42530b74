//! A browser without JavaScript, signed in: it is sent to authorization requests and brings back codes.

use super::{CALLBACK, PASSWORD, Site, USER};
use crate::failure::{Result, broken};
use crate::http::{self, Answer, Connection, escaped};
use std::collections::BTreeMap;

pub(crate) struct Browser {
    connection: Connection,
    origin: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// One that has signed in nowhere.
    pub(crate) fn new(site: &Site) -> Result<Self> {
        Ok(Self { connection: site.connect()?, origin: site.issuer(), cookies: BTreeMap::new() })
    }

    /// Signs the user in.
    pub(crate) fn sign_in(site: &Site) -> Result<Self> {
        let mut browser = Self::new(site)?;
        let page = browser.follow("/signin")?;
        let form = browser.sign_in_form(&page, USER, &[])?;
        let answer = browser.send(&form)?;
        if answer.status == 303 {
            Ok(browser)
        } else {
            broken(format!("nobody signed in: {} {}", answer.status, answer.body))
        }
    }

    /// The form of the sign-in page, filled in, with further headers.
    pub(crate) fn sign_in_form(&self, page: &str, name: &str, more: &[(&str, &str)]) -> Result<Vec<u8>> {
        let mut fields = hidden_inputs(page);
        if fields.is_empty() {
            return broken(format!("the sign-in page has no form: {page}"));
        }
        fields.push(("username".to_owned(), name.to_owned()));
        fields.push(("password".to_owned(), PASSWORD.to_owned()));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let cookie = self.cookie();
        let mut headers = vec![("cookie", cookie.as_str()), ("origin", &self.origin)];
        headers.extend(more);
        Ok(http::form("/signin", &headers, &fields))
    }

    /// A page, with the cookies that it sets kept.
    pub(crate) fn follow(&mut self, path: &str) -> Result<String> {
        let request = http::get(path, &[("cookie", &self.cookie())]);
        Ok(self.send(&request)?.good()?.body)
    }

    /// The authorization request whose answer brings a code at once.
    pub(crate) fn authorization_request(&self, scope: &str, resource: &str, challenge: &str) -> Vec<u8> {
        let parameters = [
            ("response_type", "code"),
            ("client_id", "web"),
            ("redirect_uri", CALLBACK),
            ("scope", scope),
            ("resource", resource),
            ("state", "bench"),
            ("nonce", "n-0S6_WzA2Mj"),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ];
        let query: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        http::get(&format!("/authorize?{}", query.join("&")), &[("cookie", &self.cookie())])
    }

    fn cookie(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn send(&mut self, request: &[u8]) -> Result<Answer> {
        let answer = self.connection.call(request)?;
        for cookie in answer.headers("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// Name and value of each hidden field.
fn hidden_inputs(page: &str) -> Vec<(String, String)> {
    let inputs = page.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
    let hidden = inputs.filter(|input| input.contains("hidden"));
    hidden.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?))).collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value.replace("&#x2f;", "/").replace("&#x27;", "'").replace("&quot;", "\"").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::hidden_inputs;

    #[test]
    fn hidden_inputs_are_read() {
        let page = r#"<form><input type="hidden" name="csrf" value="a&amp;b"><input name="username"></form>"#;
        assert_eq!(hidden_inputs(page), [("csrf".to_owned(), "a&b".to_owned())]);
    }
}
