// What an issuer is asked about a token, and what its answer means. Nothing here asks anybody or touches the page.

import { CLAIMS } from "./claims.js";
import { basic } from "./flow.js";
import { facts, read } from "./token.js";

/** @import { Meaning } from "./claims.js" */
/** @import { Facts, Token } from "./token.js" */

/** What stands in an answer and in no token. @type {{ [member: string]: Meaning }} */
const MEMBERS = {
  active: { section: "RFC 7662 2.2", en: "Whether the token is good at this moment, for whoever asked.", de: "Ob das Token in diesem Augenblick gilt, für den, der gefragt hat." },
  username: { section: "RFC 7662 2.2", en: "What people call the user; the subject is the key.", de: "Wie der Mensch genannt wird; der Schlüssel ist das Subjekt." },
  token_type: { section: "RFC 7662 2.2", en: "How the token is presented.", de: "Wie das Token vorgelegt wird." },
};

/** What the members of an answer mean. @type {{ [member: string]: Meaning }} */
export const ANSWERED = { ...CLAIMS, ...MEMBERS };

/**
 * Introspection (RFC 7662 2.1) or revocation (RFC 7009 2.1) of a token, by whoever has these credentials. Without a secret only
 * the name is said, as public clients do.
 * @param {string} token
 * @param {{ clientId: string, secret: string }} credentials
 * @returns {RequestInit}
 */
export function question(token, { clientId, secret }) {
  const form = new URLSearchParams({ token });
  const headers = new Headers({ Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" });
  if (secret === "") form.set("client_id", clientId);
  else headers.set("Authorization", basic(clientId, secret));
  return { method: "POST", headers, body: form.toString() };
}

/**
 * What an answer to introspection says, as the name of one sentence.
 * @param {number} status
 * @param {{ [name: string]: unknown }} members
 */
export function introspected(status, members) {
  if (status === 401) return "introspected-unauthorized";
  if (status === 403) return "introspected-forbidden";
  if (status !== 200) return "introspected-refused";
  if (members.active === true) return "introspected-active";
  return members.active === false ? "introspected-inactive" : "introspected-malformed";
}

/**
 * The same for revocation. 200 is the answer for a token that nobody knows, too (RFC 7009 2.2).
 * @param {number} status
 */
export function revoked(status) {
  if (status === 200) return "revoked-done";
  if (status === 401) return "revoked-unauthorized";
  return status === 503 ? "revoked-later" : "revoked-refused";
}

/**
 * What matters of an answer. The issuer speaks of the token, and so its members mean what they mean in a token (RFC 7662 2.2).
 * @param {{ [name: string]: unknown }} members
 * @returns {Facts}
 */
export function factsOf(members) {
  return facts({ ...read(""), kind: "access", claims: members });
}

/** Whether an issuer has anything to say about it: proofs and assertions are made by clients, and ID tokens stand for themselves. @param {Token} token */
export function isAskable(token) {
  if (token.kind === "handle") return token.handle === "access" || token.handle === "refresh";
  if (token.kind === "unknown") return token.problem !== "long" && /^[\x21-\x7e]+$/.test(token.text);
  return ["access", "jwt", "jwe"].includes(token.kind);
}
