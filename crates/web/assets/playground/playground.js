// The playground: which flow, for which client. What comes then is in course.js.

import { Course } from "./course.js";
import { isOfPage } from "./auth.js";
import { chooseMethod, demoClient, fitMethod, lockMethod, method, offerMethods, proveAsDemo, showMethod, use } from "./client-form.js";
import { button, byId } from "./dom.js";
import { Prover } from "./dpop.js";
import { metadataFindings } from "./findings.js";
import { FLOWS, LEGACY, challengeOf, drawn } from "./flow.js";
import { algorithmAmong, generated } from "./jwt.js";
import { takeKept } from "./keep.js";
import { ANSWER, RUN, take } from "./session.js";
import { settle, shape as shapeOfServer } from "./server.js";
import { complain, fields, issuer, metadata, page } from "./site.js";
import { fitSwitches, isOn, offerSwitches, switchOn, switchedOn } from "./switches.js";

/** @import { Flow, Run } from "./flow.js" */
/** @import { SigningKey } from "./jwt.js" */
/** @import { Switch } from "./switches.js" */

const begin = byId("begin", HTMLButtonElement);
const again = byId("again", HTMLButtonElement);

start();

async function start() {
  const waiting = take(RUN);
  const arrived = take(ANSWER);
  if (new URL(issuer).origin !== location.origin) return complain("trouble-origin", { issuer });
  try {
    await settle(waiting);
  } catch {
    return complain("trouble-metadata");
  }
  byId("metadata", HTMLElement).replaceChildren(metadataFindings(issuer));
  offerMethods(refill);
  offerSwitches(refill);
  offerFlows();
  offerScopes();
  begin.disabled = false;
  begin.addEventListener("click", beginFlow);
  again.addEventListener("click", () => location.assign(location.pathname + location.search));
  if (waiting !== null && arrived !== null) goOn(JSON.parse(waiting), new URLSearchParams(arrived));
  else if (arrived !== null) complain("trouble-answer");
}

/** The flows whose grant type the server has (RFC 8414 2); the page's address says which, and for which scopes. */
function offerFlows() {
  const shape = new URLSearchParams(location.search);
  const supported = /** @type {unknown[]} */ (metadata().grant_types_supported ?? ["authorization_code"]);
  const choices = [...document.querySelectorAll("#flows input")].filter((input) => input instanceof HTMLInputElement);
  for (const choice of choices) {
    const flow = FLOWS[/** @type {Flow} */ (choice.value)];
    const row = choice.closest(".scope");
    const isOffered = supported.includes(flow.grant) || LEGACY.includes(/** @type {Flow} */ (choice.value));
    if (row instanceof HTMLElement) row.hidden = !isOffered;
    choice.disabled = !isOffered;
    choice.addEventListener("change", refill);
  }
  const usable = choices.filter((choice) => !choice.disabled);
  const chosen = usable.find((choice) => choice.value === shape.get("flow")) ?? usable[0];
  if (chosen) chosen.checked = true;
  chooseMethod(shape.get("auth") ?? undefined);
  switchOn(/** @type {Switch[]} */ ((shape.get("with") ?? "").split(",")));
  fill();
  fields.scope.value = shape.get("scope") ?? fields.scope.value;
  fields.scope.addEventListener("change", keepShape);
}

/** Another flow, another method: what is filled in follows, and the address. */
function refill() {
  fill();
  keepShape();
}

/** What the demo has for the chosen flow, where there is a demo; and only the fields that the flow needs. */
function fill() {
  const flow = chosenFlow();
  fitMethod(flow, isOn("signed", flow));
  const { demoClients, demoScope, demoMachineScope } = page.dataset;
  if (demoClients !== undefined) {
    fields.clientId.value = demoClient(flow)?.client_id ?? "";
    const scope = { code: demoScope, device: demoScope, client: demoMachineScope, assertion: demoMachineScope };
    fields.scope.value = (flow in scope ? scope[/** @type {keyof typeof scope} */ (flow)] : "") ?? "";
    proveAsDemo(fields.clientId.value).then(showMethod);
  }
  showFor(flow);
  markScopes();
}

/** @param {Flow} flow */
function showFor(flow) {
  for (const part of document.querySelectorAll("[data-flows]")) {
    if (part instanceof HTMLElement) part.hidden = !part.dataset.flows?.split(" ").includes(flow);
  }
  fitSwitches(flow);
  showMethod();
}

