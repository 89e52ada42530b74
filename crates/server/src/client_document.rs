//! Clients that describe themselves in a document at the URL that is their `client_id`
//! (draft-ietf-oauth-client-id-metadata-document).

use crate::extract::Call;
use grantor_protocol::Refusal;
use grantor_protocol::value::ClientId;

/// Makes the client of this name known for this request, when it can have a document: afterwards the directory finds it,
/// or does not. Any other name costs nothing.
pub(crate) async fn look_up(call: &Call, client_id: Option<&str>) -> Result<(), Refusal> {
    let url = client_id.filter(|id| id.starts_with("https://")).and_then(ClientId::parse);
    match url.filter(|url| call.tenancy.directory.may_have_document(url)) {
        Some(url) => Box::pin(fetch(call, &url)).await,
        None => Ok(()),
    }
}

async fn fetch(call: &Call, url: &ClientId) -> Result<(), Refusal> {
    let directory = &call.tenancy.directory;
    // What was kept and is no client's is not kept any longer (section 5.2).
    let is_a_client = |body: &[u8]| directory.read_document(url, body, call.now()).is_ok();
    let fetched = call.context.fetcher.client_metadata(url.as_str(), is_a_client);
    let fetched = call.context.operations.gate.abroad(fetched).await.map_err(|_| Refusal::Busy)?;
    let request_id = &call.meta.request_id;
    match fetched {
        Ok(document) => {
            if let Err(error) = directory.read_document(url, &document.body, call.now()) {
                tracing::warn!(%request_id, client = %url, %error, "the document of a client is refused");
            }
        }
        Err(error) => {
            directory.forget_document(url);
            tracing::warn!(%request_id, client = %url, %error, "the document of a client cannot be fetched");
        }
    }
    Ok(())
}
