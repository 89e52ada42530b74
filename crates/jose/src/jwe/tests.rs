use super::*;
use crate::{EncryptionAlgorithm, Jwk, KeyError, PrivateJwk, vectors};
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

/// One key pair for every asymmetric algorithm.
static PAIRS: LazyLock<Vec<(EncryptionKey, DecryptionKey)>> = LazyLock::new(|| {
    let pair = |alg: &EncryptionAlgorithm| {
        let key = DecryptionKey::generate(*alg).ok()?;
        Some((EncryptionKey::from_jwk(&key.public_jwk()?, *alg).ok()?, key))
    };
    EncryptionAlgorithm::ALL.iter().filter_map(pair).collect()
});

fn shared(alg: EncryptionAlgorithm, secret: &[u8]) -> (EncryptionKey, DecryptionKey) {
    (EncryptionKey::from_secret(alg, secret).unwrap(), DecryptionKey::from_secret(alg, secret).unwrap())
}

fn ecdh() -> &'static (EncryptionKey, DecryptionKey) {
    PAIRS.iter().find(|(key, _)| key.algorithm() == EncryptionAlgorithm::EcdhEsA128Kw).unwrap()
}

/// The token with members of its header changed; a content that nobody authenticated this way.
fn with_header(token: &str, changes: &Value) -> String {
    let (protected, rest) = token.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&base64url::decode(protected).unwrap()).unwrap();
    header.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    format!("{}.{rest}", base64url::encode(header.to_string()))
}

#[test]
fn every_algorithm_encrypts_and_decrypts() {
    assert_eq!(PAIRS.len(), 5);
    for enc in ContentEncryption::ALL {
        for (to, from) in PAIRS.iter() {
            let token = encrypt(to, *enc, Some("JWT"), b"content").unwrap();
            let opened = decrypt(from, &token).unwrap();
            assert_eq!(opened.plaintext(), b"content");
            assert_eq!(opened.header().cty(), Some("JWT"));
            assert_eq!(opened.header().kid(), from.key_id());
            assert_eq!((opened.header().alg(), opened.header().enc()), (to.algorithm(), *enc));
            for (_, other) in PAIRS.iter().filter(|(_, other)| other.algorithm() != from.algorithm()) {
                assert_eq!(decrypt(other, &token).unwrap_err(), Refused::Algorithm);
            }
        }
        let secrets = [
            (EncryptionAlgorithm::A128Kw, 16),
            (EncryptionAlgorithm::A256Kw, 32),
            (EncryptionAlgorithm::Dir, content::key_len(*enc)),
        ];
        for (alg, length) in secrets {
            let (to, from) = shared(alg, &vec![5; length]);
            let token = encrypt(&to, *enc, None, b"").unwrap();
            assert_eq!(decrypt(&from, &token).unwrap().plaintext(), b"", "{alg} {enc}");
        }
    }
}

#[test]
fn a_key_survives_storage() {
    for (to, from) in PAIRS.iter() {
        let again = DecryptionKey::from_pkcs8(from.algorithm(), from.to_pkcs8().unwrap()).unwrap();
        assert_eq!(again.public_jwk(), from.public_jwk());
        let token = encrypt(to, ContentEncryption::A256Gcm, None, b"content").unwrap();
        assert_eq!(decrypt(&again, &token).unwrap().into_plaintext(), b"content");
        assert_eq!(decrypt(&again.with_key_id("other").unwrap(), &token).unwrap_err(), Refused::KeyId);
    }
}

#[test]
fn another_recipient_cannot_decrypt() {
    for (to, from) in PAIRS.iter() {
        let token = encrypt(to, ContentEncryption::A128CbcHs256, None, b"content").unwrap();
        let other = DecryptionKey::generate(from.algorithm()).unwrap().with_key_id(from.key_id().unwrap()).unwrap();
        assert_eq!(decrypt(&other, &token).unwrap_err(), Refused::Content);
    }
}

#[test]
fn rfc7516_4_1_3_compression_is_refused() {
    let token = encrypt(&ecdh().0, ContentEncryption::A128Gcm, None, b"content").unwrap();
    for zip in [json!("DEF"), json!(null), json!("")] {
        let token = with_header(&token, &json!({"zip": zip}));
        assert_eq!(Unopened::parse(&token).unwrap_err(), Malformed::Compressed);
    }
}

#[test]
fn rfc7516_4_1_13_unknown_crit_is_refused() {
    let token = encrypt(&ecdh().0, ContentEncryption::A128Gcm, None, b"content").unwrap();
    for crit in [json!(["exp"]), json!([]), json!(null)] {
        let token = with_header(&token, &json!({"crit": crit}));
        assert_eq!(Unopened::parse(&token).unwrap_err(), Malformed::Critical);
    }
}

