// The flows that nobody should use any more: what is wrong with them, and what to use instead.

import { done, t } from "./cards.js";
import { button, element, source } from "./dom.js";

/** @import { Course } from "./course.js" */
/** @import { Flow } from "./flow.js" */

/** Each fault with its section. @type {{ [flow in Flow]?: [fault: string, section: string][] }} */
export const FAULTS = {
  implicit: [
    ["fault-address-bar", "RFC 9700 4.3.2"],
    ["fault-injected", "RFC 9700 2.1.2"],
    ["fault-unbound", "RFC 9700 2.1.2"],
    ["fault-no-refresh", "RFC 6749 4.2.2"],
  ],
  password: [
    ["fault-told", "RFC 9700 2.4"],
    ["fault-trained", "RFC 9700 2.4"],
    ["fault-one-factor", "RFC 9700 2.4"],
    ["fault-whole", "RFC 6749 10.7"],
  ],
};

/** @param {Course} course */
export function faults(course) {
  const card = course.open("faults");
  const { flow } = course.run;
  const list = (FAULTS[flow] ?? []).map(([fault, section]) => element("li", {}, t(fault), " ", source(section)));
  card.append(element("ul", { class: "faults" }, ...list), element("p", {}, t(`instead-${flow}`)));
  if (course.cards.size === 1) return card.append(element("p", { class: "notice", id: "not-supported" }, t("legacy-unsupported")));
  const go = button(t("legacy-go"), () => {
    go.disabled = true;
    done(card);
    if (flow === "implicit") course.authorize();
    else course.password();
  }, "secondary");
  card.append(element("div", { class: "actions" }, go));
}
