//! PBKDF2 (RFC 8018 5.2) with HMAC, as PHC, passlib and Django write it.

use super::derived::Derived;
use argon2::password_hash::phc::PasswordHash;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// The dearest hash that is verified, in iterations of all its blocks. With SHA-512 it takes about two seconds.
const DEAREST: u64 = 5_000_000;

/// A PBKDF2 hash of a bearable cost.
pub(super) struct Pbkdf2Hash {
    digest: Digest,
    iterations: u32,
    derived: Derived,
}

#[derive(Clone, Copy)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl Pbkdf2Hash {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split('$').collect();
        match fields.as_slice() {
            ["", name, rounds, salt, hash] if !rounds.contains('=') => Self::parse_passlib(name, rounds, salt, hash),
            ["", ..] => Self::parse_phc(&PasswordHash::new(text).ok()?),
            [name, rounds, salt, hash] => Self::parse_django(name, rounds, salt, hash),
            _ => None,
        }
    }

    fn parse_phc(phc: &PasswordHash) -> Option<Self> {
        let digest = Digest::of_phc(phc.algorithm.as_str())?;
        let iterations = phc.params.get_decimal("i")?;
        let derived = Derived::of(phc)?;
        // Without the length there is one parameter, with it two: nothing is there twice, and nothing else is.
        let expected = match phc.params.get("l") {
            Some(length) if usize::try_from(length.decimal().ok()?).ok()? == derived.len() => 2,
            Some(_) => return None,
            None => 1,
        };
        let plain = phc.version.is_none() && phc.params.iter().count() == expected;
        Self::new(digest, iterations, derived).filter(|_| plain)
    }

    fn parse_passlib(name: &str, rounds: &str, salt: &str, hash: &str) -> Option<Self> {
        // Its "adapted base64" has a point where others have a plus.
        let decode = |text: &str| decode(&text.replace('.', "+"));
        Self::new(Digest::of_phc(name)?, decimal(rounds)?, Derived::new(&decode(salt)?, &decode(hash)?)?)
    }

    /// Here the salt is text, and hashed as it stands.
    fn parse_django(name: &str, rounds: &str, salt: &str, hash: &str) -> Option<Self> {
        let digest = Digest::named(name.strip_prefix("pbkdf2_")?)?;
        Self::new(digest, decimal(rounds)?, Derived::new(salt.as_bytes(), &decode(hash)?)?)
    }

    fn new(digest: Digest, iterations: u32, derived: Derived) -> Option<Self> {
        let blocks = u64::try_from(derived.len().div_ceil(digest.size())).ok()?;
        let bearable = iterations >= 1 && u64::from(iterations) * blocks <= DEAREST;
        bearable.then_some(Self { digest, iterations, derived })
    }

    pub(super) fn verify(&self, password: &str) -> bool {
        let function = match self.digest {
            Digest::Sha1 => pbkdf2_hmac::<Sha1>,
            Digest::Sha256 => pbkdf2_hmac::<Sha256>,
            Digest::Sha512 => pbkdf2_hmac::<Sha512>,
        };
        self.derived.matches(|salt, hash| {
            function(password.as_bytes(), salt, self.iterations, hash);
            true
        })
    }
}

