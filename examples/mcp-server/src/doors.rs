//! What a request needs, by the tool that it calls.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt as _;

/// The same tools twice, behind what they need.
#[derive(Clone)]
pub(crate) struct Doors {
    /// For all that only looks.
    pub(crate) read: Router,
    /// For the tools in [`WRITING`].
    pub(crate) write: Router,
}

/// The tools that change something.
const WRITING: [&str; 1] = ["add_note"];
/// No request is longer.
const MAX_BODY: usize = 1024 * 1024;

/// Hands a request on. What is handed on is what was judged, and not the text that it was read from: two readers of one
/// text may disagree.
pub(crate) async fn choose(State(doors): State<Doors>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return pass(doors.read, Request::from_parts(parts, Body::empty())).await;
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let Ok(message) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let door = if writes(&message) { doors.write } else { doors.read };
    parts.headers.remove(header::CONTENT_LENGTH);
    pass(door, Request::from_parts(parts, Body::from(message.to_string()))).await
}

async fn pass(door: Router, request: Request) -> Response {
    match door.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Whether a message, or one of a batch, calls a tool that changes something.
fn writes(message: &Value) -> bool {
    if let Value::Array(batch) = message {
        return batch.iter().any(writes);
    }
    let tool = message.pointer("/params/name").and_then(Value::as_str);
    message.get("method").and_then(Value::as_str) == Some("tools/call") && tool.is_some_and(|it| WRITING.contains(&it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_call_of_a_tool_that_writes_needs_to_write() {
        let call = |tool: &str| json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}});
        assert!(writes(&call("add_note")) && writes(&json!([call("list_notes"), call("add_note")])));
        for other in [call("list_notes"), json!({"method": "tools/list", "params": {"name": "add_note"}}), json!("x")] {
            assert!(!writes(&other), "{other}");
        }
    }
}