/** The scopes that the server names, to be picked. */
function offerScopes() {
  const chips = byId("scopes", HTMLElement);
  for (const scope of /** @type {unknown[]} */ (metadata().scopes_supported ?? [])) {
    const chip = button(String(scope), () => {
      const asked = new Set(fields.scope.value.split(" ").filter((one) => one !== ""));
      if (!asked.delete(String(scope))) asked.add(String(scope));
      fields.scope.value = [...asked].join(" ");
      markScopes();
      keepShape();
    }, "chip code");
    chips.append(chip);
  }
  fields.scope.addEventListener("input", markScopes);
  markScopes();
}

function markScopes() {
  const asked = fields.scope.value.split(" ");
  for (const chip of document.querySelectorAll("#scopes button")) {
    chip.setAttribute("aria-pressed", String(asked.includes(chip.textContent ?? "")));
  }
}

/** The page's address restores its shape, and never holds more than that. */
function keepShape() {
  const flow = chosenFlow();
  const shape = new URLSearchParams({ flow, scope: fields.scope.value, ...shapeOfServer() });
  const besides = switchedOn(flow);
  if (method() !== "public") shape.set("auth", method());
  if (besides.length > 0) shape.set("with", besides.join(","));
  history.replaceState(null, "", `${location.pathname}?${shape}`);
}

/** @returns {Flow} */
function chosenFlow() {
  const chosen = document.querySelector("#flows input:checked");
  return /** @type {Flow} */ (chosen instanceof HTMLInputElement ? chosen.value : "code");
}

async function beginFlow() {
  if (!isOfPage(method())) return complain("trouble-certificate");
  if (fields.clientId.value.trim() === "" && !LEGACY.includes(chosenFlow())) return complain("trouble-client");
  if (!globalThis.crypto?.subtle) return complain("unverified-no-cryptography");
  complain();
  const flow = chosenFlow();
  const verifier = drawn();
  const prover = isOn("dpop", flow) ? new Prover(await generated(algorithmAmong(metadata().dpop_signing_alg_values_supported))) : null;
  const checks = byId("checks-me", HTMLInputElement).checked ? "me" : "page";
  /** @type {Run} */
  const run = {
    flow,
    checks,
    issuer,
    server: metadata(),
    resource: page.dataset.api ?? "",
    clientId: fields.clientId.value.trim(),
    redirectUri: page.dataset.redirectUri ?? "",
    scope: fields.scope.value.trim(),
    state: drawn(),
    nonce: drawn(),
    verifier,
    challenge: await challengeOf(verifier),
    method: method(),
    pushed: isOn("pushed", flow),
    signed: isOn("signed", flow),
    jkt: prover?.key.kid ?? "",
    keys: drawn(),
  };
  started(run, prover).begin(fields.refreshToken.value.trim());
}

/** The browser is back with an answer. @param {Run} run @param {URLSearchParams} answer */
async function goOn(run, answer) {
  const choice = byId(`flow-${run.flow}`, HTMLInputElement);
  choice.checked = true;
  chooseMethod(run.method);
  switchOn([...(run.pushed ? [/** @type {const} */ ("pushed")] : []), ...(run.signed ? [/** @type {const} */ ("signed")] : []), ...(run.jkt ? [/** @type {const} */ ("dpop")] : [])]);
  fields.clientId.value = run.clientId;
  fields.scope.value = run.scope;
  byId(`checks-${run.checks}`, HTMLInputElement).checked = true;
  const kept = run.keys ? await takeKept(run.keys) : {};
  await proveAsDemo(run.clientId);
  if (kept.key) use(/** @type {SigningKey} */ (kept.key));
  showFor(run.flow);
  markScopes();
  keepShape();
  started(run, kept.prover ? new Prover(/** @type {SigningKey} */ (kept.prover)) : null).answer(answer);
}

/**
 * What was begun stays as it was begun, but for what proves the client: a secret is not kept while the browser is away.
 * @param {Run} run
 * @param {Prover | null} prover
 */
function started(run, prover) {
  lockMethod();
  for (const field of document.querySelectorAll("#setup input, #scopes button, #server button")) {
    if (field !== fields.secret) field.setAttribute("disabled", "");
  }
  begin.hidden = true;
  again.hidden = false;
  return new Course(run, prover);
}
