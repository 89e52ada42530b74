// Under every answer: which rules it was held against, and those that it breaks.

import { language, t } from "./cards.js";
import { findings, ofMetadata } from "./checks.js";
import { element, source } from "./dom.js";
import { metadata } from "./site.js";
import { say } from "./words.js";

/** @import { Findings } from "./checks.js" */
/** @import { Course, Exchange } from "./course.js" */

/** Looks on at a course. @param {Course} course @param {Exchange} exchange @param {HTMLElement} card */
export function complainOf(course, exchange, card) {
  const earlier = course.exchanges.filter((one) => one !== exchange);
  card.append(shown(findings(exchange, course.run, earlier, metadata())));
}

/** What there is to say of the metadata. @param {string} issuer */
export function metadataFindings(issuer) {
  return shown(ofMetadata(metadata(), issuer), "metadata-held");
}

/**
 * The findings, for people.
 * @param {Findings} found
 * @param {string} [name] of the sentence before the number of rules
 */
export function shown({ held, deviations }, name = "rules-held") {
  const musts = deviations.filter(({ severity }) => severity === "must").length;
  const verdict = deviations.length === 0 ? t("rules-good") : t("rules-broken", { count: deviations.length });
  const list = deviations.map((deviation) =>
    element("li", { "data-severity": deviation.severity, "data-rule": deviation.name },
      element("b", {}, t(`severity-${deviation.severity}`)), " ", say(language, `rule-${deviation.name}`), " ", source(deviation.section)));
  const summary = element("summary", {}, element("span", { class: musts > 0 ? "bad" : "good" }, verdict), " ", element("span", { class: "hint" }, t(name, { count: held })));
  const details = element("details", { class: "findings", "data-deviations": deviations.length, "data-held": held }, summary,
    deviations.length === 0 ? element("p", { class: "hint" }, t("rules-explained")) : element("ul", {}, ...list));
  details.open = deviations.length > 0;
  return details;
}
