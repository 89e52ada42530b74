//! What the demo's playground acts as: a client for each way to prove who one is, so that no flow needs one to be made first.

use super::client::{Client, Proof, Workload};
use super::key::DemoKey;
use super::{EVERYTHING, PAYMENTS_TOO, drawn};
use grantor_protocol::client::AuthMethod;
use grantor_protocol::value::Issuer;

/// A public client can do what is done for a user.
const PUBLIC: &[&str] = &["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"];
const CONFIDENTIAL: &[&str] =
    &["authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"];
/// Whose platform says who it is can hand that in as a grant too.
const WORKLOAD: &[&str] = &[
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
];

/// All of them, which are called back at the playground and, as programs, at `native`; none for one master key in a thousand million.
pub(super) fn all(issuer: &Issuer, master_key: &[u8; 32], native: &[String]) -> Option<[Client; 7]> {
    let key = |what: &str| DemoKey::new(drawn(master_key, what));
    let secret = |id: &str, method| Proof::secret(master_key, id, method);
    let runs = Workload::of_platform(issuer, "system:serviceaccount:demo:playground");
    let client = |id, name, proof, grant_types, scope| Client {
        id,
        name,
        proof,
        redirect_uris: [&["/playground/callback", "/desk/callback"].map(|path| issuer.endpoint(path))[..], native]
            .concat(),
        grant_types,
        scope,
        asks: true,
    };
    let (basic, post, mac) = ("playground-basic", "playground-post", "playground-mac");
    Some([
        client("playground", "Playground", Proof::Public, PUBLIC, EVERYTHING),
        // Nobody is asked for it, so that each attack begins with a code of its own.
        Client {
            asks: false,
            ..client("playground-victim", "Playground under attack", Proof::Public, PUBLIC, EVERYTHING)
        },
        client(
            basic,
            "Playground with a secret",
            secret(basic, AuthMethod::ClientSecretBasic),
            CONFIDENTIAL,
            EVERYTHING,
        ),
        client(post, "Playground with a secret", secret(post, AuthMethod::ClientSecretPost), CONFIDENTIAL, EVERYTHING),
        client(mac, "Playground with a secret", secret(mac, AuthMethod::ClientSecretJwt), CONFIDENTIAL, EVERYTHING),
        client(
            "playground-key",
            "Playground with a key",
            Proof::Key(key("client playground-key")?),
            CONFIDENTIAL,
            PAYMENTS_TOO,
        ),
        client(
            "playground-workload",
            "Playground as a workload",
            Proof::Federated(key("platform")?, runs),
            WORKLOAD,
            EVERYTHING,
        ),
    ])
}
