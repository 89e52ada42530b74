//! The layer in front of a gRPC server that knows nothing of it, and a client that reads the answers as gRPC does.
#![expect(clippy::unwrap_used, reason = "tests")]

use grantor_jose::jws;
use grantor_resource::{Api, JwkSet, Requirement, SigningAlgorithm, SigningKey, UnixTime};
use serde_json::json;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "https://api.example";
const NOW: i64 = 1_800_000_000;

fn token(key: &SigningKey, scope: &str) -> String {
    let claims = json!({
        "iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "client_id": "web", "jti": "t1", "iat": NOW, "exp": NOW + 600,
        "scope": scope,
    });
    jws::sign(key, "at+jwt", claims.to_string().as_bytes()).unwrap()
}

async fn ask(client: &mut HealthClient<Channel>, token: Option<&str>) -> Result<i32, Status> {
    let mut request = Request::new(HealthCheckRequest::default());
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    client.check(request).await.map(|answer| answer.into_inner().status)
}

#[tokio::test]
async fn rfc6750_3_1_a_grpc_client_reads_why_it_is_refused() {
    let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let keys = JwkSet { keys: vec![key.public_jwk()] };
    let api = Api::builder(ISSUER, AUDIENCE).keys(keys).clock(|| UnixTime::new(NOW)).build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let router = Server::builder().layer(api.require(Requirement::scope("health:read"))).add_service(health);
    tokio::spawn(router.serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener)));
    let mut client =
        HealthClient::new(Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap());
    let code = |answer: Result<i32, Status>| answer.map_err(|status| status.code());
    assert_eq!(code(ask(&mut client, None).await), Err(Code::Unauthenticated));
    assert_eq!(code(ask(&mut client, Some("opaque")).await), Err(Code::Unauthenticated));
    assert_eq!(code(ask(&mut client, Some(&token(&key, "health:write"))).await), Err(Code::PermissionDenied));
    let good = token(&key, "health:read");
    for _ in 0..2 {
        assert_eq!(code(ask(&mut client, Some(&good)).await), Ok(ServingStatus::Serving as i32));
    }
}