impl Digest {
    /// Of `pbkdf2-sha256` and its like; the one without a digest's name is the oldest.
    fn of_phc(algorithm: &str) -> Option<Self> {
        match algorithm.strip_prefix("pbkdf2")? {
            "" => Some(Self::Sha1),
            rest => Self::named(rest.strip_prefix('-')?),
        }
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// What one block of it gives, in bytes.
    fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

fn decimal(text: &str) -> Option<u32> {
    // The standard library's number would take a sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Base64, with or without its padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, LENIENT).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::super::{is_current, recognises, should_rehash, verify};

    /// Python: `hashlib.pbkdf2_hmac("sha256", b"correct horse", b"sixteen of salt!", 2700, 32)`, and "sha512" with 64,
    /// "sha1" with 20, "sha256" with 64, which Keycloak used to make.
    const PHC: [&str; 4] = [
        "$pbkdf2-sha256$i=2700,l=32$c2l4dGVlbiBvZiBzYWx0IQ$YtYp6zZSh9NjKsJElLq4Hgp1xcb7xWG6FNG2UXsHWag",
        "$pbkdf2-sha512$i=2700,l=64$c2l4dGVlbiBvZiBzYWx0IQ$wxj6j4aQfmLF0QGYoaAOgFx1oYogFwqU6jV3irnV4okmCi1Dxpdx40BYyGBCQtnDyQRD8VpIIYDatojmUcpZkQ",
        "$pbkdf2-sha1$i=2700,l=20$c2l4dGVlbiBvZiBzYWx0IQ$Cu0HMMTXiB+2XvMSi712N09uCIU",
        "$pbkdf2-sha256$i=2700,l=64$c2l4dGVlbiBvZiBzYWx0IQ$YtYp6zZSh9NjKsJElLq4Hgp1xcb7xWG6FNG2UXsHWajA56ZCM3ek+xEPROAVGq70paOYUbfv+YjDBtmFnW/n5Q",
    ];

    /// passlib 1.7: `pbkdf2_sha256.using(salt=bytes([0xfb, 0xef, 0xbe]) * 5 + b"s", rounds=2900).hash("correct
    /// horse")`, and `pbkdf2_sha512`, and `pbkdf2_sha1`.
    const PASSLIB: [&str; 3] = [
        "$pbkdf2-sha256$2900$....................cw$wh5QdyNaXpSCqGw4eFfkrDiKZOXQvV.64vctBmNsfxI",
        "$pbkdf2-sha512$2900$....................cw$hllyQaDrHru.6y99MlHMyEyEG6Oh00o2vC4lAD93FUqfzjGpkLNhFrkLfL5jlAuPkjqO9o2n2MFclqPTVcie5g",
        "$pbkdf2$2900$....................cw$5wZaT/NkzaJYhHW3izD1aBP0Anw",
    ];

    /// Django 5.2: `PBKDF2PasswordHasher().encode("correct horse", "seasalt2Kd0Fj9xQpLmZw", 2600)`, the same of
    /// `PBKDF2SHA1PasswordHasher`, and of a subclass with `digest = hashlib.sha512`.
    const DJANGO: [&str; 3] = [
        "pbkdf2_sha256$2600$seasalt2Kd0Fj9xQpLmZw$EiLL6Aqax39kaoBC+DvT2XQGSBC9Y4kmwHiDd95RVVA=",
        "pbkdf2_sha1$2600$seasalt2Kd0Fj9xQpLmZw$LtXrbi+X1/5ALm7kQPD+df5BGrE=",
        "pbkdf2_sha512$2600$seasalt2Kd0Fj9xQpLmZw$2T8251h5usZtAieIBroZesI2gUJXYRaLa50Cs5lYQxqnqBURzOo0hwS3JEFgwbeg9hsjkLXhcJhvAKtdIrIziw==",
    ];

    #[test]
    fn what_python_passlib_and_django_made_verifies() {
        for known in PHC.into_iter().chain(PASSLIB).chain(DJANGO) {
            assert!(verify("correct horse", known), "{known}");
            assert!(!verify("correct house", known), "{known}");
            assert!(!is_current(known), "{known}");
            assert!(should_rehash("correct horse", known), "{known}");
        }
    }

    #[test]
    fn the_length_may_be_left_out_and_sha1_too() {
        assert!(verify("correct horse", &PHC[0].replace(",l=32", "")));
        assert!(verify("correct horse", &PHC[0].replace("i=2700,l=32", "l=32,i=2700")));
        assert!(verify("correct horse", &PHC[2].replace("-sha1", "")));
    }

    #[test]
    fn malformed_pbkdf2_is_not_recognised() {
        let (phc, passlib, django) = (PHC[0], PASSLIB[0], DJANGO[0]);
        for bad in [
            "$pbkdf2-sha256$i=2700,l=32$c2l4dGVlbiBvZiBzYWx0IQ",
            "$pbkdf2-sha256$i=2700$c2l4dGVlbiBvZiBzYWx0IQ$YtYp6zZSh9NjKsJElLq4",
            &phc.replace("sha256", "sha384"),
            &phc.replace("-sha256", "sha256"),
            &phc.replace("-sha256", "-"),
            &phc.replace("l=32", "l=31"),
            &phc.replace("l=32", "l=x"),
            &phc.replace("l=32", "i=2700"),
            &phc.replace("l=32", "x=32"),
            &phc.replace("l=32", "l=32,l=32"),
            &phc.replace("i=2700,", ""),
            &phc.replace("i=2700", "i=0"),
            &phc.replace("i=2700", "i=-1"),
            &phc.replace("$i=", "$v=1$i="),
            &phc.replace("c2l4", "c2l4."),
            &format!("{phc}$"),
            &passlib.replace("2900", "+2900"),
            &passlib.replace("2900", ""),
            &passlib.replace("2900", "0"),
            &passlib.replace("....................cw", ""),
            &passlib.replace("....................cw", "....................c"),
            &passlib.replace("....................cw", &".".repeat(88)),
            &passlib.replace("$pbkdf2-sha256", "$pbkdf2_sha256"),
            &format!("{passlib}$"),
            &django.replace("2600", " 2600"),
            &django.replace("2600", "-1"),
            &django.replace("2600", "0"),
            &django.replace("_sha256", "_md5"),
            &django.replace("_sha256", ""),
            &django.replace("seasalt2Kd0Fj9xQpLmZw", ""),
            &django.replace("seasalt2Kd0Fj9xQpLmZw", &"s".repeat(65)),
            &django.replace("EiLL", "Ei*L"),
            &django.replace("VVA=", "VVA=="),
            &format!("{django}$"),
        ] {
            assert!(!recognises(bad), "{bad}");
            assert!(!verify("correct horse", bad), "{bad}");
        }
    }

    #[test]
    fn pbkdf2_that_is_too_dear_is_not_recognised() {
        for dear in ["5000001", "4294967295", "4294967296", "99999999999999999999"] {
            assert!(!recognises(&PHC[0].replace("2700", dear)), "{dear}");
            assert!(!recognises(&PASSLIB[0].replace("2900", dear)), "{dear}");
            assert!(!recognises(&DJANGO[0].replace("2600", dear)), "{dear}");
        }
        assert!(recognises(&DJANGO[0].replace("2600", "5000000")));
        // Two blocks cost twice as much.
        assert!(recognises(&PHC[3].replace("2700", "2500000")));
        assert!(!recognises(&PHC[3].replace("2700", "2500001")));
    }
}
