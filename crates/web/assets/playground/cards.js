// The cards of the playground: a request that can be changed, its answer, and what is to be checked.

import { ask } from "./ask.js";
import { METHODS, initOf, urlOf } from "./flow.js";
import { button, element, source } from "./dom.js";
import { PARAMETERS } from "./parameters.js";
import { say } from "./words.js";

/** @import { Request, Step } from "./flow.js" */

export const language = document.documentElement.lang === "de" ? "de" : "en";

/** @param {string} name @param {{ [name: string]: string | number }} [values] */
export function t(name, values) {
  return say(language, name, values);
}

/**
 * An answer as it came; `time` is how many milliseconds it took this server and, if it came through this one, the other.
 * @typedef {{ status: number, headers: [string, string][], body: string, members: { [name: string]: unknown }, time?: { own: number, other?: number } }} Answer
 */

/** A step that is not open yet: its number and its name. @param {Step} step @param {number} number */
export function closed(step, number) {
  const heading = element("h2", { id: `${step}-heading`, tabindex: -1 }, t(`step-${step}`));
  const mark = element("span", { class: "mark", "aria-hidden": "true" }, String(number));
  const head = element("div", { class: "step-head" }, mark, heading);
  return element("section", { class: "card step closed", id: `step-${step}`, "aria-labelledby": heading.id }, head);
}

/**
 * Opens a step with what it is for.
 * @param {HTMLElement} card
 * @param {Step} step
 * @param {boolean} lead whether it is what comes next
 */
export function open(card, step, lead) {
  card.classList.remove("closed", "done-step");
  card.replaceChildren(...[...card.children].slice(0, 1), element("p", { class: "why" }, t(`step-${step}-why`)));
  if (!lead) return;
  const heading = card.querySelector("h2");
  heading?.focus({ preventScroll: true });
  card.scrollIntoView({ block: "start", behavior: "auto" });
}

/** A step is done: it stays to be looked at. @param {HTMLElement} card */
export function done(card) {
  card.classList.add("done-step");
}

/**
 * The fields of a request, one for each parameter. `read` gives the request as it stands in them.
 * @param {string} step
 * @param {Request} request
 * @returns {{ shown: HTMLElement, read: () => Request }}
 */
export function editable(step, request) {
  const line = element("p", { class: "code line" }, element("b", {}, request.method), " ", request.url);
  const list = element("div", { class: "parameters" });
  const fields = request.parameters.map((parameter) => {
    const id = `${step}-${parameter.name}`;
    const value = element("input", { id, type: "text", class: "code", autocomplete: "off", autocapitalize: "none", spellcheck: "false", placeholder: t("left-out"), "aria-describedby": `${id}-hint` });
    value.value = parameter.value;
    const meaning = PARAMETERS[parameter.meaning];
    const hint = element("p", { class: "hint", id: `${id}-hint` }, meaning[language], " ", source(meaning.section));
    list.append(element("div", { class: "parameter" }, element("label", { for: id, class: "code" }, parameter.name), value, hint));
    return { parameter, value };
  });
  const read = () => ({
    ...request,
    parameters: fields.map(({ parameter, value }) => ({ ...parameter, value: value.value })),
  });
  return { shown: element("div", {}, element("h3", {}, t("request")), line, list), read };
}

/**
 * The fields of a call: everything can be changed.
 * @param {Request} request
 * @returns {{ shown: HTMLElement, read: () => { request: Request, body: string } }}
 */
export function callable(request) {
  const id = (/** @type {string} */ name) => `api-${name}`;
  const method = element("select", { id: id("method") }, ...METHODS.map((one) => element("option", {}, one)));
  const address = element("input", { id: id("url"), type: "url", class: "code", autocomplete: "off", spellcheck: "false" });
  address.value = request.url;
  const body = element("textarea", { id: id("body"), class: "code", rows: 2, spellcheck: "false", placeholder: t("no-body") });
  const field = (/** @type {string} */ label, /** @type {HTMLElement} */ control) =>
    element("div", { class: "field" }, element("label", { for: control.id }, t(label)), control);
  const rest = editable("api", request);
  rest.shown.querySelector(".line")?.remove();
  const where = element("div", { class: "pair call" }, field("method", method), field("address", address));
  rest.shown.querySelector("h3")?.after(where);
  const content = field("body", body);
  // RFC 9110 9.3.1, 9.3.2: the body of these means nothing.
  const hasBody = () => method.value !== "GET" && method.value !== "HEAD";
  content.hidden = true;
  method.addEventListener("change", () => (content.hidden = !hasBody()));
  rest.shown.append(content);
  const read = () => ({
    request: { ...rest.read(), method: /** @type {Request["method"]} */ (method.value), url: address.value },
    body: hasBody() ? body.value : "",
  });
  return { shown: rest.shown, read };
}

/**
 * Sends a request.
 * @param {Request} request
 * @param {string} [body]
 * @returns {Promise<Answer | string>} the answer, or the name of why there is none
 */
export async function send(request, body = "") {
  const init = initOf(request);
  if (body !== "") init.body = body;
  return ask(urlOf(request), init);
}

/** An answer with its status and its headers. @param {Answer} answer */
export function answered(answer) {
  const good = answer.status < 400;
  const status = element("p", { class: "code line" }, element("b", { class: good ? "good" : "bad" }, `HTTP ${answer.status}`));
  const headers = element("pre", { class: "code headers" }, answer.headers.map(([name, value]) => `${name}: ${value}`).join("\n"));
  const members = Object.keys(answer.members).length > 0;
  const body = element("pre", { class: "code block" }, members ? JSON.stringify(answer.members, null, 2) : answer.body);
  return element("div", { class: "answer", "data-status": answer.status, role: "status" }, element("h3", {}, t("response")), status, headers, body);
}

/** Why there is no answer. @param {string} why */
export function trouble(why) {
  return element("p", { class: "notice alert", role: "alert" }, t(why));
}

/**
 * What must be equal, checked by the page or by whoever learns. `decided` is told once, when all is decided.
 * @param {{ name: string, expected: string, came: string | null }[]} checks
 * @param {"page" | "me"} who
 * @param {(good: boolean) => void} decided
 */
export function checked(checks, who, decided) {
  let left = checks.length;
  let good = true;
  const list = element("div", { class: "checks" });
  for (const { name, expected, came } of checks) {
    const same = (came ?? "") === expected;
    const verdict = element("p", { class: "verdict", role: "status" });
    const row = (/** @type {string} */ label, /** @type {string} */ value) =>
      element("div", {}, element("dt", {}, t(label)), element("dd", { class: "code" }, value));
    const item = element("div", { class: "check", id: name }, element("p", {}, t(name)),
      element("dl", {}, row("check-sent", expected || t("check-nothing")), row("check-came", came || t("check-nothing"))));
    const settle = () => {
      verdict.replaceChildren(t(same ? "check-good" : "check-bad"));
      item.dataset.verdict = same ? "good" : "bad";
      good = good && same;
      left -= 1;
      if (left === 0) decided(good);
    };
    if (who === "page") {
      item.append(verdict);
      queueMicrotask(settle);
    } else {
      const choices = element("div", { class: "actions" });
      const choose = (/** @type {boolean} */ says) => {
        if (says !== same) return verdict.replaceChildren(t("check-mistaken"));
        choices.remove();
        settle();
      };
      choices.append(button(t("check-same"), () => choose(true), "secondary"), button(t("check-differ"), () => choose(false), "secondary"));
      item.append(choices, verdict);
    }
    list.append(item);
  }
  return list;
}
