//! The shop of the README as an API on http://localhost:3001, with Grantor on http://localhost:8080.
//!
//! ```sh
//! grantor apply shop.toml && grantor serve &
//! cargo run -p grantor-resource --example axum_api &
//! TOKEN=$(curl -s -u night-job:THE_SECRET -d grant_type=client_credentials http://localhost:8080/token | sed -E 's/.*"access_token" *: *"([^"]+)".*/\1/')
//! curl -i http://localhost:3001/orders                                      # 401, and where to get a token
//! curl -i -H "Authorization: Bearer $TOKEN" http://localhost:3001/orders    # 200
//! curl -i -X POST -H "Authorization: Bearer $TOKEN" http://localhost:3001/orders   # 403, and which scope would do
//! ```

use axum::routing::get;
use axum::{Json, Router};
use grantor_resource::{Api, Requirement, Verified};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = std::env::var("ISSUER").unwrap_or_else(|_| "http://localhost:8080".to_owned());
    let api = Api::builder(&issuer, "https://shop.example")
        .origin("http://localhost:3001")
        .scopes("orders:read orders:write")
        .name("The shop")
        .build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3001").await?;
    axum::serve(listener, router(&api)).await?;
    Ok(())
}

fn router(api: &Api) -> Router {
    let read = get(list).layer(api.require(Requirement::scope("orders:read")));
    let place = axum::routing::post(place).layer(api.require(Requirement::scope("orders:write")));
    Router::new().route("/orders", read.merge(place)).layer(api.metadata_layer())
}

async fn list(token: Verified) -> Json<Value> {
    Json(json!({ "orders": [], "read_by": token.subject(), "through": token.client_id() }))
}

async fn place(token: Verified) -> Json<Value> {
    Json(json!({ "placed_by": token.subject() }))
}
