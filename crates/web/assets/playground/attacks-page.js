// The attacks on the page: offered when a flow has come to a call that was answered.

import { Stuck, begun, nothing } from "./attacks-victim.js";
import { ATTACKS, ROGUE, revocation, verdict } from "./attacks.js";
import { answered, language, send, t, trouble } from "./cards.js";
import { button, byId, element, source } from "./dom.js";
import { initOf, urlOf } from "./flow.js";
import { learned } from "./lesson-page.js";
import { byAttack } from "./lesson.js";
import { PARAMETERS } from "./parameters.js";
import { endpoint, fields, page } from "./site.js";

/** @import { Attack, Loot, Reply, Target } from "./attacks.js" */
/** @import { World } from "./attacks-victim.js" */
/** @import { Course, Exchange } from "./course.js" */
/** @import { Request } from "./flow.js" */

/** @type {World} */
const WORLD = { send, visit, now: () => Date.now() / 1000 };

/** What is shown of a value that is not known before the attack has begun. */
const UNKNOWN = "…";

/**
 * Offers the attacks that this flow allows, once; on this server alone.
 * @param {Course} course
 * @param {Exchange} exchange
 */
export function offerAttacks(course, { step, answer }) {
  const here = new URL(course.run.issuer).origin === location.origin;
  if (step !== "api" || answer.status >= 400 || !here || document.getElementById("attacks")) return;
  const whole = course.run.flow === "code";
  const attacks = ATTACKS.filter(({ begins }) => whole || begins === "mine").map((attack) => new Card(attack, course));
  const groups = ["code", "token", "refresh"].flatMap((group) => {
    const cards = attacks.filter(({ attack }) => attack.group === group).map(({ shown }) => shown);
    return cards.length > 0 ? [element("h3", {}, t(`attacks-${group}`)), ...cards] : [];
  });
  const all = button(t("attacks-all"), async () => {
    all.disabled = true;
    for (const card of attacks) await card.run();
    all.disabled = false;
  });
  const heading = element("h2", { id: "attacks-heading" }, t("attacks"));
  const lead = element("p", { class: "why" }, t(whole ? "attacks-lead" : "attacks-lead-token"));
  const section = element("section", { class: "card step", id: "attacks", "aria-labelledby": heading.id }, heading, lead,
    element("div", { class: "actions" }, all), ...groups);
  byId("steps", HTMLElement).after(section);
}

/** One attack: who, with what, how; and what came of it. */
class Card {
  /** @param {Attack} attack @param {Course} course */
  constructor(attack, course) {
    this.attack = attack;
    this.course = course;
    this.asked = element("div", {});
    this.came = element("div", { class: "came" });
    this.outcome = element("span", { class: "outcome" });
    this.go = button(t("attack"), () => this.run());
    this.go.setAttribute("aria-label", `${t("attack")}: ${t(`attack-${attack.id}`)}`);
    const title = element("summary", {}, element("span", { class: "title" }, t(`attack-${attack.id}`)), this.outcome);
    this.shown = element("details", { class: "attack", id: `attack-${attack.id}` }, title,
      element("p", {}, t(`attack-${attack.id}-who`)), this.asked, element("p", { class: "hint" }, t(`attack-costs-${attack.costs}`)),
      element("div", { class: "actions" }, this.go), this.came);
    this.ask(nothing(targetOf(course), UNKNOWN));
  }

  /** Shows what the attacker sends. @param {Loot} loot */
  async ask(loot) {
    const request = await this.attack.request(loot);
    this.asked.replaceChildren(element("h4", {}, t(`attack-sends-${this.attack.sends}`)), requested(request, this.attack.changed));
    return request;
  }

  /** Begins from what the victim's flow left behind, attacks, and says what came of it. */
  async run() {
    const { attack } = this;
    this.go.disabled = true;
    delete this.shown.dataset.verdict;
    try {
      const loot = (attack.begins === "mine" && mine(this.course)) || (await begun(attack.begins, targetOf(this.course), WORLD));
      const request = await this.ask(loot);
      const reply = attack.sends === "nobody" ? null : must(await (attack.sends === "browser" ? visit : send)(request));
      const control = attack.control && must(await (attack.sends === "browser" ? visit : send)(await attack.control(loot)));
      const came = verdict(attack.succeeds(reply, loot), control ?? null);
      this.came.replaceChildren(reply ? answered(reply) : response(loot), ...arrived(reply), this.judged(came));
      if (control) this.came.append(element("p", { class: "hint", "data-control": control.status }, t("attack-control", { status: control.status })));
      if (attack.aftermath) await this.tell(attack.aftermath(loot));
      if (attack.begins === "mine") this.help(request, loot);
      this.shown.dataset.verdict = came;
    } catch (why) {
      if (!(why instanceof Stuck)) throw why;
      this.came.replaceChildren(trouble("attack-stuck"), element("p", { class: "code" }, why.message));
      this.judge("stuck");
    } finally {
      this.go.disabled = false;
    }
  }

  /** @param {"succeeded" | "caught" | "unproved" | "stuck"} came */
  judge(came) {
    this.shown.dataset.verdict = came;
    this.outcome.replaceChildren(t(`outcome-${came}`));
    learned(byAttack(this.attack.id, came));
  }

  /** The verdict, with the sections that say so. @param {"succeeded" | "caught" | "unproved"} came */
  judged(came) {
    this.judge(came);
    const { id, sections, begins } = this.attack;
    const lost = begins === "mine" ? t(`attack-${id}-lost`) : t(`attack-${came}`);
    const text = came === "caught" ? t(`attack-${id}-caught`) : lost;
    const sources = sections.flatMap((section) => [" ", source(section)]);
    return element("p", { class: "judgement", role: "status" }, element("b", {}, t(`outcome-${came}`)), " ", text, ...(came === "unproved" ? [] : sources));
  }

