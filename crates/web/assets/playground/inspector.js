// The token inspector: decodes what is pasted, and asks for keys only when told to.

import { discovered, documentAt, reaches } from "./ask.js";
import { CLAIMS, HEADER, MOMENTS, PRIVATE } from "./claims.js";
import { button, byId, element, moment, pretty, source } from "./dom.js";
import { ANSWERED, isAskable } from "./introspection.js";
import { issuerCard } from "./issuer-card.js";
import { SERVER, TOKEN, take } from "./session.js";
import { timeBar } from "./time.js";
import { advice, facts, read, standing } from "./token.js";
import { carriesItsKey, hopeless, verify } from "./verify.js";
import { say } from "./words.js";

/** @import { Meaning } from "./claims.js" */
/** @import { Facts, Token } from "./token.js" */
/** @import { Verdict } from "./verify.js" */

const language = document.documentElement.lang === "de" ? "de" : "en";
const input = byId("token", HTMLTextAreaElement);
const report = byId("report", HTMLElement);
const issuer = report.dataset.issuer ?? "";

const t = (/** @type {string} */ name, /** @type {{ [name: string]: string | number }} */ values = {}) =>
  say(language, name, values);

const asking = issuerCard((known, claims) => [factList(known, claims), memberList(claims, ANSWERED)]);

/** Seconds since the epoch. */
const now = () => Date.now() / 1000;

input.addEventListener("input", show);
byId("clear", HTMLButtonElement).addEventListener("click", () => {
  input.value = "";
  show();
  input.focus();
});
const handed = take(TOKEN);
input.value = handed ?? input.value;
show();

function show() {
  const pasted = input.value.trim();
  if (pasted === "") return report.replaceChildren();
  const token = read(pasted);
  const cards = [summary(token)];
  if (token.claims || token.kind === "jwe") cards.push(signature(token));
  if (token.claims) cards.push(members("claims", token.claims, CLAIMS));
  if (token.header) cards.push(members("header", token.header, HEADER));
  asking.about(token, facts(token).issuer ?? (pasted === handed ? walked() : issuer));
  if (isAskable(token)) cards.push(asking.card);
  report.replaceChildren(...cards);
}

/** The issuer that the playground walked through, when it handed the token over. @returns {string} */
function walked() {
  return JSON.parse(sessionStorage.getItem(SERVER) ?? "null")?.issuer ?? issuer;
}

/** What it is, for whom, and for how long. @param {Token} token */
function summary(token) {
  const kind = token.handle === null ? `kind-${token.kind}` : `kind-handle-${token.handle}`;
  const known = facts(token);
  const heading = element("h2", { id: "kind" }, t(kind));
  const use = element("p", { id: "use" }, t(advice(token, now())));
  const card = element("section", { class: "card step", "aria-labelledby": "kind" }, element("div", { role: "status" }, heading, use));
  if (!token.typed) card.append(element("p", { class: "hint" }, t("kind-looks-like")));
  if (!token.claims) return card;
  card.append(timeBar(language, known, () => use.replaceChildren(t(advice(token, now())))));
  const list = factList(known, token.claims, token.kind === "access");
  if (known.issued !== null) list.append(factOf("fact-issued", moment(known.issued, language)));
  if (known.expires !== null) list.append(factOf("fact-expires", moment(known.expires, language)));
  card.append(list);
  return card;
}

/** @param {string} name @param {(Node | string)[]} value */
function factOf(name, ...value) {
  return element("div", {}, element("dt", {}, t(name)), element("dd", {}, ...value));
}

