import assert from "node:assert/strict";
import { test } from "node:test";
import { keyPair, proof } from "../../assets/playground/attacks-dpop.js";
import { Stuck, begun, nothing } from "../../assets/playground/attacks-victim.js";
import { ATTACKS, ROGUE, isFrom, narrower, revocation, verdict } from "../../assets/playground/attacks.js";
import { initOf, urlOf } from "../../assets/playground/flow.js";
import { PARAMETERS } from "../../assets/playground/parameters.js";
import { read } from "../../assets/playground/token.js";
import { verify } from "../../assets/playground/verify.js";
import { WORDS } from "../../assets/playground/words.js";

const run = {
  flow: "code", checks: "page", issuer: "https://id.example", clientId: "app", redirectUri: "https://id.example/playground/callback",
  scope: "openid offline_access notes:read notes:write", state: "s", nonce: "n", verifier: "v", challenge: "c",
};
const endpoints = { authorize: "https://id.example/authorize", token: "https://id.example/token", revoke: "https://id.example/revoke" };
const target = { run, secret: "", api: "https://id.example/demo/notes", endpoints };
const attack = (id) => ATTACKS.find((one) => one.id === id);
const body = (request) => Object.fromEntries(new URLSearchParams(String(initOf(request).body)));
const header = (request, name) => initOf(request).headers.get(name);

/** A server that gives what it is asked for, and keeps what it was asked. Proofs must bear its nonce. */
function world(change = {}) {
  const asked = [];
  let given = 0;
  const reply = (status, members, headers = []) => ({ status, headers, body: "", members });
  return {
    asked,
    now: () => 1_000,
    visit: async (request) => {
      const sent = new URL(urlOf(request)).searchParams;
      asked.push(["visit", Object.fromEntries(sent)]);
      const response = change.response ?? { code: "code", state: sent.get("state"), iss: run.issuer };
      return { ...reply(200, {}), url: `${sent.get("redirect_uri")}?${new URLSearchParams(response)}` };
    },
    send: async (request) => {
      const dpop = header(request, "DPoP");
      asked.push([request.url, request.method === "POST" ? body(request) : header(request, "Authorization"), dpop]);
      if (dpop !== null && read(dpop).claims.nonce !== "nonce") return reply(400, { error: "use_dpop_nonce" }, [["dpop-nonce", "nonce"]]);
      if (change.refuses) return reply(400, { error: "invalid_grant" });
      given += 1;
      return reply(200, { access_token: `at${given}`, refresh_token: `rt${given}`, id_token: "id" });
    },
  };
}

test("every attack says who, what it costs and which defence catches it, in words that exist", async () => {
  for (const { id, sends, costs, sections, changed, request, control } of ATTACKS) {
    for (const name of [`attack-${id}`, `attack-${id}-who`, `attack-${id}-caught`, `attack-sends-${sends}`, `attack-costs-${costs}`]) {
      assert.ok(Object.hasOwn(WORDS, name), name);
    }
    assert.ok(sections.length > 0 && sections.every((section) => /^RFC \d{4} \d/.test(section)), id);
    const made = await request(nothing(target, "x"));
    const names = made.parameters.map(({ name }) => name);
    assert.ok(changed.every((name) => names.includes(name)), id);
    for (const one of [made, ...(control ? [await control(nothing(target, "x"))] : [])]) {
      for (const { meaning } of one.parameters) assert.ok(Object.hasOwn(PARAMETERS, meaning), meaning);
    }
  }
  assert.equal(new Set(ATTACKS.map(({ id }) => id)).size, ATTACKS.length);
});

test("an attack differs from its control in what it changes, and in nothing else", async () => {
  for (const { id, begins, changed, request, control } of ATTACKS.filter((one) => one.control && one.begins === "code")) {
    const loot = await begun(begins, target, world());
    const [wrong, right] = [body(await request(loot)), body(await control(loot))];
    const differ = Object.keys(right).filter((name) => wrong[name] !== right[name]);
    assert.deepEqual(differ, changed, id);
  }
});

test("caught is only what is granted without the attack", () => {
  assert.equal(verdict(true, null), "succeeded");
  assert.equal(verdict(false, null), "caught");
  assert.equal(verdict(false, { status: 200 }), "caught");
  assert.equal(verdict(false, { status: 400 }), "unproved");
});

