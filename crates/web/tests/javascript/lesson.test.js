import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ATTACKS } from "../../assets/playground/attacks.js";
import { THINGS, WAYS, byAttack, byExchange } from "../../assets/playground/lesson.js";

const parameter = (name, value) => ({ part: "body", name, value, meaning: name });
const exchange = (step, status, parameters = [], members = {}) =>
  ({ step, request: { method: "POST", url: "", parameters }, answer: { status, headers: [], body: "", members } });

test("a token that came counts as got, however it came", () => {
  for (const step of ["token", "client", "poll"]) assert.deepEqual(byExchange(exchange(step, 200, [], { access_token: "t" }), []), ["get"]);
  assert.deepEqual(byExchange(exchange("refresh", 200, [], { access_token: "t" }), []), ["get", "refresh"]);
  assert.deepEqual(byExchange(exchange("token", 400, [], { access_token: "t" }), []), []);
  assert.deepEqual(byExchange(exchange("push", 201), []), []);
});

test("a token counts as revoked when the API has refused that very one", () => {
  const call = (status, token) => exchange("api", status, [parameter("Authorization", `Bearer ${token}`)]);
  const revoked = exchange("revoke", 200, [parameter("token", "t")]);
  assert.deepEqual(byExchange(call(200, "t"), []), ["use"]);
  assert.deepEqual(byExchange(call(401, "t"), [revoked]), ["revoke"]);
  for (const [status, token, all] of [[401, "u", [revoked]], [403, "t", [revoked]], [401, "t", []], [401, "t", [exchange("revoke", 400, [parameter("token", "t")])]]]) {
    assert.deepEqual(byExchange(call(status, token), all), []);
  }
});

test("an attack counts when it has shown what it is there to show", () => {
  assert.deepEqual([byAttack("bearer-stolen", "succeeded"), byAttack("bearer-stolen", "caught")], [["steal"], ["revoke"]]);
  assert.deepEqual(["caught", "succeeded", "unproved", "stuck"].flatMap((came) => byAttack("bound-as-bearer", came)), ["protect"]);
  for (const id of ["bearer-stolen", "bound-as-bearer"]) assert.ok(ATTACKS.some((attack) => attack.id === id), id);
});

test("the page has every thing once, in this order, and a way to it", () => {
  const page = readFileSync(new URL("../../templates/playground-lesson.html", import.meta.url), "utf8");
  assert.deepEqual([...page.matchAll(/\{\{ thing\("(\w+)"/g)].map(([, name]) => name), THINGS);
  for (const thing of THINGS) assert.ok(WAYS[thing].length > 0, thing);
});
