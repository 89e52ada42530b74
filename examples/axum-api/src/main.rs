//! The shop of shop.toml as an API: a route that reads and one that writes, each with the scope that it wants. README.md
//! has the lines that run it.

use axum::routing::{get, post};
use axum::{Json, Router};
use grantor_resource::{Api, Requirement, Verified};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = std::env::var("ISSUER").unwrap_or_else(|_| "http://localhost:8080".to_owned());
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3001".to_owned());
    let listener = tokio::net::TcpListener::bind(listen).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let api = Api::builder(&issuer, "https://shop.example")
        .origin(&origin)
        .scopes("orders:read orders:write")
        .name("The shop")
        .build()?;
    println!("{origin}");
    axum::serve(listener, router(&api)).await?;
    Ok(())
}

fn router(api: &Api) -> Router {
    let read = get(list).layer(api.require(Requirement::scope("orders:read")));
    let place = post(place).layer(api.require(Requirement::scope("orders:write")));
    Router::new().route("/orders", read.merge(place)).layer(api.metadata_layer())
}

async fn list(token: Verified) -> Json<Value> {
    Json(json!({ "orders": [], "read_by": token.subject(), "through": token.client_id() }))
}

async fn place(token: Verified) -> Json<Value> {
    Json(json!({ "placed_by": token.subject() }))
}
