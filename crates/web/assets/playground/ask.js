// Asks a server: this page's own from the browser, another one through it, for a page may ask no other origin itself.

import { envelope, isOf, isWithin, places, usable } from "./discovery.js";

/** @import { Answer } from "./cards.js" */
/** @import { Document } from "./discovery.js" */

/**
 * Sends a request.
 * @param {string} url
 * @param {RequestInit} [init]
 * @returns {Promise<Answer | string>} the answer, or the name of why there is none
 */
export async function ask(url, init = {}) {
  const own = isOwn(url);
  if (!own && !isWithin(url, reach())) return reach().relay === "" ? "trouble-elsewhere" : "trouble-unlisted";
  try {
    return own ? await answerOf(await fetch(url, plain(init))) : await relayed(url, init);
  } catch {
    return "trouble-network";
  }
}

/** Whether a URL can be asked, by whatever way. @param {string} url */
export function reaches(url) {
  return isOwn(url) || isWithin(url, reach());
}

/** A document in JSON. It fails when there is none. @param {string} url @returns {Promise<Document>} */
export async function documentAt(url) {
  const answer = await ask(url, { headers: { Accept: "application/json" } });
  if (typeof answer === "string") throw new Error(answer);
  if (answer.status !== 200) throw new Error("trouble-status");
  return answer.members;
}

/**
 * The metadata of an issuer, from the first place where there is some. It fails with the name of why there is none.
 * @param {string} issuer
 * @returns {Promise<Document>}
 */
export async function discovered(issuer) {
  let trouble = "trouble-no-issuer";
  for (const place of places(issuer)) {
    const answer = await ask(place, { headers: { Accept: "application/json" } });
    if (typeof answer === "string") throw new Error(answer);
    if (answer.status === 200 && isOf(answer.members, issuer)) return usable(answer.members);
    if (answer.status === 200) trouble = "trouble-other-issuer";
    else if (trouble !== "trouble-other-issuer") trouble = "trouble-no-metadata";
  }
  throw new Error(trouble);
}

/** Why something failed, as the name of a text. @param {unknown} error */
export function why(error) {
  return error instanceof Error && error.message.startsWith("trouble-") ? error.message : "trouble-network";
}

/** @param {string} url @param {RequestInit} init @returns {Promise<Answer | string>} */
async function relayed(url, init) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(reach().relay, plain({ method: "POST", headers, body: envelope(url, init) }));
  const enclosed = await answer.json();
  if (!answer.ok) return TROUBLES[enclosed.error] ?? "trouble-unreachable";
  return { ...enclosed, members: membersOf(enclosed.body) };
}

/** What the relay says when it does not pass on. @type {{ [error: string]: string }} */
const TROUBLES = {
  too_many: "trouble-too-many",
  busy: "trouble-busy",
  not_listed: "trouble-unlisted",
  malformed: "trouble-malformed",
};

/** No cookie goes along, no redirect is followed, nothing is kept. @param {RequestInit} init @returns {RequestInit} */
function plain(init) {
  return { ...init, credentials: "omit", redirect: "error", cache: "no-store" };
}

/** @param {Response} answer @returns {Promise<Answer>} */
async function answerOf(answer) {
  const body = await answer.text();
  const time = ownTime(answer.headers.get("server-timing") ?? "");
  return { status: answer.status, headers: [...answer.headers], body, members: membersOf(body), ...(time !== null && { time: { own: time } }) };
}

/** How many milliseconds this server needed, as it says itself (Server Timing 3). @param {string} said */
export function ownTime(said) {
  const [, millis] = /(?:^|,)\s*grantor;dur=(\d+(?:\.\d+)?)/.exec(said) ?? [];
  return millis === undefined ? null : Number(millis);
}

/** Whom the server asks for this page. @returns {{ relay: string, origins: string[], loopback: boolean }} */
function reach() {
  const place = document.querySelector("[data-relay]");
  const { relay = "", origins = "", loopback } = place instanceof HTMLElement ? place.dataset : {};
  return { relay, origins: origins.split(" ").filter((origin) => origin !== ""), loopback: loopback !== undefined };
}

/** Whether a URL is at the origin of the page. @param {string} url */
function isOwn(url) {
  return URL.canParse(url, location.href) && new URL(url, location.href).origin === location.origin;
}

/** @param {string} text @returns {{ [name: string]: unknown }} */
function membersOf(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
