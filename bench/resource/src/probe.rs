//! What each of them looks at, found out and not believed: tokens with one thing wrong, signed with the issuer's key.

use crate::Probed;
use crate::contender::{Contender, Kind};
use crate::given::{Given, Signed, claims, now, token};
use anyhow::{Result, bail};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use grantor_jose::{base64url, jws};
use grantor_resource::SigningKey;
use serde_json::{Value, json};

/// Every probe at everyone, the bare check aside; with the key of ES256.
pub(crate) fn all(_: &Given, signed: &Signed, contenders: &mut [Box<dyn Contender + '_>]) -> Result<Vec<Probed>> {
    let good = token(&signed.key, "at+jwt", &claims(0))?;
    let judges = |contender: &&mut Box<dyn Contender + '_>| contender.kind() == Kind::Cold;
    for contender in contenders.iter_mut().filter(judges) {
        if !contender.accepts(&good)? {
            bail!("{} refuses a good token", contender.name());
        }
    }
    let mut probes = Vec::new();
    for (wrong, token) in wrong_tokens(&signed.key, &good)? {
        let mut refused_by = Vec::new();
        for contender in contenders.iter_mut().filter(judges) {
            if !contender.accepts(&token)? {
                refused_by.push(contender.name());
            }
        }
        probes.push(Probed { wrong, refused_by });
    }
    Ok(probes)
}

fn wrong_tokens(key: &SigningKey, good: &str) -> Result<Vec<(&'static str, String)>> {
    let now = now();
    let with = |changes: Value| {
        let mut claims = claims(0);
        for (name, value) in changes.as_object().into_iter().flatten() {
            match value {
                Value::Null => claims.remove(name),
                value => claims.insert(name.clone(), value.clone()),
            };
        }
        token(key, "at+jwt", &claims)
    };
    let text = serde_json::to_string(&claims(0))?;
    let crit = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.key_id(), "crit": ["x"], "x": 1});
    let thumbprint = base64url::encode([7; 32]);
    Ok(vec![
        ("its signature is that of another token", {
            let other = with(json!({"sub": "other"}))?;
            let signature = other.rsplit_once('.').map_or("", |(_, signature)| signature);
            let part = good.rsplit_once('.').map_or("", |(signed, _)| signed);
            format!("{part}.{signature}")
        }),
        ("`iss` is another issuer", with(json!({"iss": "https://evil.example"}))?),
        ("`aud` is another API", with(json!({"aud": "https://other.example"}))?),
        ("`exp` has passed two minutes ago", with(json!({"exp": now - 120}))?),
        ("`exp` is missing", with(json!({"exp": null}))?),
        ("`nbf` is in an hour", with(json!({"nbf": now + 3600}))?),
        ("`iat` is in an hour", with(json!({"iat": now + 3600}))?),
        ("it is an ID token (`typ: JWT`)", token(key, "JWT", &claims(0))?),
        ("`crit` names an extension that nobody knows", signed_under(&crit, key, &text)?),
        ("`sub` stands there twice", {
            let twice = text.replacen('{', r#"{"sub":"mallory","#, 1);
            jws::sign(key, "at+jwt", twice.as_bytes())?
        }),
        ("`client_id` is missing", with(json!({"client_id": null}))?),
        ("`jti` is missing", with(json!({"jti": null}))?),
        ("it is bound to a DPoP key, and sent without proof", with(json!({"cnf": {"jkt": thumbprint}}))?),
        ("it is bound to a certificate, and sent without", with(json!({"cnf": {"x5t#S256": thumbprint}}))?),
        ("`cnf` is one that nobody understands", with(json!({"cnf": {"kid": "x"}}))?),
        ("the scope of the route is missing", with(json!({"scope": "notes:list"}))?),
    ])
}

/// Under a header that `jose` does not sign.
fn signed_under(header: &Value, key: &SigningKey, payload: &str) -> Result<String> {
    let signed = format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(payload));
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.to_pkcs8())?;
    let signature = pair.sign(&SystemRandom::new(), signed.as_bytes())?;
    Ok(format!("{signed}.{}", base64url::encode(signature)))
}
