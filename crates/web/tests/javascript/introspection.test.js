import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, introspected, isAskable, question, revoked } from "../../assets/playground/introspection.js";
import { read } from "../../assets/playground/token.js";
import { encoded, unsigned } from "./made.js";

test("rfc7662_2_1 the token goes in the body, and the secret in the header", () => {
  const asked = question("a+b", { clientId: "me", secret: "s:t" });
  assert.equal(asked.body, "token=a%2Bb");
  assert.equal(new Headers(asked.headers).get("Authorization"), `Basic ${btoa("me:s%3At")}`);
  const open = question("a", { clientId: "me", secret: "" });
  assert.deepEqual([open.body, new Headers(open.headers).get("Authorization")], ["token=a&client_id=me", null]);
});

test("rfc7662_2_2 what is not said to be active is not", () => {
  assert.equal(introspected(200, { active: true }), "introspected-active");
  assert.equal(introspected(200, { active: false, sub: "u1" }), "introspected-inactive");
  for (const active of [undefined, "true", 1, null]) assert.equal(introspected(200, { active }), "introspected-malformed", String(active));
  assert.deepEqual([401, 403, 400, 500].map((status) => introspected(status, { active: true })),
    ["introspected-unauthorized", "introspected-forbidden", "introspected-refused", "introspected-refused"]);
});

test("rfc7009_2_2 revocation says 200, 401, 503 or no", () => {
  assert.deepEqual([200, 401, 503, 400, 404].map(revoked), ["revoked-done", "revoked-unauthorized", "revoked-later", "revoked-refused", "revoked-refused"]);
});

test("an answer says whom the token identifies", () => {
  const whom = (members) => [factsOf(members).identifies, factsOf(members).subject, factsOf(members).organisation];
  assert.deepEqual(whom({ active: true, sub: "u1", client_id: "app" }), ["user", "u1", null]);
  assert.deepEqual(whom({ active: true, sub: "app", client_id: "app" }), ["application", "app", null]);
  assert.deepEqual(whom({ active: true, client_id: "app" }), ["nobody", null, null]);
  assert.deepEqual(whom({ active: true, sub: "u1", org_id: "northwind" }), ["user", "u1", "northwind"]);
});

test("an issuer is asked about its own tokens alone", () => {
  const token = (header, claims) => read(unsigned(header, claims));
  for (const askable of ["gr_at_x", "gr_rt_x", "opaque-of-another-server"]) assert.ok(isAskable(read(askable)), askable);
  assert.ok(isAskable(token({ typ: "at+jwt" }, {})));
  for (const other of ["gr_ac_x", "gr_cs_x", "", "a".repeat(70000)]) assert.ok(!isAskable(read(other)), other.slice(0, 10));
  assert.ok(!isAskable(token({ typ: "dpop+jwt" }, {})));
  assert.equal(typeof encoded({}), "string");
});
