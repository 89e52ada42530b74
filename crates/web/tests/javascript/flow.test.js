import assert from "node:assert/strict";
import { test } from "node:test";
import { proved } from "../../assets/playground/auth.js";
import { pushing, withObject, withReference } from "../../assets/playground/authorization.js";
import { bearing, deviceAuthorization, exchanging, polling, withPassword } from "../../assets/playground/device.js";
import { Prover } from "../../assets/playground/dpop.js";
import { FLOWS, LEGACY, apiCall, authorization, basic, challengeOf, clientCredentials, drawn, initOf, redemption, refreshing, revoking, stepsOf, urlOf } from "../../assets/playground/flow.js";
import { generated } from "../../assets/playground/jwt.js";
import { PARAMETERS } from "../../assets/playground/parameters.js";

const run = {
  flow: "code", checks: "page", issuer: "https://id.example", clientId: "web app", redirectUri: "https://id.example/playground/callback",
  scope: "openid a", state: "s", nonce: "n", verifier: "v", challenge: "c", server: {},
};
const endpoint = "https://id.example/token";

test("rfc7636_4_2 the challenge is the hash of the verifier", async () => {
  // RFC 7636 appendix B.
  assert.equal(await challengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
});

test("rfc7636_4_1 a verifier is 43 characters that nobody guesses", () => {
  const many = new Set(Array.from({ length: 100 }, drawn));
  assert.equal(many.size, 100);
  for (const one of many) assert.match(one, /^[A-Za-z0-9_-]{43}$/);
});

test("rfc6749_4_1_1 the authorization request is in the query, and never the verifier", () => {
  const url = new URL(urlOf(authorization(run, "https://id.example/authorize")));
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    response_type: "code", client_id: "web app", redirect_uri: run.redirectUri, scope: "openid a", state: "s", nonce: "n",
    code_challenge: "c", code_challenge_method: "S256",
  });
  const plain = new URL(urlOf(authorization({ ...run, scope: "a" }, "https://id.example/authorize?x=1")));
  assert.deepEqual([plain.searchParams.get("nonce"), plain.searchParams.get("x")], [null, "1"]);
});

test("rfc6749_4_1_3 the code is redeemed in the body, by a public client with its id", () => {
  const request = redemption(run, endpoint, "", "code");
  assert.equal(urlOf(request), endpoint);
  const init = initOf(request);
  assert.equal(init.body, "grant_type=authorization_code&code=code&redirect_uri=https%3A%2F%2Fid.example%2Fplayground%2Fcallback&code_verifier=v&client_id=web+app");
  assert.equal(init.headers.get("content-type"), "application/x-www-form-urlencoded");
  assert.deepEqual([init.method, init.credentials, init.redirect, init.cache], ["POST", "omit", "error", "no-store"]);
});

test("rfc6749_2_3_1 a secret goes into the header, each half encoded, and not into the body", () => {
  assert.equal(atob(basic("web app", "a:b%ä").slice(6)), "web+app:a%3Ab%25%C3%A4");
  const init = initOf(clientCredentials(run, endpoint, "secret"));
  assert.equal(init.headers.get("authorization"), basic("web app", "secret"));
  assert.equal(init.body, "grant_type=client_credentials&scope=openid+a");
});

test("rfc6749_6 refreshing asks for another scope only where one was typed", () => {
  assert.equal(initOf(refreshing(run, endpoint, "", "rt")).body, "grant_type=refresh_token&refresh_token=rt&client_id=web+app");
  const alone = { ...run, flow: "refresh", scope: "a" };
  assert.equal(initOf(refreshing(alone, endpoint, "", "rt")).body, "grant_type=refresh_token&refresh_token=rt&scope=a&client_id=web+app");
});

test("rfc6750_2_1 the access token goes in a header, never in the URL", () => {
  const request = apiCall("https://id.example/demo/notes", "token");
  assert.equal(urlOf(request), "https://id.example/demo/notes");
  const init = initOf(request);
  assert.deepEqual([init.headers.get("authorization"), init.body], ["Bearer token", undefined]);
});

