// The ID token, checked line by line (OpenID Connect Core 3.1.3.7).

import { checked, done, language, t, trouble } from "./cards.js";
import { element, source } from "./dom.js";
import { lines } from "./identity.js";
import { issuerKeys } from "./site.js";
import { read } from "./token.js";
import { hopeless, verify } from "./verify.js";
import { say } from "./words.js";

/** @import { Course } from "./course.js" */

/** What whoever learns may decide: the three that everybody forgets once. */
const DECIDED = ["iss", "aud", "nonce"];

/**
 * @param {Course} course
 * @param {string} idToken
 * @param {{ accessToken: string, code: string }} beside what came with it
 * @param {() => void} good
 */
export async function identity(course, idToken, beside, good) {
  const { run } = course;
  const card = course.open("identity");
  const token = read(idToken);
  // Where no browser carried the request there was no nonce in it (RFC 8628 3.1).
  const nonce = run.flow === "code" ? run.nonce : "";
  const expected = { issuer: run.issuer, clientId: run.clientId, nonce, ...beside, maxAge: run.maxAge ?? "", acr: run.acr ?? "", now: Date.now() / 1000 };
  const all = await lines(token, expected);
  const wanted = { iss: run.issuer, aud: run.clientId, nonce };
  const decided = all.filter(({ name }) => DECIDED.includes(name) && (name !== "nonce" || nonce !== ""));
  const rest = all.filter((line) => !decided.includes(line));
  const checks = decided.map(({ name, holds, came }) => {
    const value = wanted[/** @type {keyof typeof wanted} */ (name)];
    return { name: `check-id-${name}`, expected: value, came: holds ? value : came };
  });
  const list = element("ul", { class: "lines" }, ...rest.map(({ name, section, holds, came }) => line(name, section, holds, came)));
  const signature = element("li", { class: "hint" }, t("line-signature-waits"));
  list.append(signature);
  card.append(checked(checks, run.checks, async (same) => {
    const verdict = hopeless(token, (issuer) => issuer === run.issuer) ?? await verify(token, await issuerKeys().catch(() => []));
    const said = verdict.good ? t("verified", { key: verdict.key, issuer: run.issuer }) : say(language, verdict.why, { detail: verdict.detail });
    signature.replaceWith(line("signature", "RFC 7515 5.2", verdict.good, said));
    if (!same) return;
    if (!verdict.good || rest.some(({ holds }) => !holds)) return card.append(trouble("identity-refused"));
    done(card);
    good();
  }), element("h3", {}, t("lines")), list);
}

/** @param {string} name @param {string} section @param {boolean} holds @param {string} came */
function line(name, section, holds, came) {
  return element("li", { class: "line-of", id: `line-${name}`, "data-verdict": holds ? "good" : "bad" },
    element("b", { class: holds ? "good" : "bad" }, holds ? t("line-good") : t("line-bad")), " ",
    say(language, `line-${name}`), " ", source(section), element("p", { class: "hint code" }, came));
}
