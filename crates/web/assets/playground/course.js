// A flow in its course, step by step. What a step of its own kind shows is in the modules beside; here is what they share.

import { call } from "./api.js";
import { proved } from "./auth.js";
import { asSent, objectClaims, pushing, withObject, withReference } from "./authorization.js";
import { answered, closed, done, editable, language, open, send, t, trouble } from "./cards.js";
import { ofResponse } from "./checks.js";
import { proof, whenProofChanges } from "./client-form.js";
import { putOnDesk } from "./desk-page.js";
import { bearing, deviceAuthorization, exchanging, withPassword } from "./device.js";
import { button, byId, element, source } from "./dom.js";
import { explained } from "./explained.js";
import { faults } from "./faults.js";
import { shown } from "./findings.js";
import { authorization, clientCredentials, redemption, refreshing, revoking, stepsOf, urlOf } from "./flow.js";
import { identity } from "./id-token-card.js";
import { signed } from "./jwt.js";
import { keep } from "./keep.js";
import { merged } from "./merged.js";
import { learned } from "./lesson-page.js";
import { ONLOOKERS } from "./onlookers.js";
import { poll } from "./poll.js";
import { renewal } from "./renewal.js";
import { respond } from "./response-card.js";
import { RUN, TOKEN } from "./session.js";
import { base, endpoint, metadata } from "./site.js";
import { timeBar } from "./time.js";
import { facts, read } from "./token.js";

/** @import { Answer } from "./cards.js" */
/** @import { Prover } from "./dpop.js" */
/** @import { Request, Run, Step } from "./flow.js" */

/** @typedef {{ step: Step, request: Request, answer: Answer, body?: string }} Exchange */

/**
 * How a request is asked for.
 * @typedef {object} Asking
 * @property {() => Promise<Request>} made the request, made anew: what is signed in it is good once
 * @property {"once" | "leads" | "waits"} how whether the request is good for one time only, and whether it comes next
 * @property {(answer: Answer) => boolean} [good] whether it is the answer that was wanted; a token, unless something else is said
 * @property {(answer: Answer, came: HTMLElement) => void} next
 * @property {(answer: Answer) => void} [always] told of every answer before that
 * @property {HTMLElement} [before] what stands above the request
 */

/** A flow in its course: each step opens the next. */
export class Course {
  /** @param {Run} run @param {Prover | null} [prover] what binds the tokens to a key, if they are to be bound */
  constructor(run, prover = null) {
    this.run = run;
    this.prover = prover;
    /** Every request that was sent, with its answer. @type {Exchange[]} */
    this.exchanges = [];
    /** Gets the next token without anybody, where that is possible. @type {(() => void) | null} */
    this.renew = null;
    /** Calls the API as it was called last, once there is a token. @type {(() => void) | null} */
    this.call = null;
    /** The request object, once it is made. */
    this.object = "";
    const steps = stepsOf(run, metadata().grant_types_supported);
    /** @type {Map<Step, HTMLElement>} */
    this.cards = new Map(steps.map((step, at) => [step, closed(step, at + 1)]));
    const place = byId("steps", HTMLElement);
    place.toggleAttribute("data-bound", prover !== null);
    place.replaceChildren(...this.cards.values());
  }

  /** The first step. @param {string} refreshToken where the flow begins with one */
  begin(refreshToken) {
    switch (this.run.flow) {
      case "code": return this.cards.has("object") ? this.sign() : this.cards.has("push") ? this.push() : this.authorize();
      case "client": return this.client();
      case "device": return this.device();
      case "refresh": return this.refresh(refreshToken);
      case "assertion": return this.grant("assertion", async () => this.proven(bearing(this.run, endpoint("token_endpoint"), await proof().token()), "", true));
      case "exchange": return this.grant("exchange", () => this.proven(exchanging(this.run, endpoint("token_endpoint"))));
      default: return faults(this);
    }
  }

