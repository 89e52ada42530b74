// Tokens made for the tests, with keys that last as long as a test.

import { base64url } from "../../assets/playground/token.js";

const encoder = new TextEncoder();

export const encoded = (value) => base64url(encoder.encode(JSON.stringify(value)));

/** A JWT whose signature is not one. */
export const unsigned = (header, claims) => `${encoded(header)}.${encoded(claims)}.c2lnbmF0dXJl`;

/** A JWT, signed, and the public key that verifies it. */
export async function signed(alg, claims, header = {}) {
  const [generate, use] = {
    ES256: [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
    ES384: [{ name: "ECDSA", namedCurve: "P-384" }, { name: "ECDSA", hash: "SHA-384" }],
    RS256: [rsa("RSASSA-PKCS1-v1_5"), { name: "RSASSA-PKCS1-v1_5" }],
    PS256: [rsa("RSA-PSS"), { name: "RSA-PSS", saltLength: 32 }],
    EdDSA: [{ name: "Ed25519" }, { name: "Ed25519" }],
  }[alg];
  const { privateKey, publicKey } = await crypto.subtle.generateKey(generate, true, ["sign", "verify"]);
  const jwk = { ...(await crypto.subtle.exportKey("jwk", publicKey)), kid: `key of ${alg}`, alg, use: "sig" };
  delete jwk.key_ops;
  delete jwk.ext;
  const made = typeof header === "function" ? header(jwk) : { typ: "at+jwt", kid: jwk.kid, ...header };
  const input = `${encoded({ alg, ...made })}.${encoded(claims)}`;
  const signature = new Uint8Array(await crypto.subtle.sign(use, privateKey, encoder.encode(input)));
  return { token: `${input}.${base64url(signature)}`, jwk };
}

const rsa = (name) => ({ name, hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) });
