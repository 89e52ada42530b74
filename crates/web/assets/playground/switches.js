// What a flow can have besides: a pushed request, a signed one, tokens that are bound to a key. Offered where the metadata names it.

import { t } from "./cards.js";
import { byId, element, source } from "./dom.js";
import { LEGACY } from "./flow.js";
import { metadata } from "./site.js";

/** @import { Flow } from "./flow.js" */

/** @typedef {"pushed" | "signed" | "dpop"} Switch */

/** @type {{ name: Switch, section: string, flows: (flow: Flow) => boolean, has: (metadata: { [name: string]: unknown }) => boolean, required: string }[]} */
const SWITCHES = [
  { name: "pushed", section: "RFC 9126", flows: (flow) => flow === "code", has: (metadata) => typeof metadata.pushed_authorization_request_endpoint === "string", required: "require_pushed_authorization_requests" },
  { name: "signed", section: "RFC 9101", flows: (flow) => flow === "code", has: (metadata) => metadata.request_parameter_supported === true || Array.isArray(metadata.request_object_signing_alg_values_supported), required: "require_signed_request_object" },
  { name: "dpop", section: "RFC 9449", flows: (flow) => !LEGACY.includes(flow), has: (metadata) => Array.isArray(metadata.dpop_signing_alg_values_supported), required: "" },
];

/** @type {Map<Switch, HTMLInputElement>} */
const boxes = new Map();

/** Builds them. @param {() => void} changed */
export function offerSwitches(changed) {
  const place = byId("switches", HTMLElement);
  for (const { name, section, has, required } of SWITCHES.filter(({ has }) => has(metadata()))) {
    const box = element("input", { type: "checkbox", id: `switch-${name}` });
    box.checked = metadata()[required] === true;
    box.addEventListener("change", changed);
    boxes.set(name, box);
    const label = element("label", { for: box.id }, t(`switch-${name}`));
    place.append(element("div", { class: "switch" }, box, " ", label, " ", source(section), element("p", { class: "hint" }, t(`switch-${name}-why`))));
  }
}

/** Shows those that a flow can have. @param {Flow} flow */
export function fitSwitches(flow) {
  for (const { name, flows } of SWITCHES) {
    const row = boxes.get(name)?.closest(".switch");
    if (row instanceof HTMLElement) row.hidden = !flows(flow);
  }
}

/** Whether a flow is to have it. @param {Switch} name @param {Flow} flow */
export function isOn(name, flow) {
  const known = SWITCHES.find((one) => one.name === name);
  return known !== undefined && known.flows(flow) && boxes.get(name)?.checked === true;
}

/** The switches as they were. @param {Switch[]} on */
export function switchOn(on) {
  for (const [name, box] of boxes) box.checked = on.includes(name) || box.checked;
}

/** Those that are on, of a flow. @param {Flow} flow */
export function switchedOn(flow) {
  return SWITCHES.map(({ name }) => name).filter((name) => isOn(name, flow));
}
