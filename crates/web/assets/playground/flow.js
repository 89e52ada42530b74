// The requests of the flows, as values. Nothing here touches the page or sends anything.

import { base64url } from "./token.js";

/** @import { Method } from "./auth.js" */

/** @typedef {"code" | "client" | "device" | "refresh" | "assertion" | "exchange" | "implicit" | "password"} Flow */

/**
 * @typedef {"object" | "push" | "authorize" | "answer" | "token" | "identity" | "client" | "device" | "poll" | "assertion"
 *   | "exchange" | "faults" | "password" | "refresh" | "api" | "revoke"} Step
 */

/** How a page can ask (RFC 9110 9.3, RFC 5789). */
export const METHODS = /** @type {const} */ (["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]);

/**
 * One parameter of a request.
 * @typedef {object} Parameter
 * @property {"query" | "header" | "body"} part where it stands
 * @property {string} name
 * @property {string} value
 * @property {string} meaning under which PARAMETERS has it
 */

/**
 * A request before it is sent.
 * @typedef {object} Request
 * @property {(typeof METHODS)[number]} method
 * @property {string} url without its query
 * @property {Parameter[]} parameters
 */

/**
 * What a flow in its course knows. The client's secret is no part of it: this is what a tab keeps while the browser is
 * away.
 * @typedef {object} Run
 * @property {Flow} flow
 * @property {"page" | "me"} checks who checks the answers
 * @property {string} issuer
 * @property {{ [name: string]: unknown }} server the metadata of the issuer, which may have been typed by hand
 * @property {string} resource the API that was begun from (RFC 8707 2); empty when it was none
 * @property {string} clientId
 * @property {string} redirectUri
 * @property {string} scope
 * @property {string} state
 * @property {string} nonce
 * @property {string} verifier
 * @property {string} challenge
 * @property {Method} [method] how the client proves who it is
 * @property {boolean} [pushed] whether the authorization request is pushed first (RFC 9126)
 * @property {boolean} [signed] whether it is signed (RFC 9101)
 * @property {string} [jkt] the thumbprint of the key that tokens are to be bound to, if they are (RFC 9449 10)
 * @property {string} [maxAge] how long ago the user may have signed in, where that was asked for, in seconds
 * @property {string} [acr] how strongly, where that was asked for
 * @property {string} [keys] under which name the keys wait while the browser is away
 */

/** The flows, the grant type that each stands for in the metadata (RFC 8414 2), and the steps that it may have. */
export const FLOWS = /** @type {{ [flow in Flow]: { grant: string, steps: Step[] } }} */ ({
  code: { grant: "authorization_code", steps: ["object", "push", "authorize", "answer", "token", "identity", "api", "refresh", "revoke"] },
  client: { grant: "client_credentials", steps: ["client", "api", "revoke"] },
  device: { grant: "urn:ietf:params:oauth:grant-type:device_code", steps: ["device", "poll", "identity", "api", "refresh", "revoke"] },
  refresh: { grant: "refresh_token", steps: ["refresh", "api", "revoke"] },
  assertion: { grant: "urn:ietf:params:oauth:grant-type:jwt-bearer", steps: ["assertion", "api", "revoke"] },
  exchange: { grant: "urn:ietf:params:oauth:grant-type:token-exchange", steps: ["exchange", "api", "revoke"] },
  implicit: { grant: "implicit", steps: ["faults", "authorize", "answer", "api", "revoke"] },
  password: { grant: "password", steps: ["faults", "password", "api", "refresh", "revoke"] },
});

/** The flows that are explained everywhere, and run only where they are supported: there is no good reason for them. */
export const LEGACY = /** @type {Flow[]} */ (["implicit", "password"]);

/**
 * The steps of a run. There is an ID token only where one is asked for (OpenID Connect Core 3.1.2.1), and tokens are taken
 * back only where the metadata says where (RFC 8414 2).
 * @param {Run} run
 * @param {unknown} supported the grant types that the server names
 * @returns {Step[]}
 */
export function stepsOf(run, supported) {
  const { grant, steps } = FLOWS[run.flow];
  const runs = !LEGACY.includes(run.flow) || (Array.isArray(supported) && supported.includes(grant));
  const has = {
    object: run.signed === true,
    push: run.pushed === true,
    identity: run.scope.split(" ").includes("openid"),
    revoke: typeof run.server.revocation_endpoint === "string",
  };
  return steps.filter((step) => (runs || step === "faults") && (!(step in has) || has[/** @type {keyof typeof has} */ (step)]));
}

/** 256 bits, which nobody guesses, in base64url. */
export function drawn() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * The S256 challenge of a verifier (RFC 7636 4.2).
 * @param {string} verifier
 */
export async function challengeOf(verifier) {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

/**
 * RFC 6749 4.1.1, RFC 7636 4.3, RFC 9449 10; the nonce only where an ID token is asked for (OpenID Connect Core 3.1.2.1).
 * The implicit flow (RFC 6749 4.2.1) has no code, and so no challenge.
 * @param {Run} run
 * @param {string} endpoint
 * @returns {Request}
 */
export function authorization(run, endpoint) {
  const nonce = run.scope.split(" ").includes("openid") ? run.nonce : "";
  const code = run.flow !== "implicit";
  return {
    method: "GET",
    url: endpoint,
    parameters: all("query", {
      response_type: code ? "code" : "token",
      client_id: run.clientId,
      redirect_uri: run.redirectUri,
      scope: run.scope,
      ...(run.resource && { resource: run.resource }),
      state: run.state,
      ...(nonce && { nonce, max_age: "", acr_values: "" }),
      ...(code && { code_challenge: run.challenge, code_challenge_method: "S256" }),
      ...(code && run.jkt && { dpop_jkt: run.jkt }),
    }),
  };
}

/**
 * RFC 6749 4.1.3, RFC 7636 4.5.
 * @param {Run} run
 * @param {string} endpoint
 * @param {string} secret
 * @param {string} code
 * @returns {Request}
 */
export function redemption(run, endpoint, secret, code) {
  const fields = { grant_type: "authorization_code", code, redirect_uri: run.redirectUri, code_verifier: run.verifier };
  return tokenRequest(run, endpoint, secret, fields);
}

/**
 * RFC 6749 4.4.2.
 * @param {Run} run
 * @param {string} endpoint
 * @param {string} secret
 * @returns {Request}
 */
export function clientCredentials(run, endpoint, secret) {
  return tokenRequest(run, endpoint, secret, { grant_type: "client_credentials", scope: run.scope });
}

/**
 * RFC 6749 6.
 * @param {Run} run
 * @param {string} endpoint
 * @param {string} secret
 * @param {string} refreshToken
 * @returns {Request}
 */
export function refreshing(run, endpoint, secret, refreshToken) {
  const scope = run.flow === "refresh" ? run.scope : "";
  return tokenRequest(run, endpoint, secret, { grant_type: "refresh_token", refresh_token: refreshToken, scope });
}

/**
 * RFC 7009 2.1.
 * @param {Run} run
 * @param {string} endpoint
 * @param {string} token
 * @returns {Request}
 */
export function revoking(run, endpoint, token) {
  return { method: "POST", url: endpoint, parameters: all("body", { token, token_type_hint: "access_token", client_id: run.clientId }) };
}

/**
 * RFC 6750 2.1; where the token stands can be another place.
 * @param {string} url
 * @param {string} token
 * @param {"bearer" | "dpop" | "other" | "query"} [carried] as `Bearer`, as `DPoP` (RFC 9449 7.1), after another word, in the URL (RFC 6750 2.3)
 * @returns {Request}
 */
export function apiCall(url, token, carried = "bearer") {
  const parameter = (/** @type {Parameter["part"]} */ part, /** @type {string} */ name, /** @type {string} */ value, meaning = name) =>
    ({ method: /** @type {const} */ ("GET"), url, parameters: [{ part, name, value, meaning }] });
  if (carried === "query") return parameter("query", "access_token", token);
  if (carried === "dpop") return parameter("header", "Authorization", `DPoP ${token}`, "Authorization: DPoP");
  if (carried === "other") return parameter("header", "Authorization", `Token ${token}`, "Authorization: other");
  return parameter("header", "Authorization", `Bearer ${token}`, "Authorization: Bearer");
}

/**
 * The whole URL of a request; parameters without a value are left out.
 * @param {Request} request
 */
export function urlOf(request) {
  const query = encoded(request, "query");
  return query === "" ? request.url : `${request.url}${request.url.includes("?") ? "&" : "?"}${query}`;
}

/**
 * What `fetch` sends: no cookie goes along, and no redirect is followed.
 * @param {Request} request
 * @returns {RequestInit}
 */
export function initOf(request) {
  const headers = new Headers();
  for (const { part, name, value } of request.parameters) if (part === "header" && value !== "") headers.set(name, value);
  /** @type {RequestInit} */
  const init = { method: request.method, headers, credentials: "omit", redirect: "error", cache: "no-store" };
  if (request.method === "POST" && request.parameters.some(({ part }) => part === "body")) {
    headers.set("Content-Type", "application/x-www-form-urlencoded");
    init.body = encoded(request, "body");
  }
  return init;
}

/**
 * A client's secret in a header (RFC 6749 2.3.1): each half is encoded as in a form before both are in base64.
 * @param {string} clientId
 * @param {string} secret
 */
export function basic(clientId, secret) {
  const half = (/** @type {string} */ text) => new URLSearchParams({ "": text }).toString().slice(1);
  return `Basic ${btoa(`${half(clientId)}:${half(secret)}`)}`;
}

/**
 * A request whose parameters stand in its body, and whose client is known by a secret, or by its name alone.
 * @param {Run} run
 * @param {string} url
 * @param {string} secret
 * @param {{ [name: string]: string }} fields
 * @returns {Request}
 */
export function tokenRequest(run, url, secret, fields) {
  if (run.resource) fields = { ...fields, resource: run.resource };
  if (secret === "") return { method: "POST", url, parameters: all("body", { ...fields, client_id: run.clientId }) };
  const authorized = /** @type {const} */ ({ part: "header", name: "Authorization", meaning: "Authorization: Basic" });
  return {
    method: "POST",
    url,
    parameters: [{ ...authorized, value: basic(run.clientId, secret) }, ...all("body", fields)],
  };
}

/**
 * @param {Parameter["part"]} part
 * @param {{ [name: string]: string }} values
 * @returns {Parameter[]}
 */
function all(part, values) {
  return Object.entries(values).map(([name, value]) => ({ part, name, value, meaning: name }));
}

/** @param {Request} request @param {Parameter["part"]} wanted */
function encoded(request, wanted) {
  const pairs = request.parameters.filter(({ part, value }) => part === wanted && value !== "");
  return new URLSearchParams(pairs.map(({ name, value }) => [name, value])).toString();
}
