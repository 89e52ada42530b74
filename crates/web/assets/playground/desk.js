// What goes on the token desk (docs/desk.md), and what became of it. Nothing here asks anybody or touches the page.

/** @import { Method } from "./auth.js" */
/** @import { Run } from "./flow.js" */
/** @import { Members } from "./token.js" */

/** The longest name of anything on the desk, in characters. */
const LONGEST = 100;

/** Whether nobody but this page can use the tokens of an answer: they are bound to its key (RFC 9449 5). @param {Members} members */
export function isBound(members) {
  return /^dpop$/i.test(String(members.token_type ?? ""));
}

/**
 * The form that puts the tokens of an answer on the desk. The secret goes along where a client renews with it.
 * @param {Run} run
 * @param {Members} members of the answer (RFC 6749 5.1)
 * @param {{ csrf: string, method: Method, secret: string }} by
 */
export function formOf(run, members, { csrf, method, secret }) {
  const scope = String(members.scope ?? run.scope);
  const fields = {
    csrf,
    do: "add",
    name: Array.from(`${run.clientId}: ${scope}`).slice(0, LONGEST).join(""),
    ...text(members, ["access_token", "refresh_token", "id_token"]),
    issuer: run.issuer,
    client_id: run.clientId,
    ...((method === "basic" || method === "post") && secret !== "" && { client_secret: secret }),
    scope,
    ...(typeof members.expires_in === "number" && { expires_in: String(members.expires_in) }),
  };
  return new URLSearchParams(fields);
}

/** Whether it is there: the desk leads to a page whose address says so. @param {string} address */
export function isKept(address) {
  return new URL(address).searchParams.get("notice") === "done";
}

/** @param {Members} members @param {string[]} names @returns {{ [name: string]: string }} */
function text(members, names) {
  return Object.fromEntries(names.flatMap((name) => (typeof members[name] === "string" ? [[name, members[name]]] : [])));
}
