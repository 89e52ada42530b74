// The device waits (RFC 8628 3.3 to 3.5): a code for the person, and polls until it was typed somewhere else.

import { language, t } from "./cards.js";
import { beforePolls, polled, polling } from "./device.js";
import { element } from "./dom.js";
import { endpoint } from "./site.js";
import { timeBar } from "./time.js";
import { facts, read } from "./token.js";

/** @import { Answer } from "./cards.js" */
/** @import { Course } from "./course.js" */
/** @import { Members } from "./token.js" */

/** @param {Course} course @param {Members} device the answer of the device authorization endpoint */
export function poll(course, device) {
  let polls = beforePolls(device);
  let next = Date.now() + polls.interval * 1000;
  const said = element("p", { class: "hint", id: "poll-said" });
  const log = element("ol", { class: "polls" });
  const box = element("input", { type: "checkbox", id: "poll-itself" });
  box.checked = true;
  const before = element("div", { class: "device" }, shownTo(device),
    element("div", { class: "switch" }, box, " ", element("label", { for: box.id }, t("poll-itself"))), said, element("div", { role: "log" }, log));
  const made = () => course.proven(polling(course.run, endpoint("token_endpoint"), String(device.device_code)));
  const always = (/** @type {Answer} */ answer) => {
    polls = polled(polls, answer);
    next = Date.now() + polls.interval * 1000;
    log.append(element("li", { "data-said": polls.said }, element("span", { class: "code" }, `${answer.status} ${polls.said}`), " ", t(meaningOf(polls.said, polls.state))));
    tell();
  };
  const { press } = course.ask("poll", { made, how: "once", before, always, next: (answer, came) => course.ofUser(answer, came, "") });
  const tell = () => {
    const left = Math.max(Math.ceil((next - Date.now()) / 1000), 0);
    said.replaceChildren(polls.state === "waits" ? t("poll-next", { seconds: left, interval: polls.interval }) : "");
  };
  const clock = setInterval(() => {
    if (polls.state !== "waits" || !said.isConnected) return clearInterval(clock);
    tell();
    if (box.checked && Date.now() >= next) {
      next = Date.now() + polls.interval * 1000;
      press();
    }
  }, 500);
  tell();
}

/** What the device shows to the person. @param {Members} device */
function shownTo(device) {
  const { verification_uri: plain, verification_uri_complete: complete, user_code: code, expires_in: lasts } = device;
  const now = Date.now() / 1000;
  const known = { ...facts(read("")), issued: now, expires: typeof lasts === "number" ? now + lasts : null };
  return element("div", { class: "television" }, element("p", {}, t("device-go")), link(String(plain)),
    element("p", { class: "user-code code", id: "user-code" }, String(code)), timeBar(language, known, () => {}),
    ...(typeof complete === "string" ? [element("p", {}, link(complete, t("device-open")))] : []));
}

/** Only what a browser would open as a page is a link. @param {string} url @param {string} [text] */
function link(url, text = url) {
  const opens = /^https?:\/\//.test(url);
  return opens ? element("a", { href: url, target: "_blank", rel: "noopener noreferrer", class: "verification" }, text) : element("span", { class: "code" }, text);
}

/** @param {string} said @param {string} state */
function meaningOf(said, state) {
  const known = /** @type {{ [said: string]: string }} */ ({
    authorization_pending: "poll-pending", slow_down: "poll-slow", access_denied: "poll-denied", expired_token: "poll-expired", use_dpop_nonce: "poll-nonce",
  });
  return known[said] ?? (state === "given" ? "poll-given" : "poll-over");
}
