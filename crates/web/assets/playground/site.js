// The page that the server sent: whose it is, its form, and the metadata of the issuer.

import { documentAt } from "./ask.js";
import { t } from "./cards.js";
import { byId, element } from "./dom.js";

export const page = byId("playground", HTMLElement);
/** The issuer that the page walks through: that of this server, until another one is adopted. */
export let issuer = page.dataset.issuer ?? "";
export const base = page.dataset.base ?? "";
export const fields = {
  clientId: byId("client-id", HTMLInputElement),
  secret: byId("client-secret", HTMLInputElement),
  refreshToken: byId("refresh-token", HTMLInputElement),
  scope: byId("scope", HTMLInputElement),
};

const troubles = byId("trouble", HTMLElement);

/** @type {{ [name: string]: unknown }} */
let known = {};

/** The metadata of the issuer (RFC 8414 2). Empty before it came. */
export function metadata() {
  return known;
}

/** Walks through an issuer from now on. @param {string} whose @param {{ [name: string]: unknown }} metadata its own (RFC 8414 2) */
export function adopt(whose, metadata) {
  issuer = whose;
  known = metadata;
}

/** An endpoint of the issuer (RFC 8414 2). @param {string} name */
export function endpoint(name) {
  return String(known[name] ?? "");
}

/** The issuer's keys (RFC 7517 5). It fails when they cannot be had. @returns {Promise<JsonWebKey[]>} */
export async function issuerKeys() {
  const { keys } = await documentAt(endpoint("jwks_uri"));
  return /** @type {JsonWebKey[]} */ (Array.isArray(keys) ? keys : []);
}

/** What cannot be done, at the top of the page; without a name there is nothing to complain about. @param {string} [why] @param {{ [name: string]: string }} [values] */
export function complain(why, values) {
  troubles.replaceChildren(...(why === undefined ? [] : [element("p", { class: "notice alert" }, t(why, values))]));
}
