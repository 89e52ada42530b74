// The form for the client: how it proves who it is, and with what. Secrets and keys are in this module's memory and nowhere else.

import { isOfPage, methodsOf, METHODS, ofPlatform } from "./auth.js";
import { language, t } from "./cards.js";
import { button, byId, element } from "./dom.js";
import { FLOWS } from "./flow.js";
import { algorithmAmong, generated, imported } from "./jwt.js";
import { endpoint, fields, metadata, page } from "./site.js";
import { say } from "./words.js";

/** @import { Method, Proof } from "./auth.js" */
/** @import { Flow } from "./flow.js" */
/** @import { SigningKey } from "./jwt.js" */
/** @import { Members } from "./token.js" */

/**
 * A client of the demo, as the server tells everybody about it.
 * @typedef {object} DemoClient
 * @property {string} client_id
 * @property {string[]} grant_types
 * @property {string} token_endpoint_auth_method
 * @property {string | null} client_secret
 * @property {Members} [private_jwk]
 * @property {Members} [claims]
 */

/** Whom the server needs to know before it gives these out (RFC 6749 4.4, RFC 7523 2.1): the method that is taken first. @type {{ [flow in Flow]?: Method[] }} */
const FIRST = { client: ["basic", "post", "key"], assertion: ["federated", "basic"], exchange: ["basic", "post", "key"] };

const select = element("select", { id: "auth-method", "aria-describedby": "auth-why" });
const why = element("p", { class: "hint", id: "auth-why" });
const keyShown = element("div", { id: "key-shown" });
const pasted = element("textarea", { id: "key-pasted", class: "code secret", rows: 3, spellcheck: "false", autocomplete: "off" });
const token = element("textarea", { id: "client-token", class: "code secret", rows: 3, spellcheck: "false", autocomplete: "off", "aria-describedby": "client-token-hint" });
const panels = {
  key: element("div", { id: "key-panel", class: "panel" }),
  token: element("div", { id: "token-panel", class: "panel" }),
  certificate: element("div", { id: "certificate-panel", class: "panel" }),
};

/** @type {SigningKey | null} */
let key = null;
/** The demo's platform, which makes tokens for its workloads. @type {{ key: SigningKey, said: Members } | null} */
let platform = null;
/** Whether somebody chose a method, so that another flow does not change it. */
let isChosen = false;
/** Whether the request is signed, which takes a key whatever proves the client. */
let signs = false;
/** @type {Set<() => void>} */
const listeners = new Set();

/** What the client proves itself by, as the form stands. @returns {Proof} */
export function proof() {
  const typed = token.value.trim();
  const made = platform;
  const ofOther = made && typed === "" ? () => ofPlatform(made.key, made.said, Date.now() / 1000) : async () => typed;
  return { method: method(), secret: fields.secret.value, key, token: ofOther };
}

/** @returns {Method} */
export function method() {
  return /** @type {Method} */ (select.value || "public");
}

