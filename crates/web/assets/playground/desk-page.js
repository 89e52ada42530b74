// "Keep it on the desk": beside the tokens of an answer, where there is a token desk. Nothing is sent before the button is pressed.

import { t, trouble } from "./cards.js";
import { proof } from "./client-form.js";
import { formOf, isBound, isKept } from "./desk.js";
import { button, element } from "./dom.js";
import { endRenewal } from "./renewal.js";
import { base, page } from "./site.js";

/** @import { Run } from "./flow.js" */
/** @import { Members } from "./token.js" */

/** @param {Run} run @param {Members} members of the answer with the tokens */
export function putOnDesk(run, members) {
  if (page.dataset.desk === undefined) return null;
  if (isBound(members)) return element("p", { class: "hint on-desk" }, t("desk-bound"));
  const came = element("div", { class: "came", role: "status" });
  const keep = button(t("desk-keep"), async () => {
    keep.disabled = true;
    const [kept, ...said] = await sent(run, members).catch(() => [false, trouble("trouble-network")]);
    came.replaceChildren(.../** @type {Node[]} */ (said));
    keep.disabled = kept === true;
    if (kept) endRenewal();
  }, "secondary small");
  const hint = element("p", { class: "hint" }, t("desk-keep-why"));
  return element("div", { class: "on-desk" }, element("div", { class: "actions" }, keep), hint, came);
}

/** Asks who is signed in, and puts the tokens on that desk. @param {Run} run @param {Members} members @returns {Promise<[kept: boolean, ...said: Node[]]>} */
async function sent(run, members) {
  const asked = await fetch(`${base}/desk/state`, { credentials: "same-origin", cache: "no-store" });
  if (!asked.ok) return [false, trouble("trouble-status")];
  const { user, csrf } = await asked.json();
  if (user === null) return [false, notice("alert", t("desk-nobody"), link(`${base}/signin`, t("desk-sign-in")))];
  const { method, secret } = proof();
  const body = formOf(run, members, { csrf, method, secret });
  const answer = await fetch(`${base}/desk/act`, { method: "POST", body, credentials: "same-origin" });
  const open = link(answer.url, t("desk-open"));
  if (!answer.ok || !isKept(answer.url)) return [false, notice("alert", t("desk-refused"), open)];
  const renews = typeof members.refresh_token === "string";
  return [true, notice("done", t("desk-kept", { user }), open), ...(renews ? [element("p", { class: "hint" }, t("desk-renews"))] : [])];
}

/** @param {"done" | "alert"} kind @param {string} said @param {HTMLElement} way */
function notice(kind, said, way) {
  return element("div", { class: `notice ${kind}` }, element("p", {}, said, " ", way));
}

/** In a new tab, for the tokens are in this one. @param {string} href @param {string} said */
function link(href, said) {
  return element("a", { href, target: "_blank", rel: "noopener" }, said);
}
