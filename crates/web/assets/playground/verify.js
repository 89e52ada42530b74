// Whether a signature is good (RFC 7515 5.2), by the browser's own cryptography.

/** @import { Token } from "./token.js" */

/**
 * @typedef {{ good: true, key: string } | { good: false, why: string, detail: string }} Verdict
 * `key` is the `kid` of the key that made it; `why` names a sentence, `detail` is a value for it.
 */

/** @typedef {{ key: RsaHashedImportParams | EcKeyImportParams | Algorithm, use: RsaPssParams | EcdsaParams | Algorithm }} Algorithms */

/** RFC 7518 3.1, RFC 8037 3.1, RFC 9864 2.2. @type {{ [alg: string]: Algorithms }} */
export const ALGORITHMS = {
  RS256: rsa("RSASSA-PKCS1-v1_5", 256),
  RS384: rsa("RSASSA-PKCS1-v1_5", 384),
  RS512: rsa("RSASSA-PKCS1-v1_5", 512),
  PS256: rsa("RSA-PSS", 256),
  PS384: rsa("RSA-PSS", 384),
  PS512: rsa("RSA-PSS", 512),
  ES256: ecdsa("P-256", 256),
  ES384: ecdsa("P-384", 384),
  ES512: ecdsa("P-521", 512),
  EdDSA: { key: { name: "Ed25519" }, use: { name: "Ed25519" } },
  Ed25519: { key: { name: "Ed25519" }, use: { name: "Ed25519" } },
};

/** The members that make a public key (RFC 7518 6.2.1, 6.3.1, RFC 8037 2). */
export const PUBLIC = ["kty", "n", "e", "crv", "x", "y"];

/**
 * Why there is no sense in asking for keys, or null.
 * @param {Token} token
 * @param {(issuer: string) => boolean} reaches whether the keys of an issuer can be asked for
 * @returns {Verdict | null}
 */
export function hopeless(token, reaches) {
  const alg = String(token.header?.alg ?? "");
  if (token.kind === "jwe") return not("encrypted");
  if (!token.claims) return not("opaque");
  if (alg.toLowerCase() === "none") return not("unsigned");
  if (token.header?.crit !== undefined) return not("critical", JSON.stringify(token.header.crit));
  if (/^HS/.test(alg)) return not("symmetric", alg);
  if (!Object.hasOwn(ALGORITHMS, alg)) return not("algorithm", alg);
  if (carriesItsKey(token)) return null;
  if (token.kind === "assertion" || token.kind === "request") return not("of-client", String(token.claims.iss ?? ""));
  const { iss } = token.claims;
  return typeof iss === "string" && reaches(iss) ? null : not("other-issuer", String(iss ?? "—"));
}

/**
 * A proof is signed with the key that it carries (RFC 9449 4.2): nobody needs to be asked.
 * @param {Token} token
 */
export function carriesItsKey(token) {
  return token.kind === "proof" && typeof token.header?.jwk === "object";
}

/**
 * Holds a token against keys: the one that it names, or each that it may mean (RFC 7515 4.1.4).
 * @param {Token} token
 * @param {JsonWebKey[]} keys
 * @returns {Promise<Verdict>}
 */
export async function verify(token, keys) {
  const alg = String(token.header?.alg ?? "");
  const kid = token.header?.kid;
  const algorithm = ALGORITHMS[alg];
  if (!Object.hasOwn(ALGORITHMS, alg)) return not("algorithm", alg);
  if (!globalThis.crypto?.subtle) return not("no-cryptography");
  const known = carriesItsKey(token) ? [/** @type {JsonWebKey} */ (token.header?.jwk)] : keys;
  const named = known.filter((key) => kid === undefined || carriesItsKey(token) || name(key) === kid);
  if (named.length === 0) return not("unknown-key", String(kid));
  const meant = named.filter((key) => key.use !== "enc" && (key.alg === undefined || key.alg === alg));
  if (meant.length === 0) return not("other-algorithm", alg);
  const end = token.text.lastIndexOf(".");
  const signed = new TextEncoder().encode(token.text.slice(0, end));
  for (const key of meant) {
    const parts = Object.fromEntries(Object.entries(key).filter(([member]) => PUBLIC.includes(member)));
    let imported;
    try {
      imported = await crypto.subtle.importKey("jwk", parts, algorithm.key, false, ["verify"]);
    } catch {
      if (meant.length === 1) return not("algorithm", alg);
      continue;
    }
    const signature = new Uint8Array(token.signature);
    if (await crypto.subtle.verify(algorithm.use, imported, signature, signed)) return { good: true, key: name(key) };
  }
  return not("wrong");
}

/**
 * @param {string} why
 * @param {string} [detail]
 * @returns {Verdict}
 */
function not(why, detail = "") {
  return { good: false, why: `unverified-${why}`, detail };
}

/** @param {JsonWebKey} key */
function name(key) {
  return String(/** @type {{ kid?: unknown }} */ (key).kid ?? "—");
}

/** @param {string} name @param {number} bits @returns {Algorithms} */
function rsa(name, bits) {
  const key = { name, hash: `SHA-${bits}` };
  return { key, use: { name, saltLength: bits / 8 } };
}

/** @param {string} namedCurve @param {number} bits @returns {Algorithms} */
function ecdsa(namedCurve, bits) {
  return { key: { name: "ECDSA", namedCurve }, use: { name: "ECDSA", hash: `SHA-${bits}` } };
}
