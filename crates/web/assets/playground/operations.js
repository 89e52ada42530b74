// What an API does: from the list in its declaration, or from its OpenAPI document. Nothing here touches the page.

import { METHODS } from "./flow.js";

/** @import { Request } from "./flow.js" */

/**
 * @typedef {object} Operation
 * @property {Request["method"]} method
 * @property {string} url parts in braces are to be filled in
 * @property {string} summary
 * @property {string[]} scopes what the token must have
 * @property {string} body an example
 */

/** So many are offered. */
const MOST = 200;

/**
 * The operations that a declaration lists, behind its audience.
 * @param {unknown} said
 * @param {string} language
 * @returns {Operation[]}
 */
export function declared(said, language) {
  const { audience, operations } = members(said);
  if (typeof audience !== "string") return [];
  return items(operations).map(members).flatMap(({ method, path, summary, scope, body }) => {
    const known = methodOf(method);
    if (known === null) return [];
    // One text for everybody, or a text for each language.
    const texts = typeof summary === "string" ? { en: summary } : members(summary);
    // `https://api.example/` and `/notes` have one slash between them.
    const behind = text(path);
    const before = behind.startsWith("/") ? audience.replace(/\/$/, "") : audience;
    return [{ method: known, url: `${before}${behind}`, summary: text(texts[language] ?? texts.en ?? Object.values(texts)[0]), scopes: words(scope), body: text(body) }];
  }).slice(0, MOST);
}

/**
 * The operations of an OpenAPI 3 document (OpenAPI 3.1.1 4.8.1).
 * @param {unknown} document
 * @param {string} at where it was found: what its URLs are relative to
 * @returns {Operation[]}
 */
export function described(document, at) {
  const { openapi, servers, paths, security } = members(document);
  if (!/^3\./.test(text(openapi))) return [];
  // 4.8.5.1: absolute, or relative to where the document is; without one it is "/".
  const server = urlOf(text(members(items(servers)[0]).url) || "/", at);
  if (server === null) return [];
  /** @type {Operation[]} */
  const found = [];
  for (const [path, item] of Object.entries(members(paths))) {
    if (!path.startsWith("/")) continue;
    for (const [name, one] of Object.entries(members(item))) {
      const method = methodOf(name.toUpperCase());
      if (method === null || name !== name.toLowerCase()) continue;
      const operation = members(one);
      const queries = [...items(members(item).parameters), ...items(operation.parameters)].map(members).filter((parameter) => parameter.in === "query" && parameter.required === true);
      const query = queries.map((parameter) => `${encodeURIComponent(text(parameter.name))}={${text(parameter.name)}}`).join("&");
      // 4.8.30: each of the list is enough, so the first is what is asked for.
      const [first] = items(operation.security ?? security);
      const scopes = Object.values(members(first)).flatMap(items).filter((scope) => typeof scope === "string");
      found.push({
        method,
        url: `${server.replace(/\/$/, "")}${path}${query === "" ? "" : `?${query}`}`,
        summary: text(operation.summary) || text(operation.operationId),
        scopes: [...new Set(scopes)],
        body: example(operation.requestBody),
      });
    }
  }
  return found.slice(0, MOST);
}

/** What can be sent as it is: the example of the first media type (4.8.14). @param {unknown} requestBody */
function example(requestBody) {
  const [content] = Object.values(members(members(requestBody).content)).map(members);
  if (!content) return "";
  const [named] = Object.values(members(content.examples)).map(members);
  const found = content.example ?? named?.value ?? members(content.schema).example ?? items(members(content.schema).examples)[0];
  return found === undefined ? "" : typeof found === "string" ? found : JSON.stringify(found, null, 2);
}

/** @param {unknown} value @returns {Request["method"] | null} */
function methodOf(value) {
  return METHODS.find((method) => method === value) ?? null;
}

/** @param {string} url @param {string} base */
function urlOf(url, base) {
  try {
    const { protocol } = new URL(url, base);
    // As it stands: its braces are for a person to fill in, and would be encoded.
    if (protocol !== "https:" && protocol !== "http:") return null;
    return /^https?:/i.test(url) ? url : decodeURI(new URL(url, base).href);
  } catch {
    return null;
  }
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : "";
}

/** @param {unknown} value */
function words(value) {
  return text(value).split(" ").filter((one) => one !== "");
}

/** @param {unknown} value @returns {unknown[]} */
function items(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {unknown} value @returns {{ [name: string]: unknown }} */
function members(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? /** @type {{ [name: string]: unknown }} */ (value) : {};
}
