// Proofs that the sender of a request holds a key (RFC 9449).

import { drawn, urlOf } from "./flow.js";
import { hashed, signed } from "./jwt.js";

/** @import { Request } from "./flow.js" */
/** @import { SigningKey } from "./jwt.js" */

/** What proves the sender of requests: a key of this tab, and the nonces that servers gave for it (RFC 9449 8). */
export class Prover {
  /** @param {SigningKey} key */
  constructor(key) {
    this.key = key;
    /** The last nonce of each origin: one of an authorization server says nothing to an API. @type {Map<string, string>} */
    this.nonces = new Map();
  }

  /**
   * A request with a proof made for it: for its method and URL, once, and for the access token that goes along.
   * @param {Request} request
   * @param {string} token the access token, or nothing
   * @param {number} now seconds since the epoch
   * @returns {Promise<Request>}
   */
  async proved(request, token, now) {
    const url = new URL(urlOf(request), globalThis.location?.href);
    const nonce = this.nonces.get(place(request));
    const claims = {
      jti: drawn(),
      htm: request.method,
      htu: `${url.origin}${url.pathname}`,
      iat: Math.floor(now),
      ...(token && { ath: await hashed(token) }),
      ...(nonce !== undefined && { nonce }),
    };
    const { kty, crv, x, y, n, e } = this.key.jwk;
    const jwk = Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined));
    const value = await signed(this.key, { typ: "dpop+jwt", jwk }, claims);
    const others = request.parameters.filter(({ name }) => name !== "DPoP");
    return { ...request, parameters: [...others, { part: "header", name: "DPoP", value, meaning: "DPoP" }] };
  }

  /**
   * Keeps the nonce that an answer gives (RFC 9449 8.2).
   * @param {Request} request
   * @param {{ status: number, headers: [string, string][], members: { [name: string]: unknown } }} answer
   * @returns {boolean} whether it was refused for want of it, so that it is to be sent once more (RFC 9449 8, 9)
   */
  told(request, answer) {
    const nonce = header(answer.headers, "dpop-nonce");
    if (nonce === null) return false;
    const before = this.nonces.get(place(request));
    this.nonces.set(place(request), nonce);
    const challenge = header(answer.headers, "www-authenticate") ?? "";
    const wanted = answer.members.error === "use_dpop_nonce" || /error="use_dpop_nonce"/.test(challenge);
    return wanted && nonce !== before;
  }
}

/** A name of a header is the same in any case. @param {[string, string][]} headers @param {string} wanted in lower case */
export function header(headers, wanted) {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? null;
}

/** @param {Request} request */
function place(request) {
  return new URL(request.url, globalThis.location?.href).origin;
}