/** For whom it is, whom it identifies, and what it allows. @param {Facts} known @param {{ [name: string]: unknown }} claims @param {boolean} [bearer] whether to say, too, that nothing binds it */
function factList(known, claims, bearer = false) {
  const list = element("dl", { class: "facts columns" });
  const fact = (/** @type {string} */ name, /** @type {(Node | string)[]} */ ...value) =>
    list.append(factOf(name, ...value));
  const code = (/** @type {string} */ text) => element("span", { class: "code" }, text);
  if (known.issuer !== null) fact("fact-issuer", code(known.issuer));
  if (known.application !== null) fact("fact-application", code(known.application));
  if (known.subject !== null && known.identifies !== "nobody") {
    const name = [claims.name, claims.username, claims.email].find((value) => typeof value === "string");
    const whom = known.identifies === "user" ? "fact-user" : "fact-application-itself";
    fact(whom, code(known.subject), name === undefined ? "" : ` (${name})`);
  }
  if (known.organisation !== null) fact("fact-organisation", code(known.organisation));
  if (known.audience.length > 0) fact("fact-audience", code(known.audience.join(" ")));
  if (known.scopes.length > 0) fact("fact-scopes", chips(known.scopes));
  if (bearer || known.binding !== "none") {
    fact("fact-binding", t(`binding-${known.binding}`, { key: known.key ?? "" }));
  }
  if (known.status) fact("fact-status", t("status-at", known.status));
  return list;
}

/** Whether it is genuine. @param {Token} token */
function signature(token) {
  const said = element("p", { id: "verdict", role: "status", class: "verdict" });
  const card = element("section", { class: "card step", "aria-labelledby": "signature" }, element("h2", { id: "signature" }, t("part-signature")), said);
  const without = hopeless(token, reaches);
  if (without) {
    tell(said, token, without);
    return card;
  }
  said.append(t("verify-lead"));
  const press = button(t("verify"), async () => {
    press.disabled = true;
    const verdict = await verdictOn(token);
    press.disabled = false;
    tell(said, token, verdict);
  });
  press.id = "verify";
  card.append(element("div", { class: "actions" }, press));
  return card;
}

/** @param {HTMLElement} said @param {Token} token @param {Verdict} verdict */
function tell(said, token, verdict) {
  const lines = [];
  if (!verdict.good) lines.push(t(verdict.why, { detail: verdict.detail }));
  else if (carriesItsKey(token)) lines.push(t("verified-own"));
  else lines.push(t("verified", { key: verdict.key, issuer: facts(token).issuer ?? "" }));
  if (verdict.good && standing(facts(token), now()) === "expired") lines.push(t("verified-expired"));
  said.replaceChildren(lines.join(" "));
  said.classList.add("notice");
  said.classList.toggle("done", verdict.good);
  said.classList.toggle("alert", !verdict.good);
  said.dataset.verdict = verdict.good ? "good" : verdict.why;
}

/** Asks for the issuer's keys (RFC 8414 2, `jwks_uri`), without the cookie. @param {Token} token @returns {Promise<Verdict>} */
async function verdictOn(token) {
  if (carriesItsKey(token)) return verify(token, []);
  try {
    const metadata = await discovered(facts(token).issuer ?? "");
    const set = await documentAt(String(metadata.jwks_uri));
    return await verify(token, Array.isArray(set.keys) ? set.keys : []);
  } catch {
    return { good: false, why: "unverified-unreachable", detail: "" };
  }
}

/**
 * Each member with its value and its meaning.
 * @param {"claims" | "header"} part
 * @param {{ [name: string]: unknown }} values
 * @param {{ [name: string]: Meaning }} meanings
 */
function members(part, values, meanings) {
  const raw = element("details", {}, element("summary", {}, t("part-json")), element("pre", { class: "code block" }, JSON.stringify(values, null, 2)));
  const id = `${part}-heading`;
  return element("section", { class: "card step", "aria-labelledby": id }, element("h2", { id }, t(`part-${part}`)), memberList(values, meanings), raw);
}

/** @param {{ [name: string]: unknown }} values @param {{ [name: string]: Meaning }} meanings */
function memberList(values, meanings) {
  const list = element("dl", { class: "members" });
  for (const [name, value] of Object.entries(values)) {
    const meaning = Object.hasOwn(meanings, name) ? meanings[name] : PRIVATE;
    const shown = element("pre", { class: "code" }, pretty(value));
    const when = MOMENTS.includes(name) && typeof value === "number" && Math.abs(value) <= 8.64e12
      ? moment(value, language)
      : null;
    const explained = element("p", { class: "hint" }, meaning[language], " ", source(meaning.section));
    list.append(element("div", {}, element("dt", { class: "code" }, name), element("dd", {}, shown, when, explained)));
  }
  return list;
}

/** @param {string[]} texts */
function chips(texts) {
  return element("span", { class: "chips" }, ...texts.map((text) => element("span", { class: "badge code" }, text)));
}
