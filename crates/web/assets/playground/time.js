// The time that a token has left: a bar and a countdown.

import { element, span } from "./dom.js";
import { standing } from "./token.js";
import { say } from "./words.js";

/** @import { Facts } from "./token.js" */
/** @import { Language } from "./words.js" */

/** So many seconds before the end are enough for a slow answer. */
const AHEAD = 30;

/**
 * A bar that empties until the token expires, while it is part of the page.
 * @param {Language} language
 * @param {Facts} facts
 * @param {() => void} changed called when the token begins to be good or expires
 */
export function timeBar(language, facts, changed) {
  const begin = facts.issued ?? facts.starts ?? Math.min(Date.now() / 1000, facts.expires ?? 0);
  const whole = Math.max((facts.expires ?? 0) - begin, 1);
  const left = element("span", { class: "left" });
  const bar = element("progress", { max: whole, "aria-hidden": "true" });
  const shown = element("div", { class: "time" }, bar, left);
  let state = standing(facts, Date.now() / 1000);
  const draw = () => {
    const now = Date.now() / 1000;
    const remains = (facts.expires ?? now) - now;
    const current = standing(facts, now);
    bar.value = Math.min(Math.max(remains, 0), whole);
    bar.hidden = current === "timeless";
    shown.dataset.state = current;
    left.replaceChildren(words(language, current, current === "early" ? (facts.starts ?? now) - now : remains));
    if (current !== state) {
      state = current;
      changed();
    }
  };
  draw();
  const clock = setInterval(() => (shown.isConnected ? draw() : clearInterval(clock)), 1000);
  return shown;
}

/**
 * When a token is to be renewed, in seconds since the epoch: ahead of its end, and a short-lived one after most of its time.
 * @param {number} issued
 * @param {number} expires
 */
export function renewAt(issued, expires) {
  return Math.max(expires - AHEAD, issued + (expires - issued) * 0.8);
}

/** @param {Language} language @param {ReturnType<typeof standing>} state @param {number} seconds */
function words(language, state, seconds) {
  const name = { timeless: "time-none", early: "time-early", good: "time-left", expired: "time-over" }[state];
  return say(language, name, { span: span(seconds, language) });
}
