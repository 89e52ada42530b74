//! The public key of a certificate, in the form in which clients register keys.

use grantor_jose::{Curve, Material};
use x509_parser::oid_registry::{OID_EC_P256, OID_NIST_EC_P384, OID_NIST_EC_P521, OID_SIG_ED25519};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// None for a key that has no such form. Whether it is a sound one is not asked: one that is equal to a registered key
/// is as sound as that.
pub(super) fn material(info: &SubjectPublicKeyInfo<'_>) -> Option<Material> {
    if info.subject_public_key.unused_bits != 0 {
        return None;
    }
    match info.parsed().ok()? {
        PublicKey::RSA(key) => Some(Material::Rsa { n: unsigned(key.modulus), e: unsigned(key.exponent) }),
        // RFC 5480 2.2: the uncompressed form.
        PublicKey::EC(point) => {
            let coordinates = point.data().strip_prefix(&[4])?;
            let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
            Some(Material::Ec { curve: curve(info)?, x: x.to_vec(), y: y.to_vec() })
        }
        PublicKey::Unknown(key) if info.algorithm.algorithm == OID_SIG_ED25519 => {
            Some(Material::Ed25519 { x: key.try_into().ok()? })
        }
        _ => None,
    }
}

/// RFC 5480 2.1.1.1.
fn curve(info: &SubjectPublicKeyInfo<'_>) -> Option<Curve> {
    let name = info.algorithm.parameters.as_ref()?.as_oid().ok()?;
    let named = [(OID_EC_P256, Curve::P256), (OID_NIST_EC_P384, Curve::P384), (OID_NIST_EC_P521, Curve::P521)];
    named.into_iter().find(|(oid, _)| *oid == name).map(|(_, curve)| curve)
}

/// An integer of DER without the zeros that keep it from being negative (RFC 7518 2).
fn unsigned(integer: &[u8]) -> Vec<u8> {
    integer.iter().copied().skip_while(|byte| *byte == 0).collect()
}
