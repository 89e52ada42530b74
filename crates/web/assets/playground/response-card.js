// The authorization response (RFC 6749 4.1.2): what came back through the browser, and whether it may be used.

import { checked, done, language, t, trouble } from "./cards.js";
import { element } from "./dom.js";
import { PARAMETERS } from "./parameters.js";
import { metadata } from "./site.js";

/** @import { Course } from "./course.js" */

/** @param {Course} course @param {HTMLElement} card @param {URLSearchParams} response */
export function respond(course, card, response) {
  const { run } = course;
  const list = element("dl", { class: "members" });
  for (const [name, value] of response) {
    const meaning = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name][language] : "";
    list.append(element("div", {}, element("dt", { class: "code" }, name), element("dd", {}, element("pre", { class: "code" }, value), element("p", { class: "hint" }, meaning))));
  }
  card.append(list);
  // A server that does not say that it sends `iss` need not (RFC 9207 2.4).
  const issues = response.has("iss") || metadata().authorization_response_iss_parameter_supported === true;
  const checks = [
    { name: "check-state", expected: run.state, came: response.get("state") },
    { name: "check-iss", expected: issues ? run.issuer : "", came: response.get("iss") },
  ];
  // The implicit flow has no iss of its own (RFC 9207 2.3 is not kept by servers that still have it).
  const those = run.flow === "implicit" ? checks.slice(0, 1) : checks;
  card.append(checked(those, run.checks, (good) => {
    if (!good) return;
    done(card);
    const code = response.get("code");
    const token = response.get("access_token");
    if (code !== null) course.redeem(code);
    else if (token !== null) inFragment(course, card, response);
    else card.append(trouble("answer-error"));
  }));
}

/** RFC 6749 4.2.2: the token came through the address bar. @param {Course} course @param {HTMLElement} card @param {URLSearchParams} response */
function inFragment(course, card, response) {
  const members = { ...Object.fromEntries(response), expires_in: Number(response.get("expires_in")) };
  const place = element("div", { class: "came" });
  card.append(place);
  course.inHand(place, { members });
  course.proceed({ status: 200, headers: [], body: "", members });
}
