import assert from "node:assert/strict";
import { test } from "node:test";
import { ownTime } from "../../assets/playground/ask.js";
import { formOf, isBound, isKept } from "../../assets/playground/desk.js";

const run = { clientId: "app", issuer: "https://id.example", scope: "openid a" };
const by = { csrf: "tag", method: "public", secret: "" };
const members = { access_token: "at", refresh_token: "rt", id_token: "it", token_type: "Bearer", expires_in: 600, scope: "a" };

test("what goes on the desk is what came, with whose it is", () => {
  assert.deepEqual(Object.fromEntries(formOf(run, members, by)), {
    csrf: "tag", do: "add", name: "app: a", access_token: "at", refresh_token: "rt", id_token: "it", issuer: "https://id.example", client_id: "app", scope: "a", expires_in: "600",
  });
  const bare = formOf(run, { access_token: "at" }, by);
  assert.deepEqual([bare.has("refresh_token"), bare.has("expires_in"), bare.get("scope")], [false, false, "openid a"]);
});

test("the secret goes along where it is what the client renews with", () => {
  const secretOf = (method, secret = "s") => formOf(run, members, { ...by, method, secret }).get("client_secret");
  assert.deepEqual(["basic", "post", "mac", "key", "public"].map((method) => secretOf(method)), ["s", "s", null, null, null]);
  assert.equal(secretOf("basic", ""), null);
});

test("a name is as long as the desk takes it, and no character is cut in two", () => {
  const name = formOf({ ...run, clientId: "😀".repeat(200) }, members, by).get("name");
  assert.deepEqual([Array.from(name).length, name], [100, "😀".repeat(100)]);
});

test("rfc9449_5 tokens bound to a key are no use elsewhere", () => {
  assert.deepEqual(["DPoP", "dpop", "Bearer", undefined].map((token_type) => isBound({ token_type })), [true, true, false, false]);
});

test("the desk says in its address whether it took the token", () => {
  const desk = "https://id.example/desk";
  assert.deepEqual([`${desk}?notice=done&workspace=w`, `${desk}?notice=full`, desk, "https://id.example/signin"].map(isKept), [true, false, false, false]);
});

test("the server's own time is read from Server-Timing, and no other's", () => {
  assert.deepEqual(["grantor;dur=7", "db;dur=3, grantor;dur=0.25", "other;dur=9", "notgrantor;dur=9", ""].map(ownTime), [7, 0.25, null, null, null]);
});
