// The operations of an API, to be picked in the card that calls it.

import { language, t } from "./cards.js";
import { element } from "./dom.js";
import { declared, described } from "./operations.js";
import { base } from "./site.js";
import { facts, read } from "./token.js";

/** @import { Operation } from "./operations.js" */

/** What was found for an audience; it does not change while the page is open. @type {Map<string, Promise<Operation[]>>} */
const known = new Map();

/**
 * Offers what the API of a token does, when somebody says it. What is picked fills in method, URL and body.
 * @param {HTMLElement} form
 * @param {string} token
 */
export async function offerOperations(form, token) {
  const method = form.querySelector("#api-method");
  const address = form.querySelector("#api-url");
  const body = form.querySelector("#api-body");
  if (!(method instanceof HTMLSelectElement && address instanceof HTMLInputElement && body instanceof HTMLTextAreaElement)) return;
  const seen = read(token);
  const { audience, scopes } = facts(seen);
  // A token that says nothing for whom it is, is for the API that is to be called.
  const asked = audience.length > 0 ? audience : [address.value];
  const operations = (await Promise.all(asked.map(operationsOf))).flat();
  if (operations.length === 0) return;
  const select = element("select", { id: "api-operation" }, element("option", { value: "" }, t("operation-own")));
  operations.forEach((operation, at) => {
    const name = `${operation.method} ${pathOf(operation.url)}${operation.summary === "" ? "" : `: ${operation.summary}`}`;
    select.append(element("option", { value: at }, name));
  });
  const hint = element("p", { class: "hint", id: "api-operation-hint", role: "status" });
  select.setAttribute("aria-describedby", hint.id);
  select.addEventListener("change", () => {
    const operation = select.value === "" ? null : operations[Number(select.value)];
    hint.replaceChildren();
    if (!operation) return;
    method.value = operation.method;
    address.value = operation.url;
    body.value = operation.body;
    method.dispatchEvent(new Event("change"));
    const missing = operation.scopes.filter((scope) => audience.length > 0 && !scopes.includes(scope));
    const said = [
      operation.url.includes("{") ? t("operation-braces") : "",
      operation.scopes.length > 0 ? t(missing.length > 0 ? "operation-missing" : "operation-scope", { scopes: operation.scopes.join(" ") }) : "",
    ];
    hint.replaceChildren(said.filter((one) => one !== "").join(" "));
  });
  const field = element("div", { class: "field operations" }, element("label", { for: select.id }, t("operation")), select, hint);
  form.querySelector(".call")?.before(field);
}

/** @param {string} audience */
function operationsOf(audience) {
  const found = known.get(audience) ?? look(audience).catch(() => []);
  known.set(audience, found);
  return found;
}

/** The list in the API's declaration, and the document that it names, where this page may read it. @param {string} audience */
async function look(audience) {
  const said = await json(`${base}/playground/operations?${new URLSearchParams({ resource: audience })}`);
  const listed = declared(said, language);
  const { openapi } = /** @type {{ openapi?: unknown }} */ (said ?? {});
  if (typeof openapi !== "string" || new URL(openapi).origin !== location.origin) return listed;
  return [...listed, ...described(await json(openapi), openapi)];
}

/** @param {string} url @returns {Promise<unknown>} */
async function json(url) {
  const answer = await fetch(url, { credentials: "omit", redirect: "error" });
  return answer.ok ? answer.json() : null;
}

/** @param {string} url */
function pathOf(url) {
  return url.replace(/^https?:\/\/[^/?]*/i, "") || "/";
}
