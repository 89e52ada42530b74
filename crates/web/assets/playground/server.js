// Whose flows are walked through: this server's, those of another one, of one whose endpoints are typed by hand, or of the one
// that an API names. The page begins anew with each: its address says whose, and the tab keeps what was found.

import { ask, discovered, reaches, why } from "./ask.js";
import { language, t, trouble } from "./cards.js";
import { ENDPOINTS, byHand, challenge, resourceFault, resourcePlace, texts } from "./discovery.js";
import { button, byId, element } from "./dom.js";
import { SERVER } from "./session.js";
import { adopt, endpoint, issuer, page } from "./site.js";

/** @import { Course, Exchange } from "./course.js" */
/** @import { Document } from "./discovery.js" */
/** @import { Run } from "./flow.js" */

/** @typedef {{ issuer: string, metadata: Document, resource: string }} Kept */

const own = issuer;
const field = byId("issuer", HTMLInputElement);
const said = byId("server-said", HTMLElement);
const resource = byId("resource", HTMLInputElement);
const resourceSaid = byId("resource-said", HTMLElement);
const hand = document.getElementById("by-hand");

/**
 * The page is about the server that its flow began with, or that its address names, or its own. It fails when that one's metadata
 * cannot be had.
 * @param {string | null} waiting the flow that the browser comes back to
 */
export async function settle(waiting) {
  listen();
  /** @type {Partial<Run>} */
  const run = waiting === null ? {} : JSON.parse(waiting);
  const named = new URLSearchParams(location.search).get("issuer");
  const whose = run.issuer ?? named ?? own;
  field.value = whose;
  if (whose === own && named === null) sessionStorage.removeItem(SERVER);
  const kept = named === null ? null : keptOf(whose);
  try {
    adopt(whose, run.server ?? kept?.metadata ?? (await discovered(whose)));
  } catch (error) {
    complain(said, why(error));
    if (hand instanceof HTMLDetailsElement) hand.open = whose !== own;
    throw error;
  }
  const api = run.resource || kept?.resource;
  if (api) page.dataset.api = api;
  if (whose !== own) showOther(whose);
  for (const name of hand ? ENDPOINTS : []) byId(name, HTMLInputElement).value = endpoint(name);
}

/** What the page's address says of the server: never more than its name. @returns {{ [name: string]: string }} */
export function shape() {
  return issuer === own && page.dataset.api === undefined ? {} : { issuer };
}

/** An onlooker: how much of the time was this server's. @param {Course} _course @param {Exchange} exchange @param {HTMLElement} card */
export function timed(_course, { answer }, card) {
  if (!answer.time) return;
  const millis = (/** @type {number} */ time) => time.toLocaleString(language, { maximumFractionDigits: 1 });
  const { own, other } = answer.time;
  const said = other === undefined ? t("time-own", { own: millis(own) }) : t("time-spent", { own: millis(own), other: millis(other) });
  card.append(element("p", { class: "hint time-spent", "data-own": own }, said));
}

/** What a demo has to play with is this server's. @param {string} whose */
function showOther(whose) {
  byId("setup-heading", HTMLElement).replaceChildren(whose);
  for (const name of Object.keys(page.dataset)) if (name.startsWith("demo")) delete page.dataset[name];
}

function listen() {
  /** @type {[string, () => Promise<void> | void][]} */
  const buttons = [["use-issuer", useIssuer], ["ask-resource", askResource], ["use-endpoints", useEndpoints]];
  for (const [id, press] of buttons) {
    const pressed = document.getElementById(id);
    if (!(pressed instanceof HTMLButtonElement)) continue;
    pressed.addEventListener("click", async () => {
      pressed.disabled = true;
      await press();
      pressed.disabled = false;
    });
  }
}

async function useIssuer() {
  const whose = field.value.trim();
  try {
    goTo({ issuer: whose, metadata: await discovered(whose), resource: "" });
  } catch (error) {
    complain(said, why(error));
    if (!(hand instanceof HTMLDetailsElement)) return;
    hand.open = true;
    // What stands there is another server's.
    for (const name of ENDPOINTS) byId(name, HTMLInputElement).value = "";
  }
}

function useEndpoints() {
  const typed = Object.fromEntries(ENDPOINTS.map((name) => [name, byId(name, HTMLInputElement).value.trim()]));
  const metadata = byHand(field.value.trim(), typed);
  // The browser itself goes to the authorization endpoint, wherever that is.
  const asked = ENDPOINTS.filter((name) => name !== "authorization_endpoint").map((name) => metadata[name]);
  if (metadata.token_endpoint === undefined) return complain(said, "trouble-no-endpoint");
  if (!asked.every((url) => url === undefined || reaches(String(url)))) return complain(said, "trouble-unlisted");
  goTo({ issuer: String(metadata.issuer), metadata, resource: "" });
}

/** An API says how to get a token for it (RFC 9728 5). */
async function askResource() {
  const url = resource.value.trim();
  const asked = await ask(url);
  if (typeof asked === "string") return complain(resourceSaid, asked);
  const refusal = challenge(asked.headers);
  const place = refusal.metadata ?? resourcePlace(url) ?? "";
  const answer = await ask(place);
  if (typeof answer === "string") return complain(resourceSaid, answer);
  const metadata = answer.members;
  const fault = answer.status === 200 ? resourceFault(metadata, url) : "resource-no-metadata";
  const servers = texts(metadata.authorization_servers);
  const scope = refusal.scope ?? texts(metadata.scopes_supported).join(" ");
  const list = element("dl", { class: "facts" });
  const fact = (/** @type {string} */ name, /** @type {string} */ value) =>
    list.append(element("div", {}, element("dt", {}, t(name)), element("dd", { class: "code" }, value)));
  fact("resource-status", `HTTP ${asked.status}`);
  fact(refusal.metadata === null ? "resource-place-known" : "resource-place-named", place);
  if (fault !== null) return resourceSaid.replaceChildren(list, trouble(fault));
  fact("resource-servers", servers.join(" "));
  if (scope !== "") fact("resource-scopes", scope);
  const choices = servers.map((server) => button(t("resource-go", { server }), () => goFrom(url, server, scope), "primary small"));
  resourceSaid.replaceChildren(list, element("p", { class: "hint" }, t("resource-good")), element("div", { class: "actions" }, ...choices));
}

/** @param {string} api @param {string} server @param {string} scope */
async function goFrom(api, server, scope) {
  try {
    goTo({ issuer: server, metadata: await discovered(server), resource: api }, scope);
  } catch (error) {
    resourceSaid.append(trouble(why(error)));
  }
}

/** The page begins anew. @param {Kept} server @param {string} [scope] */
function goTo(server, scope = "") {
  const other = server.issuer !== own || server.resource !== "";
  if (other) sessionStorage.setItem(SERVER, JSON.stringify(server));
  else sessionStorage.removeItem(SERVER);
  const chosen = document.querySelector("#flows input:checked");
  const flow = chosen instanceof HTMLInputElement ? chosen.value : "code";
  const address = new URLSearchParams({ flow, ...(scope && { scope }), ...(other && { issuer: server.issuer }) });
  location.assign(`${location.pathname}?${address}`);
}

/** What the tab keeps of a server. @param {string} whose @returns {Kept | null} */
function keptOf(whose) {
  /** @type {Kept | null} */
  const kept = JSON.parse(sessionStorage.getItem(SERVER) ?? "null");
  return kept?.issuer === whose ? kept : null;
}

/** @param {HTMLElement} place @param {string} name */
function complain(place, name) {
  place.replaceChildren(trouble(name));
}
