// The call of an API: where the token stands in it, and what proves whose it is.

import { callable, done, t } from "./cards.js";
import { button, element } from "./dom.js";
import { apiCall } from "./flow.js";
import { merged } from "./merged.js";
import { explained } from "./explained.js";
import { offerOperations } from "./operations-page.js";
import { endpoint, page } from "./site.js";

/** @import { Course } from "./course.js" */
/** @import { Request } from "./flow.js" */

/** @typedef {"bearer" | "dpop" | "other" | "query"} Carried */

/** @type {Carried[]} */
const WAYS = ["bearer", "dpop", "other", "query"];

/**
 * @param {Course} course
 * @param {string} token
 * @param {string} type its token_type (RFC 6749 7.1)
 * @param {boolean} lead whether the call is what comes next
 */
export async function call(course, token, type, lead) {
  const card = course.open("api", lead);
  const way = element("select", { id: "api-carried", "aria-describedby": "api-carried-why" });
  way.append(...WAYS.filter((one) => one !== "dpop" || course.prover !== null).map((one) => element("option", { value: one }, t(`carried-${one}`))));
  way.value = /^dpop$/i.test(type) && course.prover !== null ? "dpop" : "bearer";
  const why = element("p", { class: "hint", id: "api-carried-why" });
  const place = element("div", { class: "asked" });
  const tokens = element("div", {});
  const carried = () => /** @type {Carried} */ (way.value);
  const made = async (/** @type {Request} */ request) =>
    carried() === "dpop" && course.prover !== null ? course.prover.proved(request, token, Date.now() / 1000) : request;
  let draft = await made(apiCall(page.dataset.demoApi ?? endpoint("userinfo_endpoint"), token, carried()));
  let form = callable(draft);
  const explain = (/** @type {Request} */ request) => {
    const shown = explained(request, tokens.querySelector(".made[open]") !== null);
    tokens.replaceChildren(shown);
    why.replaceChildren(t(`carried-${carried()}-why`));
  };
  place.append(form.shown);
  explain(draft);
  way.addEventListener("change", async () => {
    const { request } = form.read();
    draft = await made({ ...apiCall(request.url, token, carried()) });
    form = callable(draft);
    place.replaceChildren(form.shown);
    offerOperations(form.shown, token);
    explain(draft);
  });
  const came = element("div", { class: "came" });
  const go = button(t("send-api"), async () => {
    const { body } = form.read();
    const fresh = async () => {
      const { request } = form.read();
      const ours = draft.parameters.filter(({ name }) => name !== "DPoP");
      const remade = await made({ ...request, parameters: ours });
      return merged(draft, request, remade);
    };
    const answer = await course.sent("api", fresh, explain, came, body);
    if (answer !== null && answer.status < 400) done(card);
  });
  course.call = () => {
    card.scrollIntoView({ block: "start", behavior: "auto" });
    go.click();
  };
  const field = element("div", { class: "field" }, element("label", { for: way.id }, t("carried")), way, why);
  card.append(field, place, tokens, element("div", { class: "actions" }, go), came);
  offerOperations(form.shown, token);
}
