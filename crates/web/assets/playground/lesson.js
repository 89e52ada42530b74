// The ten minutes of a newcomer: seven things to do with an access token, what counts as having done them, and what is to be
// pressed next. Nothing here touches the page.

/** @import { Answer } from "./cards.js" */
/** @import { Request, Step } from "./flow.js" */

/** @typedef {"get" | "look" | "use" | "refresh" | "steal" | "revoke" | "protect"} Thing */
/** @typedef {{ step: Step, request: Request, answer: Answer }} Exchange */

/** In their order. @type {Thing[]} */
export const THINGS = ["get", "look", "use", "refresh", "steal", "revoke", "protect"];

/**
 * What was done by an exchange. A token counts as revoked when the API has refused it.
 * @param {Exchange} exchange
 * @param {Exchange[]} all until then
 * @returns {Thing[]}
 */
export function byExchange({ step, request, answer }, all) {
  if (step === "api" && answer.status < 400) return ["use"];
  if (step === "api") {
    const shown = valueOf(request, "Authorization").replace(/^\S+ /, "");
    const revoked = all.some((one) => one.step === "revoke" && one.answer.status === 200 && valueOf(one.request, "token") === shown);
    return revoked && answer.status === 401 ? ["revoke"] : [];
  }
  if (answer.status >= 400 || typeof answer.members.access_token !== "string") return [];
  return step === "refresh" ? ["get", "refresh"] : ["get"];
}

/**
 * What was done by an attack. Who has stolen a token, and revokes it there, sees it refused.
 * @param {string} attack
 * @param {string} came of it
 * @returns {Thing[]}
 */
export function byAttack(attack, came) {
  if (attack === "bearer-stolen" && came === "succeeded") return ["steal"];
  if (attack === "bearer-stolen" && came === "caught") return ["revoke"];
  return attack === "bound-as-bearer" && came === "caught" ? ["protect"] : [];
}

/** Where a flow goes on, or begins: whatever is open and was not done. */
const ON = ["#steps .step:not(.closed, .done-step) .primary", "#steps .step:not(.closed, .done-step) .check .actions button"];
const BEGIN = ["#flow-code:not(:checked)", "#begin"];
/** A flow that ended has no button any more. */
const ENDED = "#playground:has(#steps [data-verdict=bad], #steps .alert) #again";
/** One that cannot lead there makes room for another. */
const WITHOUT_REFRESH = "#playground:has(#steps > .step):not(:has(#step-refresh)) #again";
const WITHOUT_KEY = "#playground:has(#steps:not([data-bound]) > .step) #again";
/** An attack, when the newest token has opened the API. @param {string} bound @param {string} attack */
const attack = (bound, attack) => ["> summary", "> .actions button"].map((part, at) =>
  `#steps${bound}:has(#step-api.done-step) + #attacks #attack-${attack}${at === 0 ? ":not([open])" : ""} ${part}`);

/**
 * Where the next thing to press may be, for each: the first that is there and can be pressed.
 * @type {{ [thing in Thing]: string[] }}
 */
export const WAYS = {
  get: [...ON, ...BEGIN, ENDED],
  look: ["#steps [data-token=access_token]", ...ON, ...BEGIN, ENDED],
  use: ["#step-api .primary", ...ON, ...BEGIN, ENDED],
  refresh: ["#step-refresh .primary", WITHOUT_REFRESH, ...ON, ...BEGIN, ENDED],
  steal: ["#steps:has(#step-revoke.done-step) #step-refresh .primary", ...attack("", "bearer-stolen"), "#step-api .primary", ...ON, ...BEGIN, ENDED],
  revoke: ["#step-revoke .again", "#step-revoke .primary", ...ON, ...BEGIN, ENDED],
  protect: [
    ...attack("[data-bound]", "bound-as-bearer"), "#steps[data-bound] #step-api .primary", ...ON.map((way) => way.replace("#steps", "#steps[data-bound]")),
    WITHOUT_KEY, "#flow-code:not(:checked)", "#switch-dpop:not(:checked)", "#begin", ENDED,
  ],
};

/** @param {Request} request @param {string} name */
function valueOf(request, name) {
  return request.parameters.find((parameter) => parameter.name === name)?.value ?? "";
}
