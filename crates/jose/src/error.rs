//! Why a key is refused.

/// Why a key is refused, or cannot be used as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The input exceeds the limit of its kind.
    #[error("the key is too large")]
    TooLarge,
    /// Not a JSON object, a member twice, or a member of the wrong type.
    #[error("the key is not a well-formed JSON object")]
    Syntax,
    /// A member that the key type requires is absent.
    #[error("a required member is missing")]
    Missing,
    /// A value is not canonical base64url, or not of the length that its type fixes.
    #[error("a value is badly encoded")]
    Encoding,
    /// A `kty` or `crv` that is not supported.
    #[error("the key type or curve is not supported")]
    Unsupported,
    /// Private or symmetric material where a public key is wanted.
    #[error("the key contains private material")]
    Private,
    /// An RSA modulus outside of 2048 to 8192 bits, an exponent that is even, too small or too large, or a modulus with
    /// the mark of ROCA.
    #[error("the RSA key is too weak or too large")]
    Strength,
    /// A `key_ops` or `use` that does not allow the operation.
    #[error("the key may not be used for this")]
    Usage,
    /// The key's `alg`, type or curve does not fit the algorithm.
    #[error("the key does not fit the algorithm")]
    Algorithm,
    /// Two keys of a set bear the same `kid`.
    #[error("two keys of the set have the same identifier")]
    DuplicateKeyId,
    /// An empty or oversized key identifier.
    #[error("the key identifier is unusable")]
    KeyId,
    /// The numbers do not form a key: a point off the curve, halves that do not belong together.
    #[error("the key is not valid")]
    Invalid,
    /// The cryptographic library could not make a key.
    #[error("no key could be generated")]
    Generation,
}
