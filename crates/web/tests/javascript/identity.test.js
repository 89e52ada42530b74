import assert from "node:assert/strict";
import { test } from "node:test";
import { halfHash, lines } from "../../assets/playground/identity.js";
import { renewAt } from "../../assets/playground/time.js";
import { read } from "../../assets/playground/token.js";
import { unsigned } from "./made.js";

const expected = { issuer: "https://id.example", clientId: "app", nonce: "n", accessToken: "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", code: "code", maxAge: "", acr: "", now: 1000 };
const good = { iss: "https://id.example", sub: "u", aud: "app", exp: 1300, iat: 1000, nonce: "n" };
const of = (claims, more = {}, header = { alg: "ES256" }) => lines(read(unsigned(header, { ...good, ...claims })), { ...expected, ...more });
const bad = async (...given) => (await of(...given)).filter(({ holds }) => !holds).map(({ name }) => name);

test("openid_connect_core_3_1_3_7 a good ID token is good in every line", async () => {
  assert.deepEqual((await of({})).map(({ name }) => name), ["iss", "aud", "exp", "iat", "sub", "nonce", "alg"]);
  assert.deepEqual(await bad({}), []);
  assert.deepEqual(await bad({ aud: ["app", "other"], azp: "app", auth_time: 900 }, { maxAge: "300" }), []);
});

test("openid_connect_core_3_1_3_7 each line finds what is wrong with it", async () => {
  for (const [name, claims, more] of [
    ["iss", { iss: "https://id.example/" }], ["aud", { aud: "other" }], ["azp", { azp: "other" }], ["azp", { aud: ["app", "other"] }],
    ["exp", { exp: 900 }], ["exp", { exp: "never" }], ["iat", { iat: 1 }], ["iat", { iat: 2000 }], ["sub", { sub: "" }], ["sub", { sub: "x".repeat(256) }],
    ["nonce", { nonce: "other" }], ["nonce", { nonce: undefined }], ["nonce", {}, { nonce: "" }], ["auth-time", {}, { maxAge: "60" }], ["auth-time", { auth_time: 700 }, { maxAge: "60" }],
    ["auth-time", { auth_time: 5000 }], ["acr", {}, { acr: "strong" }], ["acr", { acr: "weak" }, { acr: "strong stronger" }], ["c-hash", { c_hash: "x" }], ["at-hash", { at_hash: "x" }],
  ]) assert.deepEqual(await bad(claims, more), [name], JSON.stringify([claims, more]));
  assert.deepEqual(await bad({}, {}, { alg: "None" }), ["alg"]);
});

test("openid_connect_core_3_1_3_6 the hash of an access token", async () => {
  // OpenID Connect Core A.3.
  assert.equal(await halfHash("RS256", expected.accessToken), "77QmUPtjPfzWtF2AnpK9RQ");
  assert.deepEqual(await bad({ at_hash: "77QmUPtjPfzWtF2AnpK9RQ" }), []);
  assert.equal((await halfHash("EdDSA", "x")).length, 43, "of Ed25519 it is half of SHA-512");
});

test("a token is renewed ahead of its end, and never at once", () => {
  assert.equal(renewAt(0, 600), 570);
  assert.equal(renewAt(0, 60), 48);
  assert.equal(renewAt(0, 10), 8);
});
