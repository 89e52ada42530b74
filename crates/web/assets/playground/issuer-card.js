// The inspector's card that asks the issuer what a token is worth, or to take it back. Nothing is sent before a button is pressed.

import { ask, discovered, why } from "./ask.js";
import { answered, t, trouble } from "./cards.js";
import { button, element } from "./dom.js";
import { factsOf, introspected, question, revoked } from "./introspection.js";

/** @import { Answer } from "./cards.js" */
/** @import { Facts, Token } from "./token.js" */

/**
 * The card is made once, so that what was typed into it stays when another token is pasted.
 * @param {(facts: Facts, claims: { [name: string]: unknown }) => Node[]} explained what an answer's members mean
 * @returns {{ card: HTMLElement, about: (token: Token, issuer: string) => void }}
 */
export function issuerCard(explained) {
  const id = (/** @type {string} */ name) => `ask-${name}`;
  const made = (/** @type {string} */ name, /** @type {{ [attribute: string]: string }} */ attributes) =>
    element("input", { id: id(name), type: "text", class: "code", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 2000, ...attributes });
  const labelled = (/** @type {string} */ name, /** @type {HTMLElement} */ input) =>
    element("div", { class: "field" }, element("label", { for: id(name) }, t(`ask-${name}`)), input);
  const issuer = made("issuer", { type: "url" });
  const client = made("client", {});
  const secret = made("secret", { class: "secret", "aria-describedby": "ask-secret-hint" });
  const came = element("div", { class: "came" });
  let text = "";

  /**
   * @param {"introspection_endpoint" | "revocation_endpoint"} endpoint
   * @param {string} without what there is to say where the issuer has none
   * @param {(answer: Answer) => (Node | string)[]} say
   */
  const press = async (endpoint, without, say) => {
    if (client.value.trim() === "") return came.replaceChildren(trouble("trouble-client"));
    const asked = text;
    try {
      const metadata = await discovered(issuer.value.trim());
      if (typeof metadata[endpoint] !== "string") return came.replaceChildren(trouble(without));
      const answer = await ask(metadata[endpoint], question(asked, { clientId: client.value.trim(), secret: secret.value }));
      if (asked !== text) return;
      if (typeof answer === "string") return came.replaceChildren(trouble(answer));
      came.replaceChildren(...say(answer), answered(answer));
    } catch (error) {
      came.replaceChildren(trouble(why(error)));
    }
  };
  const verdict = (/** @type {string} */ name, /** @type {boolean} */ good) =>
    element("p", { class: `notice verdict ${good ? "done" : "alert"}`, "data-verdict": name, role: "status" }, t(name));
  const introspect = button(t("ask-introspect"), () => press("introspection_endpoint", "ask-no-introspection", ({ status, members }) => {
    const name = introspected(status, members);
    const active = name === "introspected-active";
    return [verdict(name, active), ...(active ? explained(factsOf(members), members) : [])];
  }));
  introspect.id = "introspect";
  const revoke = button(t("ask-revoke"), () => press("revocation_endpoint", "ask-no-revocation", ({ status }) => {
    const name = revoked(status);
    return [verdict(name, name === "revoked-done")];
  }), "secondary");
  revoke.id = "revoke";
  const heading = element("h2", { id: "ask-heading" }, t("part-issuer"));
  const card = element("section", { class: "card step", "aria-labelledby": heading.id }, heading, element("p", { class: "hint" }, t("ask-lead")),
    labelled("issuer", issuer), element("div", { class: "pair" }, labelled("client", client), labelled("secret", secret)),
    element("p", { class: "hint", id: "ask-secret-hint" }, t("ask-secret-hint")), element("div", { class: "actions" }, introspect, revoke), came);

  const about = (/** @type {Token} */ token, /** @type {string} */ whose) => {
    if (token.text !== text) came.replaceChildren();
    if (token.text !== text || issuer.value === "") issuer.value = whose;
    text = token.text;
  };
  return { card, about };
}
