// From an issuer, or from an API, to the endpoints: where what is published stands, and whether it is theirs. Nothing here
// asks anybody or touches the page.

/** @typedef {{ [name: string]: unknown }} Document */

/** The endpoints that can be typed by hand where nothing is published (RFC 8414 2, OpenID Connect Discovery 3). */
export const ENDPOINTS = /** @type {const} */ ([
  "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "introspection_endpoint", "revocation_endpoint",
]);

/** What a server whose metadata nobody has may be asked for: it refuses what it has not got. */
const UNKNOWN_GRANTS = ["authorization_code", "client_credentials", "refresh_token"];

/**
 * Where the metadata of an issuer may be, in the order in which it is looked for: behind the issuer's path (OpenID Connect
 * Discovery 4.1), and before it (RFC 8414 3.1, 5). None for what is no issuer: one has neither query nor fragment.
 * @param {string} issuer
 * @returns {string[]}
 */
export function places(issuer) {
  const url = parsed(issuer);
  if (!url || /[?#]/.test(issuer)) return [];
  const path = url.pathname.replace(/\/$/, "");
  const known = `${url.origin}/.well-known/`;
  const all = [`${url.origin}${path}/.well-known/openid-configuration`, `${known}oauth-authorization-server${path}`, `${known}openid-configuration${path}`];
  return [...new Set(all)];
}

/**
 * Whether metadata is that of the issuer: written by itself, character by character (RFC 8414 3.3).
 * @param {Document} metadata
 * @param {string} issuer
 */
export function isOf(metadata, issuer) {
  return metadata.issuer === issuer;
}

/**
 * Metadata whose endpoints are http or https URLs: what else is said to be one is left out.
 * @param {Document} metadata
 * @returns {Document}
 */
export function usable(metadata) {
  const isEndpoint = (/** @type {string} */ name) => /_(endpoint|uri)$/.test(name);
  return Object.fromEntries(Object.entries(metadata).filter(([name, value]) => !isEndpoint(name) || parsed(String(value))));
}

/**
 * The metadata of an issuer that publishes none, from what was typed. Empty fields are left out.
 * @param {string} issuer
 * @param {{ [name: string]: string }} typed
 * @returns {Document}
 */
export function byHand(issuer, typed) {
  const endpoints = ENDPOINTS.filter((name) => typed[name]).map((name) => [name, typed[name]]);
  return usable({ issuer, ...Object.fromEntries(endpoints), grant_types_supported: UNKNOWN_GRANTS });
}

/**
 * What an API's refusal says about the way to a token (RFC 9728 5.1, RFC 6750 3). Texts in quotes are passed over as a whole:
 * what stands in a description is no parameter.
 * @param {[string, string][]} headers
 * @returns {{ metadata: string | null, scope: string | null }}
 */
export function challenge(headers) {
  const said = { metadata: /** @type {string | null} */ (null), scope: /** @type {string | null} */ (null) };
  const parameter = /([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|"(?:[^"\\]|\\.)*"/g;
  for (const [, value] of headers.filter(([name]) => name.toLowerCase() === "www-authenticate")) {
    for (const [, name = "", quoted, token] of value.matchAll(parameter)) {
      const text = quoted?.replaceAll(/\\(.)/g, "$1") ?? token;
      if (name.toLowerCase() === "resource_metadata") said.metadata ??= text;
      if (name.toLowerCase() === "scope") said.scope ??= text;
    }
  }
  return said;
}

/**
 * Where an API's metadata is when its refusal does not say so (RFC 9728 3.1).
 * @param {string} resource
 */
export function resourcePlace(resource) {
  const url = parsed(resource);
  if (!url) return null;
  return `${url.origin}/.well-known/oauth-protected-resource${url.pathname === "/" ? "" : url.pathname}${url.search}`;
}

/**
 * What is wrong with the metadata of an API: the name of a text, or null. It must speak of the URL that was asked, character
 * by character, and nothing of it may be used otherwise (RFC 9728 3.3).
 * @param {Document} metadata
 * @param {string} resource
 */
export function resourceFault(metadata, resource) {
  if (metadata.resource !== resource) return "resource-other";
  return texts(metadata.authorization_servers).length === 0 ? "resource-no-server" : null;
}

/** The texts of a list; nothing else in it counts. @param {unknown} list @returns {string[]} */
export function texts(list) {
  return Array.isArray(list) ? list.filter((one) => typeof one === "string") : [];
}

/**
 * A request, for the server to pass on.
 * @param {string} url
 * @param {RequestInit} init
 */
export function envelope(url, init) {
  const headers = [...new Headers(init.headers)];
  const body = init.body === undefined || init.body === null ? {} : { body: String(init.body) };
  return JSON.stringify({ method: init.method ?? "GET", url, headers, ...body });
}

/**
 * Whether the server passes requests to a URL on.
 * @param {string} url
 * @param {{ origins: string[], loopback: boolean }} reach
 */
export function isWithin(url, { origins, loopback }) {
  const { origin = "", hostname = "" } = parsed(url) ?? {};
  return origins.includes(origin) || (loopback && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname));
}

/** @param {string} text @returns {URL | null} an http or https URL */
function parsed(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && /^https?:$/.test(url.protocol) ? url : null;
}
