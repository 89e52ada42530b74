// Tokens that the page makes itself (RFC 7515 5.1). Private keys stay in the browser's keeping: no script can read them.

import { base64url } from "./token.js";
import { ALGORITHMS, PUBLIC } from "./verify.js";

/** @import { Members } from "./token.js" */

/**
 * A key that signs.
 * @typedef {object} SigningKey
 * @property {string} alg
 * @property {string} kid
 * @property {CryptoKey} key not extractable
 * @property {JsonWebKey} jwk its public half, as it is registered
 */

/** What a private key has besides (RFC 7518 6.2.2, 6.3.2). */
const PRIVATE = ["d", "p", "q", "dp", "dq", "qi"];

/** Which algorithm a key is for when it does not say so (RFC 7518 3.1, RFC 8037 3.1). @type {{ [kind: string]: string }} */
const USUAL = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", Ed25519: "EdDSA", RSA: "PS256" };

const encoder = new TextEncoder();

/** Among the algorithms that a server names, one that every browser has. @param {unknown} supported */
export function algorithmAmong(supported) {
  return ["ES256", "PS256", "EdDSA", "RS256"].find((alg) => !Array.isArray(supported) || supported.includes(alg)) ?? "ES256";
}

/** A new key; what the script gets is a handle that signs, and the public half. @param {string} [alg] @returns {Promise<SigningKey>} */
export async function generated(alg = "ES256") {
  const { key } = ALGORITHMS[alg];
  const rsa = key.name.startsWith("RSA") ? { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) } : {};
  const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey({ ...key, ...rsa }, false, ["sign", "verify"]));
  return known(alg, pair.privateKey, await crypto.subtle.exportKey("jwk", pair.publicKey));
}

/**
 * A key that was pasted: a private JWK, a set with one, or PKCS#8 in PEM. It fails when it is none.
 * @param {string} text
 * @returns {Promise<SigningKey>}
 */
export async function imported(text) {
  if (text.includes("-----BEGIN")) return ofPem(text);
  const parsed = JSON.parse(text);
  const jwk = Array.isArray(parsed.keys) ? parsed.keys.find((/** @type {JsonWebKey} */ key) => key.d !== undefined) : parsed;
  if (typeof jwk?.d !== "string") throw new Error("no private key");
  const alg = String(jwk.alg ?? USUAL[jwk.crv ?? jwk.kty]);
  const parts = picked(jwk, [...PUBLIC, ...PRIVATE]);
  const key = await crypto.subtle.importKey("jwk", parts, ALGORITHMS[alg].key, false, ["sign"]);
  return known(alg, key, picked(jwk, [...PUBLIC, "kid"]));
}

/**
 * A JWT under a key's signature.
 * @param {SigningKey} key
 * @param {Members} header
 * @param {Members} claims
 */
export async function signed(key, header, claims) {
  const input = `${encoded({ alg: key.alg, ...header })}.${encoded(claims)}`;
  const made = await crypto.subtle.sign(ALGORITHMS[key.alg].use, key.key, encoder.encode(input));
  return `${input}.${base64url(new Uint8Array(made))}`;
}

/**
 * A JWT under a MAC with a secret (RFC 7518 3.2).
 * @param {string} secret
 * @param {Members} header
 * @param {Members} claims
 */
export async function authenticated(secret, header, claims) {
  const input = `${encoded({ alg: "HS256", ...header })}.${encoded(claims)}`;
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return `${input}.${base64url(new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(input))))}`;
}

/** RFC 7638 3. @param {JsonWebKey} jwk */
export async function thumbprint(jwk) {
  const required = { EC: ["crv", "kty", "x", "y"], OKP: ["crv", "kty", "x"], RSA: ["e", "kty", "n"] }[String(jwk.kty)] ?? [];
  return hashed(JSON.stringify(picked(jwk, required)));
}

/** The SHA-256 hash of a text, in base64url. @param {string} text */
export async function hashed(text) {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text))));
}

/**
 * What has no JWK around it says nothing of its algorithm: each is tried. The public half is found in a copy that can be
 * read, which is thrown away with this call.
 * @param {string} pem
 */
async function ofPem(pem) {
  const base64 = pem.replace(/-----(BEGIN|END) PRIVATE KEY-----/g, "").replace(/\s+/g, "");
  const der = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  for (const alg of Object.values(USUAL)) {
    try {
      const copy = await crypto.subtle.importKey("pkcs8", der, ALGORITHMS[alg].key, true, ["sign"]);
      const jwk = picked(await crypto.subtle.exportKey("jwk", copy), PUBLIC);
      return known(alg, await crypto.subtle.importKey("pkcs8", der, ALGORITHMS[alg].key, false, ["sign"]), jwk);
    } catch {
      continue;
    }
  }
  throw new Error("no private key");
}

/** @param {string} alg @param {CryptoKey} key @param {JsonWebKey} jwk @returns {Promise<SigningKey>} */
async function known(alg, key, jwk) {
  const kid = String(/** @type {{ kid?: unknown }} */ (jwk).kid ?? (await thumbprint(jwk)));
  const told = /** @type {JsonWebKey} */ ({ ...picked(jwk, PUBLIC), kid, alg, use: "sig" });
  return { alg, kid, key, jwk: told };
}

/** @param {object} jwk @param {string[]} members @returns {JsonWebKey} */
function picked(jwk, members) {
  return Object.fromEntries(Object.entries(jwk).filter(([member]) => members.includes(member)).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** @param {Members} members */
function encoded(members) {
  return base64url(encoder.encode(JSON.stringify(members)));
}
