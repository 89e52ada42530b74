//! Token settings as a form, and the form as token settings.

use super::rows::{lines, padded, row, rows, text};
use grantor_protocol::client::AuthMethod;
use grantor_protocol::desk::{
    Endpoints, Line, MAX_LIST, Name, Parameter, Parameters, Place, Server, Token, TokenSettings, UsedToken,
    VariableName,
};
use grantor_protocol::grant::GrantType;
use grantor_protocol::params::Params;
use grantor_web::{ParameterRow, SavedFault, SettingsForm};

/// How a thing gets its token, as the form says it.
pub(super) fn token_shown(token: &Token, is_root: bool) -> (String, SettingsForm) {
    match token {
        // Around the outermost folder there is nothing.
        Token::Inherited if !is_root => ("inherited".to_owned(), fresh()),
        Token::Inherited | Token::None => ("none".to_owned(), fresh()),
        Token::Settings(settings) => ("settings".to_owned(), shown(settings)),
    }
}

/// What the form says of how a thing gets its token.
pub(super) fn token_read(kind: &str, form: &SettingsForm) -> Result<Token, SavedFault> {
    match kind {
        "none" => Ok(Token::None),
        "settings" => Ok(Token::Settings(Box::new(read(form)?))),
        _ => Ok(Token::Inherited),
    }
}

/// The settings as they were sent.
pub(super) fn posted(form: &Params) -> SettingsForm {
    let of = |name: &str| text(form, &format!("settings.{name}"));
    let parameter = |number| {
        let of = |part: &str| row(form, "parameter", number, part);
        ParameterRow { request: of("request"), name: of("name"), value: of("value"), place: of("place") }
    };
    SettingsForm {
        name: of("name"),
        grant_type: of("grant_type"),
        issuer: of("issuer"),
        authorization: of("authorization"),
        token: of("token"),
        device_authorization: of("device_authorization"),
        client_id: of("client_id"),
        client_secret: of("client_secret"),
        client_authentication: of("client_authentication"),
        redirect_uri: of("redirect_uri"),
        scope: of("scope"),
        resource: of("resource"),
        audience: of("audience"),
        state: of("state"),
        use_token: of("use_token"),
        header_prefix: of("header_prefix"),
        parameters: padded(rows(form, "parameter", 3 * MAX_LIST).map(parameter).collect()),
    }
}

/// What the settings say before anybody has written any.
fn fresh() -> SettingsForm {
    let server = Server::Endpoints(Endpoints::default());
    shown(&TokenSettings::new(GrantType::AuthorizationCode, server))
}

fn shown(settings: &TokenSettings) -> SettingsForm {
    let (issuer, endpoints) = match &settings.server {
        Server::Issuer(issuer) => (issuer.to_string(), Endpoints::default()),
        Server::Endpoints(endpoints) => (String::new(), endpoints.clone()),
    };
    let Parameters { authorization, token, refresh } = &settings.parameters;
    let all = [("authorization", authorization), ("token", token), ("refresh", refresh)];
    let parameters = all.into_iter().flat_map(|(request, list)| list.iter().map(move |one| parameter(request, one)));
    let resource: Vec<_> = settings.resource.iter().map(Line::as_str).collect();
    SettingsForm {
        name: settings.name.as_ref().map(ToString::to_string).unwrap_or_default(),
        grant_type: settings.grant_type.as_str().to_owned(),
        issuer,
        authorization: endpoints.authorization.into(),
        token: endpoints.token.into(),
        device_authorization: endpoints.device_authorization.into(),
        client_id: settings.client_id.to_string(),
        client_secret: settings.client_secret.as_ref().map(ToString::to_string).unwrap_or_default(),
        client_authentication: settings.client_authentication.as_str().to_owned(),
        redirect_uri: settings.redirect_uri.to_string(),
        scope: settings.scope.to_string(),
        resource: resource.join("\n"),
        audience: settings.audience.to_string(),
        state: settings.state.to_string(),
        use_token: settings.use_token.as_str().to_owned(),
        header_prefix: settings.header_prefix.to_string(),
        parameters: padded(parameters.collect()),
    }
}

fn parameter(request: &str, one: &Parameter) -> ParameterRow {
    let place = match one.place {
        Place::Query => "query",
        Place::Body => "body",
        Place::Header => "header",
    };
    ParameterRow {
        request: request.to_owned(),
        name: one.name.to_string(),
        value: one.value.to_string(),
        place: place.to_owned(),
    }
}

fn read(form: &SettingsForm) -> Result<TokenSettings, SavedFault> {
    let line = |raw: &str| Line::parse(raw.trim()).ok_or(SavedFault::Line);
    let endpoints = Endpoints {
        authorization: line(&form.authorization)?,
        token: line(&form.token)?,
        device_authorization: line(&form.device_authorization)?,
    };
    let issuer = line(&form.issuer)?;
    let server = match (issuer.is_empty(), endpoints == Endpoints::default()) {
        (false, true) => Server::Issuer(issuer),
        (true, false) if !endpoints.token.is_empty() => Server::Endpoints(endpoints),
        _ => return Err(SavedFault::Server),
    };
    let named = |raw: &str| (!raw.trim().is_empty()).then(|| Name::parse(raw.trim()).ok_or(SavedFault::Name));
    let variable = |raw: &str| (!raw.is_empty()).then(|| VariableName::parse(raw).ok_or(SavedFault::Variable));
    let method = AuthMethod::ALL.into_iter().find(|method| method.as_str() == form.client_authentication);
    let id_token = form.use_token == UsedToken::IdToken.as_str();
    Ok(TokenSettings {
        name: named(&form.name).transpose()?,
        client_id: line(&form.client_id)?,
        client_secret: variable(form.client_secret.trim()).transpose()?,
        client_authentication: method.ok_or(SavedFault::Line)?,
        redirect_uri: line(&form.redirect_uri)?,
        scope: line(&form.scope)?,
        resource: lines(&form.resource).map(line).collect::<Result<_, _>>()?,
        audience: line(&form.audience)?,
        state: line(&form.state)?,
        use_token: if id_token { UsedToken::IdToken } else { UsedToken::AccessToken },
        header_prefix: line(&form.header_prefix)?,
        parameters: parameters(&form.parameters)?,
        ..TokenSettings::new(GrantType::parse(&form.grant_type).ok_or(SavedFault::Line)?, server)
    })
}

fn parameters(rows: &[ParameterRow]) -> Result<Parameters, SavedFault> {
    let mut all = Parameters::default();
    for row in rows.iter().filter(|row| !row.name.is_empty()) {
        let list = match row.request.as_str() {
            "authorization" => &mut all.authorization,
            "token" => &mut all.token,
            "refresh" => &mut all.refresh,
            _ => return Err(SavedFault::Parameter),
        };
        let place = match row.place.as_str() {
            "query" => Place::Query,
            "body" => Place::Body,
            "header" => Place::Header,
            _ => return Err(SavedFault::Parameter),
        };
        let line = |raw: &str| Line::parse(raw).ok_or(SavedFault::Line);
        list.push(Parameter { name: line(&row.name)?, value: line(&row.value)?, place });
    }
    Ok(all)
}
