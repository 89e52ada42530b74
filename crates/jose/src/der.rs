//! The one ASN.1 structure that is read here: an RSA public key (RFC 8017 A.1.1), as the cryptographic library gives it.

/// Modulus and exponent, big-endian without leading zeros.
pub(crate) fn rsa_public_key(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (sequence, rest) = element(0x30, der)?;
    let (modulus, exponent) = element(0x02, sequence)?;
    let (exponent, end) = element(0x02, exponent)?;
    (rest.is_empty() && end.is_empty()).then(|| (unsigned(modulus), unsigned(exponent)))
}

/// The contents of the element with this tag, and what follows it. Lengths to 65535.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?,
        _ => return None,
    };
    rest.split_at_checked(length)
}

fn unsigned(integer: &[u8]) -> Vec<u8> {
    integer.iter().copied().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc8017_a_1_1_public_key() {
        let der = [0x30, 0x07, 0x02, 0x02, 0x00, 0x8f, 0x02, 0x01, 0x03];
        assert_eq!(rsa_public_key(&der), Some((vec![0x8f], vec![3])));
        for end in 0..der.len() {
            assert_eq!(rsa_public_key(&der[..end]), None);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = rsa_public_key(&bytes);
        }
    }
}
