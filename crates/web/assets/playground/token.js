// What a token is and what it says. Nothing here asks anybody, knows the time or touches the page.

/** @typedef {{ [name: string]: unknown }} Members */

/**
 * Every kind of token that is told apart.
 * @typedef {"access" | "id" | "proof" | "assertion" | "status-list" | "logout" | "request" | "introspection" | "event" | "jwt"
 *   | "jwe" | "handle" | "unknown"} Kind
 */

/**
 * A token that was read. What is in it was not verified.
 * @typedef {object} Token
 * @property {Kind} kind what it is
 * @property {boolean} typed whether its `typ` says so, or its claims only look like it
 * @property {string} text as it was pasted, without what stood around it
 * @property {Members | null} header the JOSE header (RFC 7515 4)
 * @property {Members | null} claims the claims (RFC 7519 4)
 * @property {Uint8Array} signature the signature; empty when there is none
 * @property {string | null} handle what a handle of Grantor is for
 * @property {string | null} problem why it is unknown
 */

/**
 * What matters of the claims.
 * @typedef {object} Facts
 * @property {string | null} issuer who made it
 * @property {string | null} application for which application
 * @property {"user" | "application" | "nobody"} identifies what `sub` is
 * @property {string | null} subject whom it identifies
 * @property {string | null} organisation to which it belongs, if it says so
 * @property {string[]} audience for whom it is meant
 * @property {string[]} scopes what it allows
 * @property {"none" | "dpop" | "mtls" | "key"} binding what its bearer must prove
 * @property {string | null} key the thumbprint of that key
 * @property {{ list: string, index: number } | null} status where it is said whether it was taken back
 * @property {number | null} issued seconds since the epoch
 * @property {number | null} starts seconds since the epoch
 * @property {number | null} expires seconds since the epoch
 */

/** No token of use is longer, in characters. */
export const LONGEST = 65536;

/** What handles of Grantor begin with. @type {{ [prefix: string]: string }} */
export const HANDLES = {
  gr_at_: "access",
  gr_rt_: "refresh",
  gr_ac_: "code",
  gr_dc_: "device",
  gr_cs_: "secret",
  gr_pr_: "pushed",
  gr_ra_: "registration",
  gr_ia_: "initial",
  gr_in_: "interaction",
  gr_ds_: "interaction",
};

/** Explicit types (RFC 8725 3.11), in lower case and without `application/`. @type {{ [typ: string]: Kind }} */
const TYPES = {
  "at+jwt": "access",
  "dpop+jwt": "proof",
  "client-authentication+jwt": "assertion",
  "statuslist+jwt": "status-list",
  "logout+jwt": "logout",
  "oauth-authz-req+jwt": "request",
  "token-introspection+jwt": "introspection",
  "secevent+jwt": "event",
};

/** Claims in which issuers name the organisation of a subject. None is registered: each is the custom of some. */
const ORGANISATION = ["org_id", "org_name", "organization", "tid", "hd"];

const LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout";

/**
 * Reads what was pasted: a token, also with its scheme or with the header's name before it.
 * @param {string} pasted
 * @returns {Token}
 */
