// How a client proves who it is (RFC 6749 2.3, RFC 7523 2.2, RFC 8705 2), as parameters of its requests.

import { basic, drawn } from "./flow.js";
import { authenticated, signed } from "./jwt.js";

/** @import { Parameter, Request } from "./flow.js" */
/** @import { SigningKey } from "./jwt.js" */
/** @import { Members } from "./token.js" */

/** @typedef {"public" | "basic" | "post" | "mac" | "key" | "federated" | "certificate" | "own-certificate"} Method */

/**
 * What a client proves itself by. None of it is part of a Run: it stays in the page's memory.
 * @typedef {object} Proof
 * @property {Method} method
 * @property {string} secret
 * @property {SigningKey | null} key
 * @property {() => Promise<string>} token a token of somebody else that speaks for the client
 */

/** The methods by their registered names (RFC 8414 2). @type {[registered: string, method: Method][]} */
export const METHODS = [
  ["none", "public"],
  ["client_secret_basic", "basic"],
  ["client_secret_post", "post"],
  ["client_secret_jwt", "mac"],
  ["private_key_jwt", "key"],
  ["private_key_jwt", "federated"],
  ["tls_client_auth", "certificate"],
  ["self_signed_tls_client_auth", "own-certificate"],
];

/** RFC 7521 4.2.1, RFC 7523 2.2. */
export const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** How long an assertion lasts, in seconds: as long as a request takes. */
const LIFETIME = 60;

/**
 * The methods that a server names. Without a list it is client_secret_basic (RFC 8414 2), and what needs no proof.
 * @param {{ [name: string]: unknown }} metadata
 * @returns {Method[]}
 */
export function methodsOf(metadata) {
  const named = metadata.token_endpoint_auth_methods_supported;
  const supported = Array.isArray(named) ? named : ["client_secret_basic", "none"];
  return METHODS.filter(([registered]) => supported.includes(registered)).map(([, method]) => method);
}

/** Whether a page can do it: the certificate of a connection is the browser's affair. @param {Method} method */
export function isOfPage(method) {
  return method !== "certificate" && method !== "own-certificate";
}

/**
 * A request with what says whose it is, in place of what it had of that.
 * @param {Request} request
 * @param {string} clientId
 * @param {Proof} proof
 * @param {string} issuer for whom an assertion is made
 * @param {number} now seconds since the epoch
 * @returns {Promise<Request>}
 */
export async function proved(request, clientId, proof, issuer, now) {
  const ours = ["Authorization", "client_id", "client_secret", "client_assertion_type", "client_assertion"];
  const rest = request.parameters.filter(({ name }) => !ours.includes(name));
  const body = (/** @type {{ [name: string]: string }} */ values) =>
    Object.entries(values).map(([name, value]) => /** @type {Parameter} */ ({ part: "body", name, value, meaning: name }));
  // RFC 9126 2.1: a request that is pushed names its client among its parameters, whatever proves it besides.
  const named = request.parameters.filter(({ name, meaning }) => name === "client_id" && meaning === "client_id of the request");
  const assertion = (/** @type {string} */ token) => body({ client_assertion_type: ASSERTION_TYPE, client_assertion: token });
  const as = (/** @type {Parameter[]} */ ...parameters) => ({ ...request, parameters: [...rest, ...parameters] });
  switch (proof.method) {
    case "basic": {
      const value = basic(clientId, proof.secret);
      return { ...request, parameters: [{ part: "header", name: "Authorization", value, meaning: "Authorization: Basic" }, ...rest, ...named] };
    }
    case "post":
      return as(...body({ client_id: clientId, client_secret: proof.secret }));
    case "mac":
      return as(...named, ...assertion(proof.secret === "" ? "" : await authenticated(proof.secret, { typ: TYPE }, claims(clientId, issuer, now))));
    case "key":
      return as(...named, ...assertion(proof.key === null ? "" : await signed(proof.key, { typ: TYPE, kid: proof.key.kid }, claims(clientId, issuer, now))));
    case "federated":
      // The token names somebody whom only the server knows as this client.
      return as(...body({ client_id: clientId }), ...assertion(await proof.token()));
    default:
      return as(...body({ client_id: clientId }));
  }
}

/** So that no other token passes for it (RFC 8725 3.11). */
const TYPE = "client-authentication+jwt";

/** RFC 7523 3. @param {string} clientId @param {string} issuer @param {number} now @returns {Members} */
function claims(clientId, issuer, now) {
  const iat = Math.floor(now);
  return { iss: clientId, sub: clientId, aud: issuer, jti: drawn(), iat, exp: iat + LIFETIME };
}

/**
 * A token of a platform that the demo plays, as the demo's server trusts it: good once.
 * @param {SigningKey} key
 * @param {Members} said issuer, audience and subject
 * @param {number} now seconds since the epoch
 */
export function ofPlatform(key, said, now) {
  const iat = Math.floor(now);
  return signed(key, { typ: "JWT", kid: key.kid }, { ...said, jti: drawn(), iat, exp: iat + LIFETIME });
}
