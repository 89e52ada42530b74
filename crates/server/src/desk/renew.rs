//! Renewing and revoking at this server: by the code of its endpoints, as the client would (RFC 6749 6, RFC 7009). A token
//! of another issuer is renewed there.

use super::{ItemChange, Opened, Seat};
use crate::endpoint::{revoke, token};
use crate::token::open_access_token;
use grantor_protocol::Refusal;
use grantor_protocol::client::AuthMethod;
use grantor_protocol::client::auth::basic_header;
use grantor_protocol::metadata::path;
use grantor_protocol::params;
use grantor_protocol::token::TokenResponse;
use grantor_protocol::value::{ClientId, ItemId, Secret};
use grantor_protocol::workspace::{KeptToken, Workspace};
use http::HeaderValue;

impl Seat<'_> {
    /// Gets the next access token with the refresh token of an item that he put there: for the same audience and scope.
    pub(crate) async fn renew(&self, workspace: &Workspace, id: ItemId) -> Result<(), Refusal> {
        let Opened { item: _, token: held } = self.own(workspace, id).await?;
        let refresh_token = held.refresh_token.as_ref().ok_or(Refusal::NotRenewable)?;
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        let before = open_access_token(&self.call.tenancy, held.access_token.expose()).ok();
        let (scope, audience) = before.as_ref().map_or((String::new(), Vec::new()), |before| {
            let audience = before.audience.iter().map(ToString::to_string).collect::<Vec<_>>();
            (before.scope.to_string(), audience)
        });
        form.push(("scope", &scope));
        form.extend(audience.iter().map(|audience| ("resource", audience.as_str())));
        let renewing = self.as_client(&held, path::TOKEN, form)?;
        let renewed = token::answer(&renewing).await?;
        self.change_item(workspace, id, &ItemChange::Renewed(&renewed)).await.map(drop)
    }

    /// What an item is after its tokens were renewed.
    pub(super) fn renewed(&self, token: &mut KeptToken, renewed: &TokenResponse) {
        let now = self.call.now();
        token.access_token = Secret::new(renewed.access_token.clone());
        token.scope = renewed.scope.to_string();
        (token.issued, token.expires) = (now, Some(now.plus(renewed.expires_in)));
        for (held, next) in
            [(&mut token.refresh_token, &renewed.refresh_token), (&mut token.id_token, &renewed.id_token)]
        {
            if let Some(next) = next {
                *held = Some(Secret::new(next.clone()));
            }
        }
        self.describe(token);
    }

    /// Takes back, at this server, all that he put there of one item: the grant when there is a refresh token, else the
    /// access token. What was derived from it falls with it.
    pub(crate) async fn revoke(&self, workspace: &Workspace, id: ItemId) -> Result<(), Refusal> {
        let mut opened = self.own(workspace, id).await?;
        self.take_back(&mut opened).await?;
        let held = &opened.token;
        for secret in held.refresh_token.iter().chain([&held.access_token]) {
            if !revoke::own(self.call, secret.expose(), self.user).await? {
                let revoking = self.as_client(held, path::REVOKE, vec![("token", secret.expose())])?;
                revoke::answer(&revoking).await?;
            }
        }
        self.change_item(workspace, id, &ItemChange::Revoked).await.map(drop)
    }

    /// An item that he put there.
    pub(super) async fn own(&self, workspace: &Workspace, id: ItemId) -> Result<Opened, Refusal> {
        let opened = self.item(workspace, id).await?;
        if self.owns(&opened) { Ok(opened) } else { Err(Refusal::RightMissing) }
    }

    /// The client's own request to an endpoint of ours, by the method that it is registered for.
    fn as_client<'f>(
        &self,
        held: &'f KeptToken,
        endpoint: &'static str,
        mut form: Vec<(&'f str, &'f str)>,
    ) -> Result<crate::extract::Call, Refusal> {
        let own = held.issuer == self.call.tenancy.issuer.as_str();
        let id = ClientId::parse(&held.client).filter(|_| own).ok_or(Refusal::NotRenewable)?;
        let client = self.call.tenancy.directory.client(&id).ok_or(Refusal::UnknownClient)?;
        let secret = held.client_secret.as_ref().ok_or(Refusal::NotRenewable);
        let mut authorization = None;
        match client.metadata.token_endpoint_auth_method {
            AuthMethod::None => form.push(("client_id", &held.client)),
            AuthMethod::ClientSecretPost => {
                form.extend([("client_id", held.client.as_str()), ("client_secret", secret?.expose())]);
            }
            AuthMethod::ClientSecretBasic => {
                let mut header = HeaderValue::from_str(basic_header(&id, secret?).expose())
                    .map_err(|_| Refusal::MalformedAuthorizationHeader)?;
                header.set_sensitive(true);
                authorization = Some(header);
            }
            // Whatever needs a key or a certificate, which lie elsewhere.
            _ => return Err(Refusal::NotRenewable),
        }
        let pairs: Vec<String> = form
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", params::encode(value)))
            .collect();
        Ok(self.call.posting(endpoint, pairs.join("&"), authorization))
    }
}
