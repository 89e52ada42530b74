// A key that cannot be taken out of the browser, and proofs of it (RFC 9449). Nothing here asks anybody or touches the page.

import { base64url } from "./token.js";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };

/** A fresh key pair, whose private part no script can read. */
export async function keyPair() {
  return /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]));
}

/**
 * A proof for one request (RFC 9449 4.2).
 * @param {CryptoKeyPair} keys
 * @param {{ method: string, url: string, token: string, nonce: string, now: number }} request the access token and the
 *   nonce are empty where there are none; `now` is in seconds since the epoch
 */
export async function proof(keys, { method, url, token, nonce, now }) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", keys.publicKey);
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } };
  const claims = {
    jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
    htm: method,
    htu: url.split(/[?#]/, 1)[0],
    iat: Math.floor(now),
    ...(token !== "" && { ath: await digest(token) }),
    ...(nonce !== "" && { nonce }),
  };
  const signed = [header, claims].map((part) => base64url(bytes(JSON.stringify(part)))).join(".");
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, keys.privateKey, bytes(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

/** @param {string} text */
async function digest(text) {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(text))));
}

/** @param {string} text */
function bytes(text) {
  return new TextEncoder().encode(text);
}