  /** What the owner tries when the attack is over. @param {{ name: string, request: Request }[]} trials */
  async tell(trials) {
    const list = element("ul", { class: "aftermath" });
    for (const { name, request } of trials) {
      const { status } = must(await send(request));
      const mark = element("b", { class: status < 400 ? "good" : "bad" }, `HTTP ${status}`);
      list.append(element("li", { "data-trial": name, "data-status": status }, t(`attack-${name}`), " ", mark));
    }
    this.came.append(element("h4", {}, t("attack-aftermath")), list);
  }

  /** What helps against a theft that nothing stops; the last of it to be tried. @param {Request} request @param {Loot} loot */
  help(request, loot) {
    const list = element("ul", { class: "aftermath" }, ...["life", "binding", "revocation"].map((name) => element("li", {}, t(`attack-help-${name}`))));
    const taken = revocation(loot.target, loot.access);
    const after = element("div", { class: "came" });
    const revoke = button(t("attack-revoke"), async () => {
      revoke.disabled = true;
      const revoked = await send(taken);
      if (typeof revoked === "string") return after.replaceChildren(trouble(revoked));
      const again = await send(request);
      if (typeof again === "string") return after.replaceChildren(trouble(again));
      const came = again.status < 400 ? "succeeded" : "caught";
      after.replaceChildren(requested(taken, []), answered(revoked), element("h4", {}, t("attack-again")), answered(again), this.judged(came));
    }, "secondary");
    this.came.append(element("h4", {}, t("attack-help")), list, element("div", { class: "actions" }, revoke), after);
  }
}

/** The application that is attacked: the demo's own for this; elsewhere that of the flow. @param {Course} course @returns {Target} */
function targetOf({ run }) {
  const { demoVictim, demoScope, demoApi } = page.dataset;
  const { issuer, server, redirectUri } = run;
  const clientId = demoVictim ?? run.clientId;
  const scope = (demoVictim === undefined ? undefined : demoScope) ?? run.scope;
  return {
    run: { flow: "code", checks: "page", issuer, server, resource: "", clientId, redirectUri, scope, state: UNKNOWN, nonce: UNKNOWN, verifier: UNKNOWN, challenge: UNKNOWN },
    secret: demoVictim === undefined ? fields.secret.value : "",
    api: demoApi ?? endpoint("userinfo_endpoint"),
    endpoints: { authorize: endpoint("authorization_endpoint"), token: endpoint("token_endpoint"), revoke: endpoint("revocation_endpoint") },
  };
}

/** The learner's own bearer token, with what it opened last; null when there is none. @param {Course} course @returns {Loot | null} */
function mine(course) {
  const call = course.exchanges.filter(({ step, answer }) => step === "api" && answer.status < 400).at(-1);
  const header = call?.request.parameters.find(({ name }) => name === "Authorization")?.value ?? "";
  if (!call || !header.startsWith("Bearer ")) return null;
  const target = targetOf(course);
  const run = { ...target.run, clientId: course.run.clientId };
  return { ...nothing({ ...target, run, secret: fields.secret.value, api: call.request.url }), access: header.slice("Bearer ".length) };
}

/**
 * A request as the browser of the victim sends it: with its cookies, and it follows where it is led.
 * @param {Request} request
 * @returns {Promise<Reply | string>}
 */
async function visit(request) {
  try {
    const answer = await fetch(urlOf(request), { ...initOf(request), credentials: "same-origin", redirect: "follow" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const text = (page.querySelector("main")?.textContent ?? "").replaceAll(/\s*\n\s*/g, "\n").trim();
    return { status: answer.status, headers: [...answer.headers], body: text, members: {}, url: answer.url };
  } catch {
    return "trouble-network";
  }
}

/** A request as it is sent, one parameter a line. @param {Request} request @param {string[]} changed */
function requested(request, changed) {
  const line = element("p", { class: "code line" }, element("b", {}, request.method), " ", request.url);
  const list = element("dl", { class: "members" });
  for (const { name, value, meaning: known } of request.parameters) {
    const meaning = PARAMETERS[known];
    const mark = changed.includes(name) ? element("span", { class: "changed" }, t("attack-changed")) : null;
    list.append(element("div", {}, element("dt", { class: "code" }, name, " ", mark),
      element("dd", {}, element("pre", { class: "code" }, value || t("left-out")), element("p", { class: "hint" }, meaning[language], " ", source(meaning.section)))));
  }
  return element("div", {}, line, list);
}

/** Where the browser ended. @param {Reply | null} reply */
function arrived(reply) {
  if (!reply?.url) return [];
  return [element("p", { class: "hint" }, t("attack-arrived"), " ", element("span", { class: "code" }, reply.url))];
}

/** An authorization response, and what the application compares before it sends anything (RFC 9207 2.4). @param {Loot} loot */
function response({ response: came }) {
  const row = (/** @type {string} */ label, /** @type {string} */ value) => element("div", {}, element("dt", {}, t(label)), element("dd", { class: "code" }, value));
  const compared = element("div", { class: "check" }, element("p", {}, t("check-iss")),
    element("dl", {}, row("check-sent", ROGUE.issuer), row("check-came", came.get("iss") ?? t("check-nothing"))));
  const list = element("dl", { class: "members" });
  for (const [name, value] of came) list.append(element("div", {}, element("dt", { class: "code" }, name), element("dd", {}, element("pre", { class: "code" }, value))));
  return element("div", {}, element("h4", {}, t("attack-response")), list, compared);
}

/** @param {Reply | string} reply */
function must(reply) {
  if (typeof reply === "string") throw new Stuck(t(reply));
  return reply;
}