test("rfc7009_2_1 a token is taken back by whom it was given to", () => {
  const { url, ...request } = revoking(run, "https://id.example/revoke", "t k");
  assert.equal(url, "https://id.example/revoke");
  assert.equal(initOf({ url, ...request }).body, "token=t+k&token_type_hint=access_token&client_id=web+app");
});

test("what is emptied is not sent", () => {
  const request = redemption(run, endpoint, "", "code");
  for (const parameter of request.parameters) if (parameter.name === "code_verifier") parameter.value = "";
  assert.doesNotMatch(String(initOf(request).body), /code_verifier/);
});

test("rfc6750_2_3 a token can be put into the URL, which is what a server must refuse", () => {
  assert.equal(urlOf(apiCall("https://id.example/demo/notes", "t k", "query")), "https://id.example/demo/notes?access_token=t+k");
  assert.equal(initOf(apiCall(endpoint, "t", "dpop")).headers.get("authorization"), "DPoP t");
});

test("rfc9700_2_1_2 the implicit flow asks for a token, without a challenge", () => {
  const url = new URL(urlOf(authorization({ ...run, flow: "implicit" }, "https://id.example/authorize")));
  assert.deepEqual([url.searchParams.get("response_type"), url.searchParams.has("code_challenge")], ["token", false]);
});

test("rfc9449_10 the request names the key that the code is bound to", () => {
  const url = new URL(urlOf(authorization({ ...run, jkt: "thumb" }, "https://id.example/authorize")));
  assert.equal(url.searchParams.get("dpop_jkt"), "thumb");
});

test("every parameter of every request has its meaning", async () => {
  const key = await generated();
  const methods = ["public", "basic", "post", "mac", "key", "federated"];
  const proofs = methods.map((method) => ({ method, secret: "s".repeat(32), key, token: async () => "a.b.c" }));
  const push = pushing(authorization({ ...run, jkt: "k" }, endpoint), endpoint);
  const requests = [
    authorization({ ...run, jkt: "k" }, endpoint), redemption(run, endpoint, "s", "c"), redemption(run, endpoint, "", "c"), clientCredentials(run, endpoint, "s"),
    refreshing(run, endpoint, "", "r"), ...["bearer", "dpop", "other", "query"].map((carried) => apiCall(endpoint, "t", carried)),
    withObject(run, endpoint, "o"), withReference(run, endpoint, "u"), deviceAuthorization(run, endpoint), polling(run, endpoint, "d"), bearing(run, endpoint, "a"),
    exchanging(run, endpoint), withPassword(run, endpoint), revoking(run, endpoint, "t"), ...(await Promise.all(proofs.map((proof) => proved(push, "c", proof, run.issuer, 0)))),
    await new Prover(key).proved(push, "t", 0),
  ];
  for (const { parameters } of requests) {
    for (const { meaning } of parameters) assert.ok(Object.hasOwn(PARAMETERS, meaning), meaning);
  }
});

test("a run has the steps that it needs", () => {
  const steps = (more, supported = []) => stepsOf({ ...run, ...more }, supported).join(" ");
  assert.equal(steps({}), "authorize answer token identity api refresh");
  assert.equal(steps({ scope: "a" }), "authorize answer token api refresh");
  assert.equal(steps({ pushed: true, signed: true }), "object push authorize answer token identity api refresh");
  assert.equal(steps({ flow: "device", scope: "a" }), "device poll api refresh");
  assert.equal(steps({ flow: "client", server: { revocation_endpoint: endpoint } }), "client api revoke");
  for (const flow of LEGACY) {
    assert.equal(steps({ flow }), "faults", "explained, and not run");
    assert.ok(steps({ flow }, [FLOWS[flow].grant]).startsWith("faults "), "run where it is supported");
  }
});
