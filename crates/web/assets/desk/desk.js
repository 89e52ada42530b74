// What the desk's page does by itself: bars that run out, renewal before they do, and tokens derived from shared ones.

import { keyOf } from "./key.js";
import { proved } from "./proof.js";
import { renewAt } from "./time.js";

const opened = Date.now();

/**
 * @template {Element} Kind
 * @param {Element} within
 * @param {string} selector
 * @param {new () => Kind} kind
 * @returns {Kind | null}
 */
function find(within, selector, kind) {
  const found = within.querySelector(selector);
  return found instanceof kind ? found : null;
}

/** @param {HTMLFormElement} form */
function fields(form) {
  const all = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") all.append(name, value);
  return all;
}

/**
 * Renews by the form that the page has for it.
 * @param {HTMLElement} card
 */
async function renew(card) {
  const button = card.querySelector('input[name="do"][value="renew"]');
  const form = button?.closest("form");
  if (!form) return;
  const answer = await fetch(form.action, { method: "POST", body: fields(form), cache: "no-store" });
  // What could not be renewed is not tried again: the page says why when it is asked by hand.
  if (answer.ok && new URL(answer.url).searchParams.get("notice") === "done") location.reload();
}

/** @param {HTMLElement} card */
function watch(card) {
  const bar = find(card, "progress", HTMLProgressElement);
  const left = Number(card.dataset.left);
  if (!bar || !(left > 0)) return;
  const renewable = card.hasAttribute("data-renewable");
  let renewing = false;
  const timer = setInterval(() => {
    const now = left - (Date.now() - opened) / 1000;
    bar.value = Math.max(0, now);
    if (renewable && !renewing && now <= renewAt(bar.max)) {
      renewing = true;
      renew(card).catch(() => undefined);
    }
    if (now <= 0) clearInterval(timer);
  }, 1000);
}

/** @param {HTMLElement} card */
function offerUse(card) {
  const use = find(card, ".use", HTMLElement);
  const ask = use && find(use, "form.ask", HTMLFormElement);
  const call = use && find(use, "form.call", HTMLFormElement);
  const given = use && find(use, ".given", HTMLElement);
  const shown = use && find(use, ".given textarea", HTMLTextAreaElement);
  const url = use && find(use, "input[type=url]", HTMLInputElement);
  const outcome = use && find(use, ".outcome", HTMLElement);
  if (!use || !ask || !call || !given || !shown || !url || !outcome) return;
  const user = document.querySelector("[data-user]")?.getAttribute("data-user") ?? "";
  use.hidden = false;

  ask.addEventListener("submit", (event) => {
    event.preventDefault();
    const work = async () => {
      const answer = await proved(await keyOf(user), ask.action, { method: "POST", body: fields(ask) });
      const said = await answer.json();
      given.hidden = !answer.ok;
      shown.value = answer.ok ? said.access_token : "";
      if (answer.ok) url.value = said.resource[0];
      outcome.textContent = answer.ok ? "" : `${use.dataset.refused} (${said.error})`;
    };
    work().catch(() => (outcome.textContent = use.dataset.refused ?? ""));
  });

  call.addEventListener("submit", (event) => {
    event.preventDefault();
    const work = async () => {
      const answer = await proved(await keyOf(user), url.value, { method: "GET", accessToken: shown.value });
      outcome.textContent = `${answer.status} ${await answer.text()}`;
    };
    work().catch(() => (outcome.textContent = use.dataset.refused ?? ""));
  });
}

for (const card of document.querySelectorAll("article[data-item]")) {
  if (!(card instanceof HTMLElement)) continue;
  watch(card);
  offerUse(card);
}

for (const time of document.querySelectorAll("time[data-at]")) {
  if (!(time instanceof HTMLTimeElement)) continue;
  const date = new Date(Number(time.dataset.at) * 1000);
  time.dateTime = date.toISOString();
  time.textContent = date.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });
}
