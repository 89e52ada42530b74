use super::*;
use proptest::prelude::*;
use serde_json::json;

const URI: &str = "https://id.example/status-lists/ES256/00000000000000ff";

fn token(list: StatusList) -> StatusListToken {
    let (issued, expires) = (UnixTime::new(100), Some(UnixTime::new(400)));
    StatusListToken { uri: URI.to_owned(), issued, expires, ttl: Some(TTL), list }
}

fn read(claims: &Value) -> Result<StatusListToken, Malformed> {
    StatusListToken::from_claims(claims.as_object().unwrap(), URI)
}

/// The examples of the specification, sections 4.1 and 4.2, and its zlib streams.
#[test]
fn token_status_list_4_the_specifications_own_examples() {
    let one = StatusList::unpack(&json!({"bits": 1, "lst": "eNrbuRgAAhcBXQ"})).unwrap();
    let statuses = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    for (index, status) in (0..).zip(statuses) {
        assert_eq!(one.is_valid(index), Some(status == 0), "{index}");
    }
    assert_eq!(one.is_valid(16), None, "8.3: out of bounds");
    let two = StatusList::unpack(&json!({"bits": 2, "lst": "eNo76fITAAPfAgc"})).unwrap();
    let statuses = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
    for (index, status) in (0..).zip(statuses) {
        assert_eq!(two.is_valid(index), Some(status == 0), "{index}");
    }
}

#[test]
fn token_status_list_6_2_what_a_token_says() {
    let claims = |status: Value| json!({ "status": status }).as_object().unwrap().clone();
    let reference = StatusReference { uri: URI.to_owned(), index: 412 };
    let written = serde_json::to_value(reference.claim()).unwrap();
    assert_eq!(written, json!({"status_list": {"idx": 412, "uri": URI}}));
    assert_eq!(StatusReference::from_claims(&claims(written)), Ok(Some(reference)));
    assert_eq!(StatusReference::from_claims(&Map::new()), Ok(None));
    assert_eq!(StatusReference::from_claims(&claims(json!({"other": {}}))), Ok(None));
    for bad in [
        json!(1),
        json!({"status_list": 1}),
        json!({"status_list": {"idx": 1}}),
        json!({"status_list": {"uri": URI}}),
        json!({"status_list": {"idx": -1, "uri": URI}}),
        json!({"status_list": {"idx": "1", "uri": URI}}),
        json!({"status_list": {"idx": 1, "uri": 1}}),
    ] {
        assert_eq!(StatusReference::from_claims(&claims(bad.clone())), Err(Malformed), "{bad}");
    }
}

#[test]
fn token_status_list_5_1_a_list_that_is_not_what_it_must_be() {
    let good: Value = serde_json::from_slice(&token(StatusList::of_invalid(&[3])).to_payload()).unwrap();
    assert_eq!(read(&good), Ok(token(StatusList::of_invalid(&[3]))));
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        read(&claims)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        read(&claims)
    };
    for needed in ["sub", "iat", "status_list"] {
        assert_eq!(without(needed), Err(Malformed), "{needed}");
    }
    for optional in ["exp", "ttl"] {
        assert!(without(optional).is_ok(), "{optional}");
    }
    for (name, bad) in [
        ("sub", json!("https://id.example/status-lists/ES256/0000000000000001")),
        ("iat", json!("now")),
        ("exp", json!("never")),
        ("ttl", json!(0)),
        ("ttl", json!(-3)),
        ("status_list", json!({"bits": 3, "lst": "eNrbuRgAAhcBXQ"})),
        ("status_list", json!({"bits": 1, "lst": "eNrbuRgAAhcBXQ=="})),
        ("status_list", json!({"bits": 1, "lst": "AAAA"})),
        ("status_list", json!({"lst": "eNrbuRgAAhcBXQ"})),
        ("status_list", json!({"bits": 1})),
    ] {
        assert_eq!(with(name, bad.clone()), Err(Malformed), "{name} {bad}");
    }
}

/// A few bytes that unpack to gigabytes are not unpacked.
#[test]
fn token_status_list_4_a_list_has_a_bound() {
    let lst = |bytes: usize| json!({"bits": 1, "lst": base64url::encode(compress_to_vec_zlib(&vec![0; bytes], LEVEL))});
    assert!(StatusList::unpack(&lst(MAX_LIST)).is_some());
    assert!(StatusList::unpack(&lst(MAX_LIST + 1)).is_none());
}

#[test]
fn the_name_of_a_list_is_written_in_one_way() {
    let issuer = Issuer::parse("https://id.example").unwrap();
    assert_eq!(uri(&issuer, SigningAlgorithm::Es256, 255), URI);
    assert_eq!(parse_name("00000000000000ff"), Some(255));
    for bad in ["", "ff", "00000000000000FF", "+0000000000000ff", "000000000000000ff", "00000000000000fg"] {
        assert_eq!(parse_name(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn what_is_packed_comes_back(invalid in proptest::collection::btree_set(0..LENGTH, 0..200)) {
        let invalid: Vec<u32> = invalid.into_iter().collect();
        let token = token(StatusList::of_invalid(&invalid));
        let claims: Value = serde_json::from_slice(&token.to_payload()).unwrap();
        let back = read(&claims).unwrap();
        for index in 0..LENGTH {
            prop_assert_eq!(back.list.is_valid(u64::from(index)), Some(!invalid.contains(&index)));
        }
        prop_assert_eq!(back.list.is_valid(u64::from(LENGTH)), None);
    }

    #[test]
    fn whatever_comes_is_read_without_harm(bits in 0_u64..10, bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let list = StatusList::unpack(&json!({"bits": bits, "lst": base64url::encode(bytes)}));
        if let Some(list) = list {
            let _ = list.is_valid(0);
        }
    }
}