test("rfc9207_2_4 a response is from the server that its iss names", () => {
  const response = (text) => new URLSearchParams(text);
  const honest = { issuer: run.issuer, sendsIss: true };
  assert.ok(isFrom(honest, response(`code=c&iss=${run.issuer}`)));
  assert.ok(!isFrom(honest, response("code=c")), "a server that says that it sends iss must");
  assert.ok(!isFrom(ROGUE, response(`code=c&iss=${run.issuer}`)));
  assert.ok(isFrom(ROGUE, response("code=c")), "without iss nobody can tell");
});

test("the victim's flow asks nobody, and an answer that is not its own ends it", async () => {
  const asked = world();
  const loot = await begun("code", target, asked);
  assert.equal(loot.code, "code");
  assert.equal(asked.asked[0][1].prompt, "none");
  assert.notEqual(loot.target.run.verifier, run.verifier);
  await assert.rejects(begun("code", target, world({ response: { error: "consent_required" } })), new Stuck("consent_required"));
  await assert.rejects(begun("code", target, world({ response: { code: "c", state: "another" } })), Stuck);
  await assert.rejects(begun("tokens", target, world({ refuses: true })), new Stuck("invalid_grant"));
});

test("rfc9700_4_14_2 the stolen refresh token is the one before the last two", async () => {
  const asked = world();
  const loot = await begun("refreshed", target, asked);
  assert.deepEqual([loot.refresh, loot.latest, loot.access], ["rt1", "rt3", "at3"]);
  assert.equal(body(await attack("refresh-reused").request(loot)).refresh_token, "rt1");
  assert.deepEqual(attack("refresh-reused").aftermath(loot).map(({ name }) => name), ["owner-refreshes", "owner-calls"]);
});

test("rfc6749_6 the wider scope is asked for by whoever was allowed less", async () => {
  assert.equal(narrower(run.scope), "openid offline_access notes:read");
  const asked = world();
  const loot = await begun("narrow", target, asked);
  assert.equal(asked.asked[0][1].scope, "openid offline_access notes:read");
  const { request, succeeds, control } = attack("scope-widened");
  assert.equal(body(request(loot)).scope, run.scope);
  assert.equal(body(control(loot)).scope, undefined);
  const given = (scope) => ({ status: 200, headers: [], body: "", members: { access_token: "at", ...scope } });
  assert.ok(succeeds(given({ scope: run.scope }), loot) && succeeds(given({}), loot));
  assert.ok(!succeeds(given({ scope: "notes:read" }), loot), "less than was asked for is no success");
});

test("rfc9449_7 the owner's proof is for one call, and the thief's is by another key", async () => {
  const asked = world();
  const loot = await begun("bound", target, asked);
  const keyOf = (text) => JSON.stringify(read(text).header.jwk);
  const seen = read(loot.proof);
  assert.equal(seen.kind, "proof");
  assert.deepEqual([seen.claims.htm, seen.claims.htu, seen.claims.nonce], ["GET", target.api, "nonce"]);
  const [other, owner, replayed] = await Promise.all([attack("bound-to-another").request(loot), attack("bound-to-another").control(loot), attack("proof-replayed").request(loot)]);
  assert.notEqual(keyOf(header(other, "DPoP")), keyOf(loot.proof));
  assert.equal(keyOf(header(owner, "DPoP")), keyOf(loot.proof));
  assert.notEqual(header(owner, "DPoP"), loot.proof, "the control is a proof of its own");
  assert.equal(header(replayed, "DPoP"), loot.proof);
  assert.equal(header(attack("bound-as-bearer").request(loot), "Authorization"), `Bearer ${loot.access}`);
});

test("rfc9449_4_2 a proof holds, names the token, and leaves the query out", async () => {
  const keys = await keyPair();
  assert.equal(keys.privateKey.extractable, false);
  const made = await proof(keys, { method: "GET", url: "https://id.example/a?b#c", token: "token", nonce: "", now: 5.9 });
  const { header: head, claims } = read(made);
  assert.deepEqual([head.typ, head.alg, Object.keys(head.jwk)], ["dpop+jwt", "ES256", ["kty", "crv", "x", "y"]]);
  assert.deepEqual([claims.htu, claims.iat, "nonce" in claims], ["https://id.example/a", 5, false]);
  // SHA-256 of "token".
  assert.equal(claims.ath, "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A");
  assert.equal((await verify(read(made), [head.jwk])).good, true);
});

test("rfc7009_2_1 a token is revoked by the client that it was issued to", () => {
  assert.deepEqual(body(revocation(target, "t")), { token: "t", client_id: "app" });
  const confidential = revocation({ ...target, secret: "s" }, "t");
  assert.deepEqual(body(confidential), { token: "t" });
  assert.match(header(confidential, "Authorization"), /^Basic /);
});