/** Whoever shows a request hears when what proves the client changes. @param {() => void} listener @returns {() => void} which ends that */
export function whenProofChanges(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Builds the form, when the metadata is there. @param {() => void} changed called when somebody chose another method */
export function offerMethods(changed) {
  const methods = methodsOf(metadata());
  select.append(...methods.map((method) => element("option", { value: method }, say(language, `auth-${method}`))));
  select.addEventListener("change", () => {
    isChosen = true;
    changed();
  });
  const tell = () => listeners.forEach((listener) => listener());
  fields.secret.addEventListener("input", tell);
  token.addEventListener("input", tell);
  panels.key.append(
    element("div", { class: "actions" }, button(t("key-make"), () => generated(algorithmAmong(metadata().token_endpoint_auth_signing_alg_values_supported)).then(use), "secondary small make-key")),
    element("details", { id: "key-other" }, element("summary", {}, t("key-other")), labelled("key-paste", pasted),
      element("div", { class: "actions" }, button(t("key-use"), () => imported(pasted.value).then(use, refuse), "secondary small use-key"))),
    keyShown,
  );
  panels.token.append(labelled("client-token", token), element("p", { class: "hint", id: "client-token-hint" }, t("client-token-hint")));
  byId("client-proof", HTMLElement).append(labelled("auth-method", select), why, panels.key, panels.token, panels.certificate);
}

/** The method that a flow begins with, where nobody chose another that is fit for it. @param {Flow} flow @param {boolean} isSigned */
export function fitMethod(flow, isSigned) {
  signs = isSigned;
  const offered = [...select.options].map(({ value }) => /** @type {Method} */ (value));
  const wanted = isSigned && page.dataset.demoClients !== undefined ? /** @type {Method[]} */ (["key"]) : FIRST[flow] ?? [];
  const isFit = isChosen && !(method() === "public" && flow in FIRST);
  if (!isFit) select.value = wanted.find((one) => offered.includes(one)) ?? offered[0] ?? "";
}

/** Takes a method as it was chosen before. @param {string | undefined} chosen */
export function chooseMethod(chosen) {
  if (![...select.options].some(({ value }) => value === chosen)) return;
  select.value = chosen ?? "";
  isChosen = true;
}

/** The demo's client for a flow and the chosen method, and what it proves itself by. @param {Flow} flow @returns {DemoClient | undefined} */
export function demoClient(flow) {
  const fits = demoClients().filter((client) => methodOf(client) === method() && client.grant_types.includes(FLOWS[flow].grant));
  const machine = flow === "client" ? fits.find(({ client_id: id }) => id === page.dataset.demoMachine) : undefined;
  return machine ?? fits[0];
}

/** Fills in what the demo's server tells of a client, if it is one of the demo's. @param {string} clientId */
export async function proveAsDemo(clientId) {
  const client = demoClients().find(({ client_id: id }) => id === clientId);
  fields.secret.value = client?.client_secret ?? "";
  const jwk = client?.private_jwk;
  const known = jwk && globalThis.crypto?.subtle ? await imported(JSON.stringify(jwk)) : null;
  platform = known && client?.claims ? { key: known, said: client.claims } : null;
  if (known && !client?.claims) use(known);
  else if (client) use(null);
}

/** The key of this tab, or one that was kept while the browser was away. @param {SigningKey | null} other */
export function use(other) {
  key = other;
  pasted.value = "";
  keyShown.replaceChildren(...(key === null ? [] : [
    element("p", { class: "hint" }, t("key-register")),
    element("pre", { class: "code block" }, JSON.stringify({ keys: [key.jwk] }, null, 2)),
  ]));
  listeners.forEach((listener) => listener());
}

/** Shows what the chosen method needs. */
export function showMethod() {
  const chosen = method();
  why.replaceChildren(say(language, `auth-${chosen}-why`));
  const secret = ["basic", "post", "mac"].includes(chosen);
  const field = fields.secret.closest(".field");
  if (field instanceof HTMLElement) field.hidden = !secret;
  byId("client-secret-hint", HTMLElement).hidden = !secret;
  panels.key.hidden = chosen !== "key" && !signs;
  panels.token.hidden = chosen !== "federated";
  panels.certificate.hidden = isOfPage(chosen);
  token.placeholder = platform ? t("client-token-demo") : "";
  if (!isOfPage(chosen)) panels.certificate.replaceChildren(element("p", {}, t("certificate-lead")), element("pre", { class: "code block" }, curl()));
}

/** What was begun keeps its method. */
export function lockMethod() {
  select.disabled = true;
}

/** RFC 8705 5: where a server has endpoints for certificates. */
function curl() {
  const aliases = /** @type {{ [name: string]: unknown }} */ (metadata().mtls_endpoint_aliases ?? {});
  const url = String(aliases.token_endpoint ?? endpoint("token_endpoint"));
  return `curl --cert client.pem --key client.key \\\n  -d client_id=${fields.clientId.value || "CLIENT"} \\\n  -d grant_type=client_credentials \\\n  ${url}`;
}

function refuse() {
  keyShown.replaceChildren(element("p", { class: "notice alert", role: "alert" }, t("key-refused")));
}

/** @returns {DemoClient[]} */
function demoClients() {
  return JSON.parse(page.dataset.demoClients ?? "[]");
}

/** @param {DemoClient} client @returns {Method | undefined} */
function methodOf(client) {
  if (client.claims) return "federated";
  return METHODS.find(([registered]) => registered === client.token_endpoint_auth_method)?.[1];
}

/** @param {string} name @param {HTMLElement} control */
function labelled(name, control) {
  return element("div", { class: "field" }, element("label", { for: control.id }, say(language, name)), control);
}
