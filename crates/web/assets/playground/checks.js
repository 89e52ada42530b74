// What every answer is held against: the rules of the specifications, one by one. Nothing here touches the page. The rules stand
// in rules.js; here is what they are asked about, and what comes of it.

import { METADATA_RULES, RESPONSE_RULES, RULES } from "./rules.js";
import { header } from "./dpop.js";
import { read } from "./token.js";

/** @import { Answer } from "./cards.js" */
/** @import { Request, Run, Step } from "./flow.js" */
/** @import { Members } from "./token.js" */

/** @typedef {"token" | "refresh" | "device" | "pushed" | "error" | "userinfo" | "introspection" | "revoked" | "challenge" | "called"} Kind */

/**
 * What a rule is asked about.
 * @typedef {object} Case
 * @property {Kind} kind
 * @property {number} status
 * @property {(name: string) => string | null} header by its name in lower case
 * @property {Members} members of the body, when it is an object in JSON
 * @property {Members} sent the parameters of the request
 * @property {boolean} proved whether the client proved itself in a header (RFC 6749 2.3.1)
 * @property {boolean} proof whether a DPoP proof went along (RFC 9449 5)
 * @property {boolean} isPublic whether the client proves itself at all
 * @property {string} scope that was asked for
 * @property {string} before the refresh token that was handed in
 * @property {string} subject whom the ID token names, or nothing
 * @property {Members | null} claims of the access token, where it can be read
 * @property {Step} step
 */

/**
 * A rule: whom it concerns, and whether an answer keeps to it. `applies` is left out where it always does.
 * @template Of
 * @typedef {object} Rule
 * @property {string} name
 * @property {string} section
 * @property {"must" | "should"} severity
 * @property {Kind[]} [kinds]
 * @property {(about: Of) => boolean} [applies]
 * @property {(about: Of) => boolean} holds
 */

/** @typedef {{ name: string, section: string, severity: "must" | "should" }} Deviation */

/** How many rules an answer was held against, and those that it breaks. @typedef {{ held: number, deviations: Deviation[] }} Findings */

/** The requests whose answers are the server's own, and no API's. @type {{ [step: string]: Kind }} */
const KINDS = { token: "token", client: "token", poll: "token", assertion: "token", exchange: "token", password: "token", refresh: "refresh", device: "device", push: "pushed", revoke: "revoked" };

/**
 * Holds an answer against the rules.
 * @param {{ step: Step, request: Request, answer: Answer }} exchange
 * @param {Run} run
 * @param {{ step: Step, answer: Answer }[]} earlier what came before it
 * @param {Members} metadata
 * @returns {Findings}
 */
export function findings(exchange, run, earlier, metadata) {
  const about = caseOf(exchange, run, earlier, metadata);
  return held(RULES.filter((rule) => rule.kinds?.includes(about.kind)), about);
}

/** Holds the metadata of an issuer against the rules (RFC 8414 2). @param {Members} metadata @param {string} issuer @returns {Findings} */
export function ofMetadata(metadata, issuer) {
  return held(METADATA_RULES, { metadata, issuer });
}

/**
 * Holds an authorization response against the rules (RFC 6749 4.1.2).
 * @param {URLSearchParams} response
 * @param {Run} run
 * @param {Members} metadata
 */
export function ofResponse(response, run, metadata) {
  return held(RESPONSE_RULES, { response, run, metadata });
}

/**
 * @template Of
 * @param {Rule<Of>[]} rules
 * @param {Of} about
 * @returns {Findings}
 */
function held(rules, about) {
  const applied = rules.filter(({ applies }) => applies === undefined || applies(about));
  const broken = applied.filter(({ holds }) => !holds(about));
  return { held: applied.length, deviations: broken.map(({ name, section, severity }) => ({ name, section, severity })) };
}

/**
 * @param {{ step: Step, request: Request, answer: Answer }} exchange
 * @param {Run} run
 * @param {{ step: Step, answer: Answer }[]} earlier
 * @param {Members} metadata
 * @returns {Case}
 */
function caseOf({ step, request, answer }, run, earlier, metadata) {
  const sent = Object.fromEntries(request.parameters.filter(({ value }) => value !== "").map(({ name, value }) => [name, value]));
  const idToken = earlier.map((one) => one.answer.members.id_token).filter((token) => typeof token === "string").at(-1);
  const given = answer.members.access_token;
  const first = earlier.find((one) => one.step !== "api" && typeof one.answer.members.access_token === "string");
  const granted = first ? String(first.answer.members.scope ?? run.scope) : "";
  const scope = step === "refresh" ? String(sent.scope ?? granted) : run.scope;
  return {
    kind: kindOf(step, request.url, answer.status, metadata),
    status: answer.status,
    header: (name) => header(answer.headers, name),
    members: answer.members,
    sent,
    proved: "Authorization" in sent,
    proof: "DPoP" in sent,
    isPublic: (run.method ?? "public") === "public" && !("Authorization" in sent),
    scope,
    before: String(sent.refresh_token ?? ""),
    subject: typeof idToken === "string" ? String(read(idToken).claims?.sub ?? "") : "",
    claims: typeof given === "string" ? read(given).claims : null,
    step,
  };
}

/** @param {Step} step @param {string} url @param {number} status @param {Members} metadata @returns {Kind} */
function kindOf(step, url, status, metadata) {
  if (step in KINDS) return status >= 400 ? "error" : KINDS[step];
  if (status === 401 || status === 403) return "challenge";
  if (status >= 400) return "called";
  if (url === metadata.userinfo_endpoint) return "userinfo";
  return url === metadata.introspection_endpoint ? "introspection" : "called";
}
