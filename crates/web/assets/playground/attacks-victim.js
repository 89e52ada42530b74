// The victim's own flow, as far as an attack needs it. It runs beside the learner's, with a code and tokens of its own, so
// that what an attack destroys is nobody's.

import { proof, keyPair } from "./attacks-dpop.js";
import { calledWith, narrower, silent } from "./attacks.js";
import { challengeOf, drawn, redemption, refreshing } from "./flow.js";

/** @import { Beginning, Loot, Reply, Target } from "./attacks.js" */
/** @import { Request } from "./flow.js" */

/**
 * How requests are sent: by whoever sends them, or by the browser with its cookies, which follows where it is led. Both
 * give the name of why there is no answer, if there is none.
 * @typedef {object} World
 * @property {(request: Request) => Promise<Reply | string>} send
 * @property {(request: Request) => Promise<Reply | string>} visit
 * @property {() => number} now seconds since the epoch
 */

/** The victim's flow did not come as far as the attack needs it. */
export class Stuck extends Error {}

/**
 * Runs the victim's flow as far as an attack needs it.
 * @param {Beginning} begins
 * @param {Target} target
 * @param {World} world
 * @returns {Promise<Loot>}
 */
export async function begun(begins, target, world) {
  switch (begins) {
    case "nothing":
      return nothing(await fresh(target));
    case "code":
      return coded(await fresh(target), world);
    case "narrow": {
      const scope = target.run.scope;
      const loot = await tokens(await fresh({ ...target, run: { ...target.run, scope: narrower(scope) } }), world);
      return { ...loot, target: { ...loot.target, run: { ...loot.target.run, scope } } };
    }
    case "refreshed":
      return refreshed(await fresh(target), world);
    case "bound":
      return bound(await fresh(target), world);
    case "tokens":
    case "mine":
      return tokens(await fresh(target), world);
  }
}

/** Before anything was done: what is not known yet reads as `unknown`. @param {Target} target @param {string} [unknown] @returns {Loot} */
export function nothing(target, unknown = "") {
  const response = new URLSearchParams({ code: unknown });
  const prove = () => Promise.resolve(unknown);
  return { target, response, code: unknown, access: unknown, id: unknown, refresh: unknown, latest: unknown, proof: unknown, prove };
}

/** The same application at the beginning of another flow. @param {Target} target @returns {Promise<Target>} */
async function fresh(target) {
  const verifier = drawn();
  const run = { ...target.run, state: drawn(), nonce: drawn(), verifier, challenge: await challengeOf(verifier) };
  return { ...target, run };
}

/** @param {Target} target @param {World} world @returns {Promise<Loot>} */
async function coded(target, world) {
  const arrived = answer(await world.visit(silent(target.run, target)));
  const url = new URL(arrived.url ?? "");
  const code = url.searchParams.get("code");
  if (code === null || url.searchParams.get("state") !== target.run.state) {
    throw new Stuck(url.searchParams.get("error") ?? `HTTP ${arrived.status}`);
  }
  return { ...nothing(target), response: url.searchParams, code };
}

/** @param {Target} target @param {World} world @returns {Promise<Loot>} */
async function tokens(target, world) {
  const loot = await coded(target, world);
  const came = good(await world.send(redemption(target.run, target.endpoints.token, target.secret, loot.code)));
  return { ...loot, access: member(came, "access_token"), id: member(came, "id_token"), refresh: member(came, "refresh_token") };
}

/** Refreshed twice: the token before the last may come again for a moment, in case the answer was lost (RFC 9700 4.14.2). @param {Target} target @param {World} world @returns {Promise<Loot>} */
async function refreshed(target, world) {
  const loot = await tokens(target, world);
  const renewing = (/** @type {string} */ token) => refreshing(target.run, target.endpoints.token, target.secret, token);
  const once = good(await world.send(renewing(loot.refresh)));
  const twice = good(await world.send(renewing(member(once, "refresh_token"))));
  return { ...loot, latest: member(twice, "refresh_token"), access: member(twice, "access_token") };
}

/** A token bound to the owner's key, and the proof of a call with it (RFC 9449). @param {Target} target @param {World} world @returns {Promise<Loot>} */
async function bound(target, world) {
  const keys = { owner: await keyPair(), thief: await keyPair() };
  let nonce = "";
  /** @type {Loot["prove"]} */
  const prove = (who, method, url, token) => proof(keys[who], { method, url, token, nonce, now: world.now() });
  // A server that wants a nonce in the proof gives it with its refusal (RFC 9449 8).
  const proved = async (/** @type {() => Promise<Request>} */ made) => {
    const first = answer(await world.send(await made()));
    const given = first.headers.find(([name]) => name.toLowerCase() === "dpop-nonce")?.[1] ?? nonce;
    if (first.status < 400 || given === nonce) return good(first);
    nonce = given;
    return good(await world.send(await made()));
  };
  const loot = await coded(target, world);
  const { token: endpoint } = target.endpoints;
  const came = await proved(async () => {
    const request = redemption(target.run, endpoint, target.secret, loot.code);
    const value = await prove("owner", "POST", endpoint, "");
    return { ...request, parameters: [...request.parameters, { part: "header", name: "DPoP", value, meaning: "DPoP" }] };
  });
  const access = member(came, "access_token");
  let seen = "";
  await proved(async () => calledWith(target.api, access, (seen = await prove("owner", "GET", target.api, access))));
  return { ...loot, access, proof: seen, prove };
}

/** @param {Reply | string} reply */
function answer(reply) {
  if (typeof reply === "string") throw new Stuck(reply);
  return reply;
}

/** @param {Reply | string} reply */
function good(reply) {
  const came = answer(reply);
  if (came.status >= 400) throw new Stuck(String(came.members.error ?? `HTTP ${came.status}`));
  return came;
}

/** @param {Reply} reply @param {string} name */
function member(reply, name) {
  return String(reply.members[name] ?? "");
}