  /** The authorization request in an object that the client signs (RFC 9101 4). */
  sign() {
    const card = this.open("object");
    const form = editable("object", authorization(this.run, endpoint("authorization_endpoint")));
    const came = element("div", { class: "came" });
    const go = button(t("send-object"), async () => {
      const { key } = proof();
      if (key === null) return came.replaceChildren(trouble("trouble-key"));
      const request = form.read();
      this.run = asSent(this.run, request);
      this.object = await signed(key, { typ: "oauth-authz-req+jwt", kid: key.kid }, objectClaims(request, this.run, Date.now() / 1000));
      came.replaceChildren(explained(withObject(this.run, request.url, this.object), true));
      done(card);
      go.disabled = true;
      if (this.cards.has("push")) this.push();
      else this.authorize();
    });
    card.append(form.shown, element("div", { class: "actions" }, go), came);
  }

  /** RFC 9126 2. */
  push() {
    const made = () => this.proven(pushing(this.request(), endpoint("pushed_authorization_request_endpoint")));
    const good = (/** @type {Answer} */ answer) => answer.status < 400 && typeof answer.members.request_uri === "string";
    this.ask("push", { made, how: "once", good, next: (answer) => {
      const sent = this.exchanges.at(-1);
      if (sent) this.run = asSent(this.run, sent.request);
      this.authorize(String(answer.members.request_uri));
    } });
  }

  /** The authorization request as it would stand in the address bar, if it was not pushed. */
  request() {
    const url = endpoint("authorization_endpoint");
    return this.object === "" ? authorization(this.run, url) : withObject(this.run, url, this.object);
  }

  /** @param {string} [requestUri] of what was pushed */
  authorize(requestUri) {
    const card = this.open("authorize");
    const url = endpoint("authorization_endpoint");
    const form = editable("authorize", requestUri === undefined ? this.request() : withReference(this.run, url, requestUri));
    const kept = element("dl", { class: "facts" }, element("div", {}, element("dt", {}, t("verifier")), element("dd", { class: "code" }, this.run.verifier)));
    const go = button(t("send-authorize"), async () => {
      const request = form.read();
      sessionStorage.setItem(RUN, JSON.stringify(asSent(this.run, request)));
      if (this.run.keys) await keep(this.run.keys, { key: proof().key, prover: this.prover?.key });
      location.assign(urlOf(request));
    });
    card.append(form.shown, explained(form.read()), ...(this.run.flow === "implicit" ? [] : [kept]), element("div", { class: "actions" }, go));
  }

  /** @param {URLSearchParams} answer */
  answer(answer) {
    for (const step of /** @type {const} */ (["faults", "object", "push", "authorize"])) {
      const card = this.cards.get(step);
      if (card) done(card);
    }
    const card = this.open("answer");
    respond(this, card, answer);
    card.append(shown(ofResponse(answer, this.run, metadata())));
  }

  /** @param {string} code */
  redeem(code) {
    const made = () => this.proven(redemption(this.run, endpoint("token_endpoint"), "", code));
    this.ask("token", { made, how: "once", next: (answer, came) => this.ofUser(answer, came, code) });
  }

  client() {
    this.grant("client", () => this.proven(clientCredentials(this.run, endpoint("token_endpoint"), "")));
  }

  /** RFC 8628 3.1. */
  device() {
    const made = () => this.proven(deviceAuthorization(this.run, endpoint("device_authorization_endpoint")));
    const good = (/** @type {Answer} */ answer) => answer.status < 400 && typeof answer.members.device_code === "string";
    this.ask("device", { made, how: "once", good, next: (answer) => poll(this, answer.members) });
  }

  password() {
    this.grant("password", () => this.proven(withPassword(this.run, endpoint("token_endpoint"))));
  }

  /** A grant that can be handed in as often as one likes. @param {Step} step @param {() => Promise<Request>} made */
  grant(step, made) {
    const { press } = this.ask(step, { made, how: "leads", next: (answer, came) => {
      this.renew = press;
      this.inHand(came, answer);
      this.proceed(answer);
    } });
  }

