// DPoP proofs (RFC 9449 4.2) with the key of this browser.

const text = new TextEncoder();

/**
 * @param {ArrayBuffer | Uint8Array} bytes
 */
export function base64url(bytes) {
  const letters = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * A proof for one request.
 * @param {CryptoKeyPair} key ES256
 * @param {{ method: string, url: string, nonce?: string | null, accessToken?: string }} request
 * @param {{ now: number, jti: string }} fresh seconds since the epoch, and a text that was never used
 */
export async function proof(key, request, fresh) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", key.publicKey);
  const url = new URL(request.url);
  /** @type {{ [claim: string]: string | number }} */
  const claims = { jti: fresh.jti, htm: request.method, htu: url.origin + url.pathname, iat: fresh.now };
  if (request.nonce) claims.nonce = request.nonce;
  if (request.accessToken) {
    claims.ath = base64url(await crypto.subtle.digest("SHA-256", text.encode(request.accessToken)));
  }
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } };
  const signed = [header, claims].map((part) => base64url(text.encode(JSON.stringify(part)))).join(".");
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, text.encode(signed));
  return `${signed}.${base64url(signature)}`;
}

/**
 * Sends a request with a proof; once more when the server wants its nonce in it (RFC 9449 8, 9).
 * @param {CryptoKeyPair} key
 * @param {string} url
 * @param {{ method: string, accessToken?: string, body?: URLSearchParams }} request
 * @param {typeof fetch} [send]
 */
export async function proved(key, url, request, send = (input, init) => fetch(input, init)) {
  const { method, accessToken, body } = request;
  /** @param {string | null} nonce */
  const attempt = async (nonce) => {
    const fresh = { now: Math.floor(Date.now() / 1000), jti: crypto.randomUUID() };
    const headers = new Headers({ DPoP: await proof(key, { method, url, nonce, accessToken }, fresh) });
    if (accessToken) headers.set("Authorization", `DPoP ${accessToken}`);
    const credentials = accessToken ? "omit" : "same-origin";
    return send(url, { method, headers, body, credentials, cache: "no-store" });
  };
  const first = await attempt(null);
  const nonce = first.headers.get("DPoP-Nonce");
  if (first.ok || !nonce || !(await wantsNonce(first))) return first;
  return attempt(nonce);
}

/** @param {Response} answer */
async function wantsNonce(answer) {
  const said = await answer.clone().json().catch(() => ({}));
  return said?.error === "use_dpop_nonce";
}
