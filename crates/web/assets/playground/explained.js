// The tokens that the page made for a request, on the page.

import { language, t } from "./cards.js";
import { element, pretty, source } from "./dom.js";
import { madeFor } from "./made.js";

/** @import { Request } from "./flow.js" */

/**
 * What stands in the tokens of a request, line by line. Nothing, where it has none.
 * @param {Request} request
 * @param {boolean} [isOpen]
 */
export function explained(request, isOpen = false) {
  const shown = element("div", { class: "made-for" });
  for (const { name, lines } of madeFor(request)) {
    const list = (/** @type {"header" | "claims"} */ wanted) => element("dl", { class: "members" }, ...lines.filter(({ part }) => part === wanted).map(({ name, value, meaning }) =>
      element("div", {}, element("dt", { class: "code" }, name),
        element("dd", {}, element("pre", { class: "code" }, pretty(value)), element("p", { class: "hint" }, meaning[language], " ", source(meaning.section))))));
    const details = element("details", { class: "made", "data-made": name }, element("summary", {}, t("made-summary", { name })),
      element("h3", {}, t("part-header")), list("header"), element("h3", {}, t("part-claims")), list("claims"));
    details.open = isOpen;
    shown.append(details);
  }
  return shown;
}
