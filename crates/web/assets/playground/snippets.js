// A flow that went well, as a program to take along. No secret, no code and no token stands in one: a program reads them from
// its environment, or draws them itself, so that it can be shown to anybody.

import { curl } from "./snippets-curl.js";
import { javascript } from "./snippets-javascript.js";
import { python } from "./snippets-python.js";
import { rust } from "./snippets-rust.js";

/** @import { Exchange } from "./course.js" */
/** @import { Request, Run } from "./flow.js" */

/** @typedef {"none" | "client_secret_basic" | "client_secret_post"} Method */

/**
 * What a program needs to know.
 * @typedef {object} Shape
 * @property {"code" | "client" | "refresh"} flow
 * @property {string} issuer
 * @property {boolean} insecure whether it is without https
 * @property {boolean} namesIssuer whether it says in its answers who it is (RFC 9207 3)
 * @property {string} clientId
 * @property {Method} method how the client proves who it is
 * @property {string} redirectUri
 * @property {string} scope
 * @property {{ authorization: string, token: string }} endpoints
 * @property {{ method: string, url: string, body: string }} call
 */

/** The languages, in the order of their tabs. */
export const LANGUAGES = /** @type {const} */ ({
  curl: { name: "curl", render: curl },
  rust: { name: "Rust", render: rust },
  javascript: { name: "JavaScript", render: javascript },
  python: { name: "Python", render: python },
});

/** Where programs on a user's own machine are called back, at whichever port is free (RFC 8252 7.3). */
export const LOOPBACK = "http://127.0.0.1/callback";

/** What the link to a playground may say. Anything else of an address is left out. */
export const SHARED = ["flow", "scope", "issuer", "resource", "client_id", "auth", "with"];

/** What a request holds that is known to be said again by each of the programs, or to be nobody else's business. */
const SAID = new Set([
  "response_type", "client_id", "client_secret", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
  "grant_type", "code", "code_verifier", "refresh_token", "Authorization",
]);

/** Parameters whose values are for nobody else. */
const SECRET = new Set(["client_secret", "code", "code_verifier", "refresh_token", "Authorization", "client_assertion", "device_code", "DPoP", "state", "nonce", "access_token", "subject_token", "actor_token"]);

/** Members of an answer whose values are for nobody else. */
const TOKENS = ["access_token", "refresh_token", "id_token", "device_code", "registration_access_token", "client_secret"];

/**
 * What a course was, as a program needs it; or nothing, when there is no program for it. `without` has the names of what the
 * course sent and no program says.
 * @param {Run} run
 * @param {{ [name: string]: unknown }} metadata
 * @param {Exchange[]} exchanges
 * @param {string} api what to call, as long as nothing was called
 * @returns {{ shape: Shape, without: string[] } | null}
 */
export function shapeOf(run, metadata, exchanges, api) {
  const asked = exchanges.find(({ step, answer }) => step === run.flow || (run.flow === "code" && step === "token") ? answer.status < 400 : false);
  const flow = run.flow;
  if (!asked || (flow !== "code" && flow !== "client" && flow !== "refresh")) return null;
  const method = methodOf(asked.request);
  const bound = exchanges.some(({ request }) => request.parameters.some(({ name, value }) => name === "DPoP" && value !== ""));
  if (method === null || bound) return null;
  const hidden = secretsOf(run, exchanges);
  const safe = (/** @type {string} */ value) => without(value, hidden);
  const said = (/** @type {string} */ name) => asked.request.parameters.find((parameter) => parameter.name === name)?.value;
  const called = exchanges.filter(({ step }) => step === "api").at(-1);
  const issuer = safe(run.issuer);
  const shape = {
    flow,
    issuer,
    insecure: !issuer.startsWith("https:"),
    namesIssuer: metadata.authorization_response_iss_parameter_supported === true,
    clientId: safe(said("client_id") || run.clientId),
    method,
    redirectUri: LOOPBACK,
    scope: safe(flow === "code" ? run.scope : said("scope") ?? ""),
    endpoints: { authorization: String(metadata.authorization_endpoint ?? ""), token: safe(asked.request.url) },
    call: {
      method: called?.request.method ?? "GET",
      url: safe(withoutToken(called?.request.url ?? api, run.issuer)),
      body: safe(called?.body ?? ""),
    },
  };
  const others = [...asked.request.parameters, ...(called?.request.parameters ?? [])].filter(({ name, value }) => value !== "" && !SAID.has(name));
  return { shape, without: [...new Set(others.map(({ name }) => name))] };
}

/**
 * A link that restores what was chosen: what the address of the page says, as far as it is no secret.
 * @param {string} address
 * @param {Run} run
 * @param {Exchange[]} exchanges
 */
export function linkTo(address, run, exchanges) {
  const link = new URL(address);
  const hidden = secretsOf(run, exchanges);
  const kept = [...link.searchParams].filter(([name, value]) => SHARED.includes(name) && without(value, hidden) === value);
  link.search = new URLSearchParams(kept).toString();
  link.hash = "";
  link.username = link.password = "";
  return link.href;
}

/** How the client proved who it is; nothing, when no program here can do that. @param {Request} request @returns {Method | null} */
function methodOf({ parameters }) {
  const given = (/** @type {string} */ name) => parameters.find((parameter) => parameter.name === name)?.value ?? "";
  if (given("client_assertion") !== "") return null;
  if (given("client_secret") !== "") return "client_secret_post";
  const header = given("Authorization");
  if (header === "") return "none";
  return header.startsWith("Basic ") ? "client_secret_basic" : null;
}

/** Everything in a course that nobody else is to see. @param {Run} run @param {Exchange[]} exchanges */
function secretsOf(run, exchanges) {
  const found = [run.verifier, run.state, run.nonce];
  for (const { request, answer } of exchanges) {
    for (const { name, value } of request.parameters) {
      if (!SECRET.has(name)) continue;
      found.push(value, value.replace(/^\S+ /, ""));
      if (value.startsWith("Basic ")) found.push(secretOf(value.slice(6)));
    }
    for (const name of TOKENS) if (typeof answer.members[name] === "string") found.push(answer.members[name]);
  }
  // What is shorter is no secret, and would be found everywhere.
  return found.filter((one) => one.length >= 8);
}

/** The secret in a header of Basic (RFC 6749 2.3.1). @param {string} encoded */
function secretOf(encoded) {
  try {
    return new URLSearchParams(`=${atob(encoded).split(":").slice(1).join(":")}`).get("") ?? "";
  } catch {
    return "";
  }
}

/** A value, and in the place of what is hidden three points. @param {string} value @param {string[]} hidden */
function without(value, hidden) {
  return hidden.reduce((text, secret) => text.replaceAll(secret, "...").replaceAll(encodeURIComponent(secret), "..."), value);
}

/** The URL of an API without a token that was sent in it (RFC 6750 2.3 says why it should not have been). @param {string} url @param {string} issuer */
function withoutToken(url, issuer) {
  try {
    const clean = new URL(url, issuer);
    if (clean.searchParams.has("access_token")) clean.searchParams.delete("access_token");
    return clean.href;
  } catch {
    return url;
  }
}
