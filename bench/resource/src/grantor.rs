//! The bare signature check, and `grantor-resource`: called, and as a layer.

use crate::contender::{Check, Contender, Here, Kind};
use crate::given::{AUDIENCE, Given, ISSUER, LEEWAY, Presented, Signed};
use anyhow::{Result, bail};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use grantor_jose::Material;
use grantor_resource::{Api, Guarded, Head, Requirement, SigningKey, Verified};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::Empty;
use std::convert::Infallible;
use tokio::runtime::Runtime;
use tower::util::BoxCloneService;
use tower::{Layer as _, Service as _, ServiceExt as _};

/// As the library below it does it, with a key that was parsed before.
pub(crate) struct Bare(ParsedPublicKey);

impl Check for Bare {
    const NAME: &'static str = "bare signature check";
    const ABOUT: &'static str = "aws-lc-rs, key parsed and signature decoded beforehand";

    async fn check(&mut self, presented: &Presented) -> bool {
        self.0.verify_sig(presented.signed_part(), &presented.signature).is_ok()
    }
}

struct Called {
    api: Api,
    forgets: bool,
    uri: Uri,
    wanted: Requirement,
}

impl Check for Called {
    const NAME: &'static str = "grantor-resource, Api::check";
    const ABOUT: &'static str =
        "the whole of it, with a scope that the route wants; cold forgets everything before each pass";

    async fn check(&mut self, presented: &Presented) -> bool {
        let Self { api, uri, wanted, .. } = self;
        let head = Head { method: &Method::GET, uri, headers: &presented.headers, certificate: None };
        api.check(head, wanted).await.is_ok()
    }

    fn again(&mut self) {
        if self.forgets {
            self.api.forget_verified();
        }
    }
}

/// A request without a body.
pub(crate) type Asked = Request<Empty<&'static [u8]>>;

type Handler = BoxCloneService<Asked, Response<()>, Infallible>;

struct Layered {
    api: Api,
    forgets: bool,
    service: Guarded<Handler>,
}

impl Check for Layered {
    const NAME: &'static str = "grantor-resource, tower layer";
    const ABOUT: &'static str = "the same as a layer, with a request made and a handler that looks at the claims";

    async fn check(&mut self, presented: &Presented) -> bool {
        answered(self.service.call(request(presented)).await)
    }

    fn again(&mut self) {
        if self.forgets {
            self.api.forget_verified();
        }
    }
}

pub(crate) fn bare<'a>(runtime: &'a Runtime, _: &Given, signed: &'a Signed) -> Result<Here<'a, Bare>> {
    Ok(Here { runtime, signed, kind: Kind::Bare, check: Bare(parsed(&signed.key)?) })
}

pub(crate) fn all<'a>(runtime: &'a Runtime, given: &Given, signed: &'a Signed) -> Result<Vec<Box<dyn Contender + 'a>>> {
    let api = || {
        let keys = given.keys.clone();
        Api::builder(ISSUER, AUDIENCE).leeway(LEEWAY).keys(keys).build()
    };
    let wanted = Requirement::scope("notes:read");
    let mut all: Vec<Box<dyn Contender + 'a>> = Vec::new();
    for (kind, forgets) in [(Kind::Cold, true), (Kind::Warm, false)] {
        let called = Called { api: api()?, forgets, uri: Uri::from_static("/notes"), wanted: wanted.clone() };
        all.push(Box::new(Here { runtime, signed, kind, check: called }));
        let api = api()?;
        let handler = handler(|request| request.extensions().get::<Verified>().is_some());
        let service = api.require(wanted.clone()).layer(handler);
        all.push(Box::new(Here { runtime, signed, kind, check: Layered { api, forgets, service } }));
    }
    Ok(all)
}

/// What stands behind a layer: it answers 200 when the claims have come.
pub(crate) fn handler(has_claims: impl Fn(&Asked) -> bool + Clone + Send + 'static) -> Handler {
    let answer = move |request: Asked| {
        let mut response = Response::new(());
        if !has_claims(&request) {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        std::future::ready(Ok(response))
    };
    tower::service_fn(answer).boxed_clone()
}

/// A request with this token.
pub(crate) fn request(presented: &Presented) -> Asked {
    let mut request = Asked::new(Empty::new());
    *request.uri_mut() = Uri::from_static("/notes");
    request.headers_mut().insert(http::header::AUTHORIZATION, presented.header.clone());
    request
}

pub(crate) fn answered<E>(response: Result<Response<()>, E>) -> bool {
    response.is_ok_and(|response| response.status() == StatusCode::OK)
}

fn parsed(key: &SigningKey) -> Result<ParsedPublicKey> {
    Ok(match key.public_jwk().material() {
        Material::Ec { x, y, .. } => {
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [[4_u8].as_slice(), x, y].concat())?
        }
        Material::Rsa { n, e } => PublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)?,
        Material::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x)?,
        other => bail!("nobody measures {}", other.kty()),
    })
}
