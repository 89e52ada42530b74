//! What holds for the forms together.

use super::{is_current, recognises, should_rehash, verify};
use proptest::prelude::{Strategy, any, prop_assert, prop_oneof, proptest};
use proptest::string::string_regex;

/// One of each kind, quick to verify.
const CHEAP: [&str; 6] = [
    "$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbiBvZiBzYWx0IQ$kZquorOWMOPUpRBPAmK8ODlljn99DJjMwiB/hCYIabI",
    "$2b$04$fW3ZgHR2xOLDaz6uJ0pNKeRD8CvVN427jgNRJK.IOUkNDZNfjsZ.i",
    "$scrypt$ln=1,r=8,p=1$c2l4dGVlbiBvZiBzYWx0IQ$8gfzfST4kIGLTDvhOPZWG98nVNZnqdEiS1wl2IyPwpY",
    "$pbkdf2-sha256$i=10,l=32$c2l4dGVlbiBvZiBzYWx0IQ$YtYp6zZSh9NjKsJElLq4Hgp1xcb7xWG6FNG2UXsHWag",
    "$pbkdf2-sha512$10$....................cw$hllyQaDrHru.6y99MlHMyEyEG6Oh00o2vC4lAD93FUqfzjGpkLNhFrkLfL5jlAuPkjqO9o2n2MFclqPTVcie5g",
    "pbkdf2_sha1$10$seasalt2Kd0Fj9xQpLmZw$LtXrbi+X1/5ALm7kQPD+df5BGrE=",
];

#[test]
fn what_is_no_hash_verifies_nothing() {
    for bad in [
        "",
        "$",
        "$$$$",
        "plain",
        "correct horse",
        "{bcrypt}$2b$04$fW3ZgHR2xOLDaz6uJ0pNKeRD8CvVN427jgNRJK.IOUkNDZNfjsZ.i",
        "$6$saltsalt$hash",
        "$1$saltsalt$hash",
        "sha256:c2l4dGVlbiBvZiBzYWx0IQ",
    ] {
        assert!(!recognises(bad), "{bad}");
        assert!(!verify("", bad), "{bad}");
        assert!(!verify(bad, bad), "{bad}");
        assert!(!is_current(bad), "{bad}");
        assert!(!should_rehash("", bad), "{bad}");
    }
    assert!(CHEAP.iter().all(|cheap| recognises(cheap)));
}

/// Something like a hash: its fields right or arbitrary.
fn like_a_hash() -> impl Strategy<Value = String> {
    let algorithm = "(argon2(id|i|d)|scrypt|2[abxy]|pbkdf2([-_]sha(1|256|512))?)";
    let cost = "(v=[0-9]{1,3}\\$)?([a-z]{1,2}=[0-9]{1,10},?){0,4}|[0-9+-]{0,10}";
    let bytes = "[a-zA-Z0-9+/.]{0,90}={0,2}|\\PC{0,40}";
    string_regex(&format!("\\$?{algorithm}\\$({cost})\\$({bytes})\\$({bytes})")).unwrap()
}

/// A true hash with a piece of it exchanged.
fn nearly_a_hash() -> impl Strategy<Value = String> {
    (0..CHEAP.len(), any::<proptest::sample::Index>(), 0..6_usize, "\\PC{0,6}|[0-9$=,]{1,6}").prop_map(
        |(which, at, gone, piece)| {
            let chars: Vec<char> = CHEAP[which].chars().collect();
            let at = at.index(chars.len());
            let rest = chars.iter().skip(at + gone);
            chars.iter().take(at).copied().chain(piece.chars()).chain(rest.copied()).collect()
        },
    )
}

proptest! {
    #[test]
    fn no_string_panics(text in prop_oneof!["\\PC{0,200}", any::<String>(), like_a_hash(), nearly_a_hash()]) {
        // Verifying what is recognised may take its seconds; what is not must take none.
        if !recognises(&text) {
            prop_assert!(!verify("correct horse", &text));
            prop_assert!(!should_rehash("correct horse", &text));
        }
        prop_assert!(!is_current(&text));
    }

    #[test]
    fn no_password_panics(password in prop_oneof![any::<String>(), "\\PC{60,90}", "[a\0]{0,80}"]) {
        for cheap in CHEAP {
            prop_assert!(!verify(&password, cheap));
        }
    }
}

#[test]
fn what_nobody_has_costs_what_todays_hash_costs() {
    let nobody = super::of_nobody([3; 16]);
    let parameters = |phc: &str| phc.rsplitn(3, '$').last().unwrap().to_owned();
    assert_eq!(parameters(&nobody), parameters(&super::hash("x", [3; 16])));
    assert!(is_current(&nobody));
    assert!(!super::verify("nobody has this password", &nobody));
}
