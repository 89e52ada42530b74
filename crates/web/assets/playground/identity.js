// Whether an ID token may be believed (OpenID Connect Core 3.1.3.7), line by line. The signature is verify.js's affair.

import { base64url, facts } from "./token.js";

/** @import { Token } from "./token.js" */

/**
 * What is expected of an ID token.
 * @typedef {object} Expected
 * @property {string} issuer
 * @property {string} clientId
 * @property {string} nonce empty where none was sent
 * @property {string} accessToken that came with it, or nothing
 * @property {string} code that came with it, or nothing
 * @property {string} maxAge as it was asked for, or nothing
 * @property {string} acr the classes that were asked for, or nothing
 * @property {number} now seconds since the epoch
 */

/**
 * A line: what was looked at, and whether it holds. `came` is what the token says.
 * @typedef {{ name: string, section: string, holds: boolean, came: string }} Line
 */

/** Clocks differ by so many seconds. */
const CLOCKS = 60;

/** An ID token that is older was not made for the answer that it is in. */
const OLDEST = 600;

/**
 * The lines that apply: what the token says is held against what is expected; what may be missing is looked at when it is there.
 * @param {Token} token
 * @param {Expected} expected
 * @returns {Promise<Line[]>}
 */
export async function lines(token, expected) {
  const claims = token.claims ?? {};
  const known = facts(token);
  const { issuer, clientId, nonce, accessToken, code, maxAge, acr, now } = expected;
  const alg = String(token.header?.alg ?? "");
  const several = known.audience.length > 1;
  /** @type {(Line | false)[]} */
  const all = [
    line("iss", "3.1.3.7", claims.iss === issuer, claims.iss),
    line("aud", "3.1.3.7", known.audience.includes(clientId), known.audience.join(" ")),
    (several || claims.azp !== undefined) && line("azp", "3.1.3.7", claims.azp === clientId, claims.azp),
    line("exp", "3.1.3.7", known.expires !== null && now < known.expires + CLOCKS, claims.exp),
    line("iat", "3.1.3.7", known.issued !== null && Math.abs(now - known.issued) <= OLDEST, claims.iat),
    line("sub", "2", typeof claims.sub === "string" && claims.sub !== "" && claims.sub.length <= 255, claims.sub),
    (nonce !== "" || claims.nonce !== undefined) && line("nonce", "3.1.3.7", nonce !== "" && claims.nonce === nonce, claims.nonce),
    claims.at_hash !== undefined && line("at-hash", "3.1.3.8", claims.at_hash === (await halfHash(alg, accessToken)), claims.at_hash),
    claims.c_hash !== undefined && line("c-hash", "3.3.2.10", claims.c_hash === (await halfHash(alg, code)), claims.c_hash),
    (maxAge !== "" || claims.auth_time !== undefined) && line("auth-time", "3.1.3.7", isRecent(claims.auth_time, maxAge, now), claims.auth_time),
    acr !== "" && line("acr", "3.1.3.7", typeof claims.acr === "string" && acr.split(" ").includes(claims.acr), claims.acr),
    line("alg", "3.1.3.7", alg !== "" && alg.toLowerCase() !== "none", alg),
  ];
  return all.filter((one) => one !== false);
}

/**
 * The left half of a hash, by the algorithm of the signature (OpenID Connect Core 3.1.3.6); of Ed25519 it is SHA-512.
 * @param {string} alg
 * @param {string} text
 */
export async function halfHash(alg, text) {
  const bits = /(256|384|512)$/.exec(alg)?.[1] ?? "512";
  const hash = new Uint8Array(await crypto.subtle.digest(`SHA-${bits}`, new TextEncoder().encode(text)));
  return base64url(hash.slice(0, hash.length / 2));
}

/** @param {unknown} time @param {string} maxAge @param {number} now */
function isRecent(time, maxAge, now) {
  if (typeof time !== "number" || time > now + CLOCKS) return false;
  return maxAge === "" || now - time <= Number(maxAge) + CLOCKS;
}

/** @param {string} name @param {string} part @param {boolean} holds @param {unknown} came @returns {Line} */
function line(name, part, holds, came) {
  return { name, section: `OpenID Connect Core ${part}`, holds, came: came === undefined ? "" : String(came) };
}