#[test]
fn rfc7518_4_2_rsa1_5_is_refused() {
    let token = encrypt(&ecdh().0, ContentEncryption::A128Gcm, None, b"content").unwrap();
    for alg in ["RSA1_5", "none", "PBES2-HS256+A128KW", "A128GCMKW", ""] {
        assert_eq!(Unopened::parse(&with_header(&token, &json!({"alg": alg}))).unwrap_err(), Malformed::Algorithm);
    }
    assert_eq!(Unopened::parse(&with_header(&token, &json!({"enc": "none"}))).unwrap_err(), Malformed::Algorithm);
    assert_eq!(Unopened::parse(&with_header(&token, &json!({"enc": 1}))).unwrap_err(), Malformed::Header);
    assert_eq!(Unopened::parse(&with_header(&token, &json!({"apu": "="}))).unwrap_err(), Malformed::Encoding);
}

#[test]
fn rfc7516_4_repeated_members_are_refused() {
    let header = base64url::encode(r#"{"alg":"dir","enc":"A128GCM","alg":"dir"}"#);
    assert_eq!(Unopened::parse(&format!("{header}....")).unwrap_err(), Malformed::Header);
}

#[test]
fn rfc7518_4_6_1_1_ephemeral_keys_off_the_curve_are_refused() {
    let (to, from) = ecdh();
    let token = encrypt(to, ContentEncryption::A128Gcm, None, b"content").unwrap();
    let one = base64url::encode([1; 32]);
    let off = json!({"epk": {"kty": "EC", "crv": "P-256", "x": one, "y": one}});
    assert_eq!(decrypt(from, &with_header(&token, &off)).unwrap_err(), Refused::Content);
    let zero = base64url::encode([0; 32]);
    let zero = json!({"epk": {"kty": "EC", "crv": "P-256", "x": zero, "y": zero}});
    assert_eq!(decrypt(from, &with_header(&token, &zero)).unwrap_err(), Refused::Content);
    let p384 = PrivateJwk::parse(vectors::read("rfc", "rfc7520_5.4.jwk")).unwrap().public().unwrap();
    let p384 = json!({"epk": p384});
    assert_eq!(decrypt(from, &with_header(&token, &p384)).unwrap_err(), Refused::Content);
    for epk in [json!("x"), json!({}), json!({"kty": "EC", "crv": "P-256", "x": one, "y": one, "d": one})] {
        assert_eq!(Unopened::parse(&with_header(&token, &json!({"epk": epk}))).unwrap_err(), Malformed::Key);
    }
    let header = base64url::encode(json!({"alg": "ECDH-ES+A128KW", "enc": "A128GCM"}).to_string());
    let (_, rest) = token.split_once('.').unwrap();
    assert_eq!(decrypt(from, &format!("{header}.{rest}")).unwrap_err(), Refused::Content);
}

#[test]
fn rfc7518_4_5_and_4_6_direct_keys_leave_the_encrypted_key_empty() {
    let direct = shared(EncryptionAlgorithm::Dir, &[5; 16]);
    let agreed = PAIRS.iter().find(|(key, _)| key.algorithm() == EncryptionAlgorithm::EcdhEs).unwrap();
    for (to, from) in [&direct, agreed] {
        let token = encrypt(to, ContentEncryption::A128Gcm, None, b"content").unwrap();
        assert!(decrypt(from, &token).is_ok());
        assert_eq!(decrypt(from, &token.replacen("..", ".AAAA.", 1)).unwrap_err(), Refused::Content);
    }
    let (to, from) = direct;
    assert_eq!(encrypt(&to, ContentEncryption::A256Gcm, None, b"").unwrap_err(), EncryptError::Algorithm);
    let token = encrypt(&to, ContentEncryption::A128Gcm, None, b"content").unwrap();
    let longer = with_header(&token, &json!({"enc": "A256GCM"}));
    assert_eq!(decrypt(&from, &longer).unwrap_err(), Refused::Content);
}

#[test]
fn rfc7517_4_keys_for_other_uses_are_refused() {
    let material = ecdh().1.public_jwk().unwrap();
    let key = |changes: Value| {
        let mut key = serde_json::to_value(&material).unwrap();
        key.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let jwk = Jwk::parse_public(key.to_string()).unwrap();
        EncryptionKey::from_jwk(&jwk, EncryptionAlgorithm::EcdhEsA128Kw).map(drop)
    };
    assert_eq!(key(json!({})), Ok(()));
    assert_eq!(key(json!({"use": "sig"})), Err(KeyError::Usage));
    assert_eq!(key(json!({"key_ops": ["verify"]})), Err(KeyError::Usage));
    assert_eq!(key(json!({"key_ops": ["deriveKey"]})), Ok(()));
    assert_eq!(key(json!({"alg": "ECDH-ES"})), Err(KeyError::Algorithm));
    for alg in [EncryptionAlgorithm::RsaOaep, EncryptionAlgorithm::A128Kw, EncryptionAlgorithm::Dir] {
        let bare: Value =
            serde_json::to_value(Jwk::new(material.material().clone(), crate::jwk::Attributes::default())).unwrap();
        let jwk = Jwk::parse_public(bare.to_string()).unwrap();
        assert_eq!(EncryptionKey::from_jwk(&jwk, alg).map(drop), Err(KeyError::Algorithm));
    }
    assert_eq!(EncryptionKey::from_secret(EncryptionAlgorithm::A128Kw, &[1; 32]).map(drop), Err(KeyError::Strength));
    assert_eq!(EncryptionKey::from_secret(EncryptionAlgorithm::EcdhEs, &[1; 32]).map(drop), Err(KeyError::Algorithm));
    assert_eq!(DecryptionKey::generate(EncryptionAlgorithm::Dir).map(drop), Err(KeyError::Algorithm));
}

#[test]
fn rfc7517_4_private_keys_for_other_uses_are_refused() {
    let key = |extra: Value| {
        let mut key: Value = serde_json::from_str(&vectors::read("rfc", "rfc7520_5.5.jwk")).unwrap();
        key.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        DecryptionKey::from_jwk(&PrivateJwk::parse(key.to_string()).unwrap(), EncryptionAlgorithm::EcdhEs).map(drop)
    };
    assert_eq!(key(json!({})), Ok(()));
    assert_eq!(key(json!({"key_ops": ["deriveKey"]})), Ok(()));
    assert_eq!(key(json!({"use": "sig"})), Err(KeyError::Usage));
    assert_eq!(key(json!({"key_ops": ["sign"]})), Err(KeyError::Usage));
    assert_eq!(key(json!({"alg": "ECDH-ES+A128KW"})), Err(KeyError::Algorithm));
    assert_eq!(key(json!({"d": base64url::encode([1; 32])})), Err(KeyError::Invalid));
}

#[test]
fn rfc7518_6_2_1_recipients_off_the_curve_are_refused() {
    let one = base64url::encode([1; 32]);
    let jwk = Jwk::parse_public(json!({"kty": "EC", "crv": "P-256", "x": one, "y": one}).to_string()).unwrap();
    assert_eq!(EncryptionKey::from_jwk(&jwk, EncryptionAlgorithm::EcdhEs).map(drop), Err(KeyError::Invalid));
}

#[test]
fn rfc7518_5_3_the_tag_is_whole() {
    let (to, from) = shared(EncryptionAlgorithm::Dir, &[5; 32]);
    for enc in [ContentEncryption::A256Gcm, ContentEncryption::A128CbcHs256] {
        let token = encrypt(&to, enc, None, b"sixteen bytes ..").unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let ciphertext = base64url::decode(parts[3]).unwrap();
        let tag = base64url::decode(parts[4]).unwrap();
        let joined = [ciphertext.as_slice(), &tag].concat();
        for at in 0..=joined.len() {
            let (ciphertext, tag) = joined.split_at(at);
            let moved = [parts[0], "", parts[2], &base64url::encode(ciphertext), &base64url::encode(tag)].join(".");
            assert_eq!(decrypt(&from, &moved).is_ok(), tag.len() == 16, "{enc} {at}");
        }
    }
}

#[test]
fn oversized_input_is_refused() {
    assert_eq!(Unopened::parse(&"A".repeat(MAX_TOKEN + 1)).unwrap_err(), Malformed::TooLarge);
    assert_eq!(Unopened::parse(&format!("{}....", "A".repeat(MAX_HEADER + 1))).unwrap_err(), Malformed::TooLarge);
    let large = vec![0; MAX_TOKEN];
    assert_eq!(encrypt(&ecdh().0, ContentEncryption::A128Gcm, None, &large).unwrap_err(), EncryptError::TooLarge);
}

#[test]
fn debug_shows_no_content_and_keys_are_shared_between_threads() {
    fn shared_between_threads<T: Send + Sync>(_: &T) {}
    let (to, from) = ecdh();
    shared_between_threads(to);
    shared_between_threads(from);
    let token = encrypt(to, ContentEncryption::A128Gcm, None, b"content").unwrap();
    assert!(!format!("{:?}", decrypt(from, &token).unwrap()).contains("plaintext"));
    assert_eq!(
        format!("{:?}", shared(EncryptionAlgorithm::Dir, &[1; 16]).1),
        "DecryptionKey { alg: Dir, kid: None, .. }"
    );
}

/// RFC 7520 5.10 to 5.13: the JSON forms that compact serialization cannot express, with an `aad`, with headers that are
/// not protected, with several recipients. Their parts go through the code by hand.
#[test]
fn rfc7520_5_10_to_5_13_json_forms() {
    let mut opened = Vec::new();
    let mut refused = Vec::new();
    for name in ["5.10.jwef", "5.10.jweg", "5.11.jwef", "5.11.jweg", "5.12.jwef", "5.12.jweg", "5.13.jweg"] {
        let token: Value = serde_json::from_str(&vectors::read("rfc", &format!("rfc7520_{name}"))).unwrap();
        let stem = name.rsplit_once('.').unwrap().0;
        let recipients = token["recipients"].as_array().cloned().unwrap_or_else(|| vec![token.clone()]);
        for (index, recipient) in recipients.iter().enumerate() {
            let part = |value: &Value| base64url::decode(value.as_str().unwrap_or_default()).unwrap();
            let protected = token["protected"].as_str().unwrap_or_default();
            let mut members = crate::parse_object(&part(&token["protected"])).unwrap_or_default();
            for more in [&token["unprotected"], &recipient["header"]] {
                members.extend(more.as_object().cloned().unwrap_or_default());
            }
            let Ok(header) = Header::from_members(members) else {
                refused.push(format!("{name} {index}"));
                continue;
            };
            let file = if recipients.len() > 1 { format!("{stem}.{}", index + 1) } else { stem.to_owned() };
            let jwk = PrivateJwk::parse(vectors::read("rfc", &format!("rfc7520_{file}.jwk"))).unwrap();
            let key = DecryptionKey::from_jwk(&jwk, header.alg()).unwrap();
            let cek = key.unwrap(&header, &part(&recipient["encrypted_key"])).unwrap();
            let aad = token["aad"].as_str().map_or(protected.to_owned(), |aad| format!("{protected}.{aad}"));
            let sealed =
                Sealed { iv: part(&token["iv"]), ciphertext: part(&token["ciphertext"]), tag: part(&token["tag"]) };
            let plaintext = content::open(header.enc(), &cek, aad.as_bytes(), &sealed).unwrap();
            assert_eq!(plaintext, vectors::read("rfc", &format!("rfc7520_{stem}.pt")).as_bytes(), "{name}");
            opened.push(format!("{name} {index}"));
        }
    }
    println!("JSON forms of JWE: opened {opened:?}, refused {refused:?}");
    // Two of the three recipients of 5.13 use RSA1_5 and A256GCMKW.
    assert_eq!((opened.len(), refused.len()), (7, 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn round_trip(which: prop::sample::Index, enc: prop::sample::Index, plaintext: Vec<u8>) {
        let (to, from) = &PAIRS[which.index(PAIRS.len())];
        let token = encrypt(to, ContentEncryption::ALL[enc.index(4)], None, &plaintext).unwrap();
        prop_assert_eq!(decrypt(from, &token).unwrap().into_plaintext(), plaintext);
    }

    #[test]
    fn a_flipped_bit_never_opens(
        which: prop::sample::Index, enc: prop::sample::Index, at: prop::sample::Index, bit in 0_u8..8,
    ) {
        let (to, from) = &PAIRS[which.index(PAIRS.len())];
        let mut token = encrypt(to, ContentEncryption::ALL[enc.index(4)], None, b"content").unwrap().into_bytes();
        let at = at.index(token.len());
        token[at] ^= 1 << bit;
        if let Ok(token) = String::from_utf8(token) {
            prop_assert!(decrypt(from, &token).is_err());
        }
    }

    #[test]
    fn arbitrary_parts_never_panic(
        header in "\\{\"alg\":\"(dir|A128KW|ECDH-ES|RSA-OAEP)\",\"enc\":\"(A128GCM|A128CBC-HS256|A256CBC-HS512)\"\\}",
        encrypted_key: Vec<u8>, iv: Vec<u8>, ciphertext: Vec<u8>, tag: Vec<u8>,
    ) {
        let parts = [header.as_bytes(), &encrypted_key, &iv, &ciphertext, &tag].map(base64url::encode);
        let token = parts.join(".");
        for secret in [16, 32, 64] {
            let alg = Unopened::parse(&token).unwrap().header().alg();
            if let Ok(key) = DecryptionKey::from_secret(alg, &vec![1; secret]) {
                prop_assert!(decrypt(&key, &token).is_err());
            }
        }
        for (_, key) in PAIRS.iter() {
            prop_assert!(decrypt(key, &token).is_err());
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,64}|[A-Za-z0-9_-]{0,9}(\\.[A-Za-z0-9_-]{0,9}){4}") {
        prop_assert!(Unopened::parse(&text).is_err());
    }
}
