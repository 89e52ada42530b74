// The device authorization grant (RFC 8628), and other grants that need no browser: as values, like flow.js.

import { FLOWS, tokenRequest } from "./flow.js";

/** @import { Request, Run } from "./flow.js" */

/**
 * How it stands with a device.
 * @typedef {object} Polls
 * @property {"waits" | "given" | "over"} state
 * @property {number} interval seconds between two polls
 * @property {string} said the error code, or nothing
 */

/** RFC 8628 3.2: without an interval it is five seconds; 3.5: it grows by as many. */
const FIVE = 5;

/** RFC 8628 3.1. @param {Run} run @param {string} endpoint @returns {Request} */
export function deviceAuthorization(run, endpoint) {
  return tokenRequest(run, endpoint, "", { scope: run.scope });
}

/** RFC 8628 3.4. @param {Run} run @param {string} endpoint @param {string} deviceCode @returns {Request} */
export function polling(run, endpoint, deviceCode) {
  return tokenRequest(run, endpoint, "", { grant_type: FLOWS.device.grant, device_code: deviceCode });
}

/** Before the first poll. @param {{ [name: string]: unknown }} answer of the device authorization endpoint @returns {Polls} */
export function beforePolls(answer) {
  const { interval } = answer;
  return { state: "waits", interval: typeof interval === "number" && interval > 0 ? interval : FIVE, said: "" };
}

/**
 * After a poll (RFC 8628 3.5): two answers mean that it goes on, and one of them that it goes on more slowly.
 * @param {Polls} polls
 * @param {{ status: number, members: { [name: string]: unknown } }} answer
 * @returns {Polls}
 */
export function polled(polls, answer) {
  const said = typeof answer.members.error === "string" ? answer.members.error : "";
  if (answer.status < 400) return { ...polls, state: "given", said };
  if (said === "authorization_pending" || said === "use_dpop_nonce") return { ...polls, said };
  if (said === "slow_down") return { state: "waits", interval: polls.interval + FIVE, said };
  return { ...polls, state: "over", said };
}

/** RFC 7523 2.1: a token of somebody else is the grant. @param {Run} run @param {string} endpoint @param {string} assertion @returns {Request} */
export function bearing(run, endpoint, assertion) {
  return tokenRequest(run, endpoint, "", { grant_type: FLOWS.assertion.grant, assertion, scope: run.scope });
}

/** RFC 8693 2.1. @param {Run} run @param {string} endpoint @returns {Request} */
export function exchanging(run, endpoint) {
  const type = "urn:ietf:params:oauth:token-type:access_token";
  const fields = { grant_type: FLOWS.exchange.grant, subject_token: "", subject_token_type: type, requested_token_type: "", audience: "", scope: run.scope };
  return tokenRequest(run, endpoint, "", fields);
}

/** RFC 6749 4.3.2. @param {Run} run @param {string} endpoint @returns {Request} */
export function withPassword(run, endpoint) {
  return tokenRequest(run, endpoint, "", { grant_type: FLOWS.password.grant, username: "", password: "", scope: run.scope });
}