  /** @param {string} refreshToken */
  refresh(refreshToken) {
    let current = refreshToken;
    const made = () => this.proven(refreshing(this.run, endpoint("token_endpoint"), "", current));
    const first = this.run.flow === "refresh";
    const { press } = this.ask("refresh", { made, how: first ? "leads" : "waits", next: (answer, came) => {
      current = String(answer.members.refresh_token ?? current);
      this.inHand(came, answer);
      this.api(answer, first);
    } });
    this.renew = press;
  }

  /** RFC 7009 2.1. That its bearer had a key of his own does not matter here. @param {string} token */
  revoke(token) {
    if (!this.cards.has("revoke")) return;
    const made = () => proved(revoking(this.run, endpoint("revocation_endpoint"), token), this.run.clientId, proof(), this.run.issuer, Date.now() / 1000);
    const good = (/** @type {Answer} */ answer) => answer.status === 200;
    this.ask("revoke", { made, how: "waits", good, next: (_, came) => {
      const again = button(t("call-again"), () => this.call?.(), "secondary again");
      came.append(element("p", {}, t("revoke-done")), element("div", { class: "actions" }, again));
    } });
  }

  /** Tokens that a user stands behind. @param {Answer} answer @param {HTMLElement} came @param {string} code that was redeemed, or nothing */
  ofUser(answer, came, code) {
    this.inHand(came, answer);
    const idToken = answer.members.id_token;
    const card = this.cards.get("identity");
    if (typeof idToken !== "string" || !card) return this.proceed(answer);
    identity(this, idToken, { accessToken: String(answer.members.access_token), code }, () => this.proceed(answer));
  }

  /** The tokens are good: they can be used, and renewed. @param {Answer} answer */
  proceed(answer) {
    const { refresh_token: refreshToken } = answer.members;
    if (typeof refreshToken === "string" && this.cards.has("refresh")) this.refresh(refreshToken);
    else this.cards.get("refresh")?.remove();
    if (typeof answer.members.id_token !== "string") this.cards.get("identity")?.remove();
    this.api(answer);
  }

  /** @param {Answer} answer with the token @param {boolean} [lead] whether the call is what comes next */
  api(answer, lead = true) {
    const token = String(answer.members.access_token);
    this.revoke(token);
    call(this, token, String(answer.members.token_type ?? "Bearer"), lead);
  }

  /**
   * A step that sends a request. What goes well goes on; what was refused can be changed and sent again. What is signed in the
   * request is made anew as it is sent, but for what somebody changed.
   * @param {Step} step
   * @param {Asking} asking
   * @returns {{ press: () => void }} which sends it as if somebody had pressed the button
   */
  ask(step, { made, how, good = hasToken, next, always, before }) {
    const card = this.open(step, how !== "waits");
    /** @type {Request | null} */
    let draft = null;
    let form = editable(step, { method: "POST", url: "", parameters: [] });
    const place = element("div", { class: "asked" });
    const show = (/** @type {Request} */ request) => {
      draft = request;
      form = editable(step, request);
      // Who looks into a token goes on looking, when it is made anew.
      const looks = place.querySelector(".made[open]") !== null;
      place.replaceChildren(form.shown, explained(request, looks));
    };
    const renew = () => made().then(show);
    const fresh = async () => {
      const request = await made();
      return draft === null ? request : merged(draft, form.read(), request);
    };
    const came = element("div", { class: "came" });
    const forget = whenProofChanges(renew);
    const go = button(t(`send-${step}`), async () => {
      go.disabled = true;
      const answer = await this.sent(step, fresh, show, came);
      go.disabled = false;
      if (answer === null) return;
      always?.(answer);
      if (!good(answer)) return;
      done(card);
      next(answer, came);
      go.disabled = how === "once";
      if (how === "once") forget();
      else renew();
    });
    card.append(...(before ? [before] : []), place, element("div", { class: "actions" }, go), came);
    renew();
    return { press: () => go.click() };
  }

