//! The worked examples of RFC 7515, 7517, 7520 and 7638. Every file of the collection is used; those that compact
//! serialization cannot express are asserted to be refused here, and RFC 7520 5.10 to 5.13 run beside the code of JWE.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod vectors;

use grantor_jose::jwe::{self, DecryptionKey};
use grantor_jose::jws::{Algorithm, Unverified};
use grantor_jose::{
    ContentEncryption, EncryptionAlgorithm, Jwk, JwkSet, KeyError, MacAlgorithm, PrivateJwk, SigningAlgorithm,
    VerifyingKey, base64url, thumbprint,
};
use serde_json::Value;

fn names(extensions: &[&str]) -> Vec<String> {
    let entries = std::fs::read_dir(vectors::folder("rfc")).unwrap_or_else(|_| panic!("no test vectors"));
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| extensions.iter().any(|extension| name.ends_with(extension)));
    names.sort();
    names
}

fn read(name: &str) -> String {
    vectors::read("rfc", name)
}

fn json(name: &str) -> Value {
    serde_json::from_str(&read(name)).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').unwrap().0
}

fn verify(token: &str, key: &str) -> Result<Vec<u8>, String> {
    let unverified = Unverified::parse(token).map_err(|why| why.to_string())?;
    let jwk = PrivateJwk::parse(key).unwrap();
    let verified = match unverified.header().alg() {
        Algorithm::Signature(alg) => {
            let key = VerifyingKey::from_jwk(&jwk.public().unwrap(), alg).map_err(|why| why.to_string())?;
            unverified.verify(&key)
        }
        Algorithm::Mac(alg) => unverified.verify_mac(&jwk.shared_secret(alg).map_err(|why| why.to_string())?),
    };
    verified.map(|verified| verified.payload().to_vec()).map_err(|why| why.to_string())
}

fn protected(encoded: &str) -> Value {
    base64url::decode(encoded).and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or(Value::Null)
}

/// The JSON forms as compact tokens with the file of their key. What stands in the unprotected header is lost, as it
/// should be: nothing signed it.
fn as_compact(name: &str) -> Vec<(String, String)> {
    let stem = stem(name);
    if name.ends_with("jwsc") || name.ends_with("jwec") {
        return vec![(read(name), format!("{stem}.jwk"))];
    }
    let token = json(name);
    if let Some(signatures) = token["signatures"].as_array().filter(|signatures| signatures.len() > 1) {
        let one = |(index, signature): (usize, &Value)| {
            let (protected, payload) = (text(&signature["protected"]), text(&token["payload"]));
            let compact = format!("{protected}.{payload}.{}", text(&signature["signature"]));
            (compact, format!("{stem}.{}.jwk", index + 1))
        };
        return signatures.iter().enumerate().map(one).collect();
    }
    let signature = if token["signatures"].is_array() { &token["signatures"][0] } else { &token };
    let (protected, payload) = (text(&signature["protected"]), text(&token["payload"]));
    vec![(format!("{protected}.{payload}.{}", text(&signature["signature"])), format!("{stem}.jwk"))]
}

#[test]
fn signatures() {
    let (mut files, mut accepted, mut refused) = (0, 0, 0);
    for name in names(&[".jwsc", ".jwsf", ".jwsg"]) {
        files += 1;
        for (mut token, key) in as_compact(&name) {
            let key = if name.contains("A.5") { "rfc7515_A.1.jwk".to_owned() } else { key };
            if name.contains("7520_4.5") {
                // A detached payload (RFC 7515 F): without it the token does not verify.
                assert!(verify(&token, &read(&key)).is_err());
                token = token.replace("..", &format!(".{}.", base64url::encode(read("rfc7520_4.5.payl"))));
            }
            let alg = protected(token.split('.').next().unwrap())["alg"].as_str().unwrap_or_default().to_owned();
            let supported = SigningAlgorithm::parse(&alg).is_some() || MacAlgorithm::parse(&alg).is_some();
            match verify(&token, &read(&key)) {
                Ok(payload) if supported => {
                    assert_eq!(base64url::encode(payload), token.split('.').nth(1).unwrap(), "{name}");
                    accepted += 1;
                }
                Err(_) if !supported => refused += 1,
                other => panic!("{name} {alg}: {other:?}"),
            }
        }
    }
    println!("signatures: {files} files, {accepted} accepted; {refused} refused: none, ES512, PS384, no protected alg");
    assert_eq!((files, accepted, refused), (27, 19, 11));
}