export function read(pasted) {
  const text = pasted.trim().replace(/^authorization:\s*/i, "").replace(/^(bearer|dpop)\s+/i, "").replace(/\s+/g, "");
  const handle = Object.keys(HANDLES).find((prefix) => text.startsWith(prefix));
  if (handle) return { ...unknown(text, null), kind: "handle", handle: HANDLES[handle] };
  const parts = text.split(".");
  if (text.length > LONGEST) return unknown(text, "long");
  if (parts.length !== 3 && parts.length !== 5) return unknown(text, "parts");
  const header = members(parts[0]);
  if (!header) return unknown(text, "header");
  if (parts.length === 5) {
    return { ...unknown(text, null), kind: "jwe", header, typed: typeof header.enc === "string" };
  }
  const claims = members(parts[1]);
  const signature = bytes(parts[2]);
  if (!claims) return { ...unknown(text, "claims"), header };
  if (!signature) return { ...unknown(text, "signature"), header, claims };
  const typ = String(header.typ ?? "").toLowerCase().replace(/^application\//, "");
  const typed = Object.hasOwn(TYPES, typ);
  return { ...unknown(text, null), kind: typed ? TYPES[typ] : guess(claims), typed, header, claims, signature };
}

/**
 * What matters of a token.
 * @param {Token} token
 * @returns {Facts}
 */
export function facts(token) {
  const claims = token.claims ?? {};
  const sub = string(claims.sub);
  const client = string(claims.client_id);
  const audience = [claims.aud].flat().map(string).filter((one) => one !== null);
  const confirmation = object(claims.cnf) ?? {};
  const jkt = string(confirmation.jkt);
  const x5t = string(confirmation["x5t#S256"]);
  const list = object(object(claims.status)?.status_list);
  const itself = token.kind === "assertion" || claims.idtyp === "app" || (sub !== null && sub === client);
  const ofClient = token.kind === "id" ? audience[0] ?? null : token.kind === "assertion" ? sub : null;
  const scopes = string(claims.scope)?.split(" ") ?? [claims.scp].flat().map((one) => string(one) ?? "");
  return {
    issuer: string(claims.iss),
    application: client ?? string(claims.azp) ?? ofClient,
    identifies: sub === null || token.kind === "status-list" ? "nobody" : itself ? "application" : "user",
    subject: sub,
    organisation: ORGANISATION.map((name) => string(claims[name])).find((one) => one !== null) ?? null,
    audience,
    scopes: scopes.filter((one) => one !== ""),
    binding: jkt !== null ? "dpop" : x5t !== null ? "mtls" : Object.keys(confirmation).length > 0 ? "key" : "none",
    key: jkt ?? x5t,
    status: list && typeof list.idx === "number" && string(list.uri) !== null
      ? { list: String(list.uri), index: list.idx }
      : null,
    issued: seconds(claims.iat),
    starts: seconds(claims.nbf),
    expires: seconds(claims.exp),
  };
}

/**
 * Whether a token is within its time (RFC 7519 4.1.4, 4.1.5).
 * @param {Facts} facts
 * @param {number} now seconds since the epoch
 * @returns {"timeless" | "early" | "good" | "expired"}
 */
export function standing(facts, now) {
  if (facts.expires !== null && now >= facts.expires) return "expired";
  if (facts.starts !== null && now < facts.starts) return "early";
  return facts.expires === null ? "timeless" : "good";
}

/**
 * Where a token may be used and where not: the name of one sentence.
 * @param {Token} token
 * @param {number} now seconds since the epoch
 * @returns {string}
 */
export function advice(token, now) {
  if (token.kind === "unknown") return `problem-${token.problem}`;
  if (token.kind === "handle") return `use-handle-${token.handle}`;
  const known = facts(token);
  const state = standing(known, now);
  if (state === "expired") return "use-expired";
  if (state === "early") return "use-early";
  if (token.kind === "access" && known.binding !== "none") return `use-access-${known.binding}`;
  return `use-${token.kind}`;
}

/**
 * The bytes of a text in base64url without padding (RFC 7515 2), or null.
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer> | null}
 */
export function bytes(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/**
 * Bytes in base64url without padding (RFC 7515 2).
 * @param {Uint8Array} raw
 */
export function base64url(raw) {
  const binary = Array.from(raw, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * A JWT without a type of its own: what its claims look like.
 * @param {Members} claims
 * @returns {Kind}
 */
function guess(claims) {
  const has = (/** @type {string} */ name) => Object.hasOwn(claims, name);
  if (object(claims.events)) return has("events") && LOGOUT_EVENT in /** @type {Members} */ (claims.events) ? "logout" : "event";
  if (has("htm") && has("htu")) return "proof";
  if (has("iss") && claims.iss === claims.sub && has("aud") && !has("scope")) return "assertion";
  const ofUser = ["nonce", "at_hash", "c_hash", "auth_time", "azp"].some(has);
  const ofApi = ["scope", "scp", "client_id"].some(has);
  if (["iss", "sub", "aud", "exp", "iat"].every(has) && ofUser && !ofApi) return "id";
  return "jwt";
}

/**
 * @param {string} text
 * @param {string | null} problem
 * @returns {Token}
 */
function unknown(text, problem) {
  const nothing = { header: null, claims: null, signature: new Uint8Array(), handle: null };
  return { kind: "unknown", typed: true, text, problem, ...nothing };
}

/**
 * The members of an object in JSON in base64url, or null.
 * @param {string} part
 */
function members(part) {
  const raw = bytes(part);
  if (!raw) return null;
  try {
    return object(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw)));
  } catch {
    return null;
  }
}

/** @param {unknown} value @returns {Members | null} */
function object(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? /** @type {Members} */ (value) : null;
}

/** @param {unknown} value */
function string(value) {
  return typeof value === "string" ? value : null;
}

/** A NumericDate (RFC 7519 2) that a calendar has. @param {unknown} value */
function seconds(value) {
  return typeof value === "number" && Number.isFinite(value) && Math.abs(value) <= 8.64e12 ? value : null;
}