  /**
   * Sends a request, and once more where the server wants a nonce in its proof (RFC 9449 8); both answers are shown.
   * @param {Step} step
   * @param {() => Promise<Request>} fresh
   * @param {(request: Request) => void} show
   * @param {HTMLElement} came
   * @param {string} [body]
   * @returns {Promise<Answer | null>}
   */
  async sent(step, fresh, show, came, body = "") {
    came.replaceChildren();
    for (let again = false; ; again = true) {
      const request = await fresh();
      show(request);
      const answer = await send(request, body);
      if (typeof answer === "string") {
        came.append(trouble(answer));
        return null;
      }
      const place = element("div", {}, answered(answer));
      came.append(place);
      this.took({ step, request, answer, body }, place);
      const wanted = this.prover !== null && request.parameters.some(({ name }) => name === "DPoP") && this.prover.told(request, answer);
      if (!wanted || again) return answer;
      const first = element("details", { class: "nonce" }, element("summary", {}, t("nonce-wanted")));
      place.before(first);
      first.append(place);
      came.append(element("p", { class: "hint nonce-sent" }, t("nonce-sent"), " ", source("RFC 9449 8")));
    }
  }

  /**
   * A request with what says whose it is, and with a proof of the key that tokens are bound to.
   * @param {Request} request
   * @param {string} [token] an access token that goes along
   * @param {boolean} [isProof] whether what is handed in says already who asks (RFC 7523 2.1)
   */
  async proven(request, token = "", isProof = false) {
    const now = Date.now() / 1000;
    const who = proof();
    const method = isProof && who.method === "federated" ? "public" : who.method;
    const whose = await proved(request, this.run.clientId, { ...who, method }, this.run.issuer, now);
    return this.prover === null ? whose : this.prover.proved(whose, token, now);
  }

  /** Whoever looks on is shown what was sent and what came. @param {Exchange} exchange @param {HTMLElement} card where the answer stands */
  took(exchange, card) {
    this.exchanges.push(exchange);
    for (const look of ONLOOKERS) look(this, exchange, card);
  }

  /** The tokens of an answer, how long they last, and the way to look into them. @param {HTMLElement} card @param {Pick<Answer, "members">} answer */
  inHand(card, answer) {
    const list = element("ul", { class: "tokens" });
    for (const name of ["access_token", "id_token", "refresh_token"]) {
      const token = answer.members[name];
      if (typeof token !== "string") continue;
      const look = button(t("inspect"), () => inspect(token), "secondary small");
      look.dataset.token = name;
      look.setAttribute("aria-label", `${t("inspect")}: ${name}`);
      list.append(element("li", {}, element("span", { class: "code" }, name), look));
    }
    const now = Date.now() / 1000;
    const lasts = Number(answer.members.expires_in);
    const known = { ...facts(read("")), issued: now, expires: Number.isFinite(lasts) ? now + lasts : null };
    const renews = this.renew !== null || (typeof answer.members.refresh_token === "string" && this.cards.has("refresh"));
    const renewing = renews && known.expires !== null ? renewal(known.expires, () => this.renew?.()) : null;
    card.append(element("div", { class: "in-hand" }, element("h3", {}, t("tokens")), timeBar(language, known, () => {}), renewing ?? "", list, putOnDesk(this.run, answer.members)));
  }

  /** @param {Step} step @param {boolean} [lead] whether it is what comes next */
  open(step, lead = true) {
    const card = this.cards.get(step);
    if (!card) throw new Error(`this flow has no ${step}`);
    open(card, step, lead);
    return card;
  }
}

/** @param {Answer} answer */
function hasToken(answer) {
  return answer.status < 400 && typeof answer.members.access_token === "string";
}

/** A new tab begins with a copy of what this one keeps, so that the token is in no URL. @param {string} token */
function inspect(token) {
  learned(["look"]);
  sessionStorage.setItem(TOKEN, token);
  window.open(`${base}/playground/token`, "_blank");
  sessionStorage.removeItem(TOKEN);
}