#[test]
fn encryption() {
    let (mut files, mut accepted, mut outside, mut inexpressible) = (0, 0, 0, 0);
    for name in names(&[".jwec", ".jwef", ".jweg"]) {
        files += 1;
        let token = if name.ends_with("jwec") { Value::Null } else { json(&name) };
        let recipients = token["recipients"].as_array().map_or(1, Vec::len);
        if token.get("aad").is_some() || token.get("unprotected").is_some() || recipients > 1 {
            assert!(jwe::Unopened::parse(&token.to_string()).is_err());
            inexpressible += 1;
            continue;
        }
        let compact = if token.is_null() {
            read(&name)
        } else {
            let encrypted_key = token.get("encrypted_key").unwrap_or(&token["recipients"][0]["encrypted_key"]);
            let parts = [&token["protected"], encrypted_key, &token["iv"], &token["ciphertext"], &token["tag"]];
            parts.map(text).join(".")
        };
        let header = protected(compact.split('.').next().unwrap());
        let supported = EncryptionAlgorithm::parse(text(&header["alg"])).is_some()
            && ContentEncryption::parse(text(&header["enc"])).is_some()
            && header.get("zip").is_none();
        let opened = jwe::Unopened::parse(&compact).map_err(|why| why.to_string()).and_then(|unopened| {
            let jwk = PrivateJwk::parse(read(&format!("{}.jwk", stem(&name)))).unwrap();
            let key = DecryptionKey::from_jwk(&jwk, unopened.header().alg()).map_err(|why| why.to_string())?;
            unopened.open(&key).map_err(|why| why.to_string())
        });
        match opened {
            Ok(opened) if supported => {
                assert_eq!(opened.plaintext(), read(&format!("{}.pt", stem(&name))).as_bytes(), "{name}");
                accepted += 1;
            }
            Err(_) if !supported => outside += 1,
            other => panic!("{name}: {other:?}"),
        }
    }
    println!(
        "encryption: {files} files, {accepted} opened; {outside} refused: RSA1_5, PBES2, A256GCMKW, zip; \
         {inexpressible} not in compact form: refused"
    );
    assert_eq!((files, accepted, outside, inexpressible), (32, 13, 12, 7));
}

#[test]
fn keys() {
    let (mut public, mut private) = (0, 0);
    for name in names(&[".jwk"]) {
        let text = read(&name);
        let key = json(&name);
        if key.get("d").or(key.get("k")).is_none() {
            let jwk = Jwk::parse_public(&text).unwrap();
            let again = Jwk::parse_public(serde_json::to_string(&jwk).unwrap()).unwrap();
            assert_eq!(jwk, again, "{name}");
            public += 1;
            continue;
        }
        assert_eq!(Jwk::parse_public(&text), Err(KeyError::Private), "{name}");
        let jwk = PrivateJwk::parse(&text).unwrap();
        assert_eq!(jwk.public().is_none(), key["kty"] == "oct", "{name}");
        let alg = match (key["kty"].as_str().unwrap(), key["crv"].as_str()) {
            ("RSA", _) => SigningAlgorithm::Rs256,
            ("EC", Some("P-256")) => SigningAlgorithm::Es256,
            _ => SigningAlgorithm::Es384,
        };
        let signs = key["kty"] != "oct" && key["crv"] != "P-521" && key["use"] != "enc";
        assert_eq!(jwk.signing_key(alg).is_ok(), signs, "{name}");
        private += 1;
    }
    println!("keys: {public} public, {private} private or symmetric");
    assert_eq!((public, private), (4, 36));
}

#[test]
fn key_sets() {
    for name in names(&[".jwkset"]) {
        let raw = json(&name);
        for key in raw["keys"].as_array().unwrap().iter().filter(|key| key.get("d").or(key.get("k")).is_some()) {
            assert!(PrivateJwk::parse(key.to_string()).is_ok(), "{name}");
        }
        match (name.as_str(), JwkSet::parse(read(&name))) {
            ("rfc7517_A.1.jwkset", Ok(set)) => {
                assert_eq!(set.keys.len(), 2);
                assert_eq!(set.find("2011-04-29").unwrap().alg(), Some("RS256"));
                assert_eq!(set.find("1").unwrap().usage(), Some("enc"));
                assert_eq!(JwkSet::parse(serde_json::to_string(&set).unwrap()).unwrap(), set);
            }
            (_, Err(KeyError::Private)) => {}
            (name, other) => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(names(&[".jwkset"]).len(), 5);
}

#[test]
fn rfc7638_3_1_thumbprint() {
    let key = Jwk::parse_public(read("rfc7638_3.1.jwk")).unwrap();
    assert_eq!(thumbprint(&key).to_string(), read("rfc7638_3.1.thp"));
    assert_eq!(thumbprint(&key).to_string(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn every_file_has_its_test() {
    let used = names(&[".jwk", ".jwkset", ".thp", ".jwsc", ".jwsf", ".jwsg", ".jwec", ".jwef", ".jweg"]);
    let beside = names(&[".pt", ".payl", ".pwd", ".sh"]);
    println!("files: {} under test, {} plaintexts and the like", used.len(), beside.len());
    assert_eq!(used.len() + beside.len(), names(&[""]).len());
}
