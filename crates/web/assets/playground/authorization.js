// An authorization request that does not travel in the address bar as it is: pushed (RFC 9126), signed (RFC 9101).

import { drawn } from "./flow.js";

/** @import { Parameter, Request, Run } from "./flow.js" */
/** @import { Members } from "./token.js" */

/** How long a request object lasts, in seconds: as long as a user needs to sign in and to allow. */
const LIFETIME = 300;

/**
 * The claims of a request object: the parameters, and who asks whom (RFC 9101 4).
 * @param {Request} request
 * @param {Run} run
 * @param {number} now seconds since the epoch
 * @returns {Members}
 */
export function objectClaims(request, run, now) {
  const iat = Math.floor(now);
  const parameters = Object.fromEntries(request.parameters.filter(({ value }) => value !== "").map(({ name, value }) => [name, value]));
  return { iss: run.clientId, aud: run.issuer, jti: drawn(), nbf: iat, iat, exp: iat + LIFETIME, ...parameters };
}

/**
 * The authorization request with its parameters inside of an object (RFC 9101 5.1): what stands beside it does not count.
 * @param {Run} run
 * @param {string} endpoint
 * @param {string} object
 * @returns {Request}
 */
export function withObject(run, endpoint, object) {
  return { method: "GET", url: endpoint, parameters: [query("client_id", run.clientId), query("request", object)] };
}

/**
 * RFC 9126 2.1: the same parameters, from the client straight to the server.
 * @param {Request} authorization
 * @param {string} endpoint
 * @returns {Request}
 */
export function pushing(authorization, endpoint) {
  const parameters = authorization.parameters.map((parameter) => /** @type {Parameter} */ ({
    ...parameter,
    part: "body",
    meaning: parameter.name === "client_id" ? "client_id of the request" : parameter.meaning,
  }));
  return { method: "POST", url: endpoint, parameters };
}

/**
 * RFC 9126 4: what was pushed is named, and nothing else is said.
 * @param {Run} run
 * @param {string} endpoint
 * @param {string} requestUri
 * @returns {Request}
 */
export function withReference(run, endpoint, requestUri) {
  return { method: "GET", url: endpoint, parameters: [query("client_id", run.clientId), query("request_uri", requestUri)] };
}

/**
 * What was sent is what the answer is held against.
 * @param {Run} run
 * @param {Request} request
 * @returns {Run}
 */
export function asSent(run, request) {
  const sent = Object.fromEntries(request.parameters.map(({ name, value }) => [name, value]));
  const before = { client_id: run.clientId, redirect_uri: run.redirectUri, scope: run.scope, state: run.state, nonce: run.nonce, max_age: run.maxAge ?? "", acr_values: run.acr ?? "" };
  const { client_id: clientId, redirect_uri: redirectUri, scope, state, nonce, max_age: maxAge, acr_values: acr } = { ...before, ...sent };
  return { ...run, clientId, redirectUri, scope, state, nonce, maxAge, acr };
}

/** @param {string} name @param {string} value @returns {Parameter} */
function query(name, value) {
  return { part: "query", name, value, meaning: name };
}
