import assert from "node:assert/strict";
import { test } from "node:test";
import { HANDLES, LONGEST, advice, base64url, bytes, facts, read, standing } from "../../assets/playground/token.js";
import { encoded, unsigned } from "./made.js";

const access = { iss: "https://id.example", sub: "u1", aud: "https://api.example", client_id: "web", scope: "a b", iat: 100, exp: 700 };
const identity = { iss: "https://id.example", sub: "u1", aud: "web", iat: 100, exp: 700, nonce: "n" };

test("rfc8725_3_11 a token is what its typ says, however it is written", () => {
  for (const [typ, kind] of [
    ["at+jwt", "access"], ["AT+JWT", "access"], ["application/at+jwt", "access"], ["dpop+jwt", "proof"],
    ["statuslist+jwt", "status-list"], ["logout+jwt", "logout"], ["oauth-authz-req+jwt", "request"],
    ["token-introspection+jwt", "introspection"], ["secevent+jwt", "event"], ["client-authentication+jwt", "assertion"],
  ]) {
    const token = read(unsigned({ alg: "ES256", typ }, identity));
    assert.deepEqual([token.kind, token.typed], [kind, true], typ);
  }
});

test("a token without a type of its own is what it looks like, and that is said", () => {
  const client = { iss: "web", sub: "web", aud: "https://id.example", jti: "j", exp: 700 };
  const logout = { ...identity, events: { "http://schemas.openid.net/event/backchannel-logout": {} } };
  for (const [claims, kind] of [
    [identity, "id"], [client, "assertion"], [{ htm: "GET", htu: "https://a.example", jti: "j" }, "proof"], [logout, "logout"],
    [{ events: { "https://a.example/event": {} } }, "event"], [access, "jwt"], [{ ...identity, scope: "a" }, "jwt"],
    [{ sub: "u1" }, "jwt"], [{}, "jwt"], [{ events: [] }, "jwt"],
  ]) {
    const token = read(unsigned({ alg: "RS256", typ: "JWT" }, claims));
    assert.deepEqual([token.kind, token.typed], [kind, false], JSON.stringify(claims));
  }
});

test("handles of Grantor are told by their prefix", () => {
  for (const [prefix, handle] of Object.entries(HANDLES)) {
    const token = read(`${prefix}abc.def`);
    assert.deepEqual([token.kind, token.handle, token.claims], ["handle", handle, null]);
  }
});

test("what stands around a token is taken off", () => {
  const token = unsigned({ alg: "ES256", typ: "at+jwt" }, access);
  for (const pasted of [`  ${token}\n`, `Bearer ${token}`, `DPoP ${token}`, `Authorization: Bearer ${token}`, token.replace(".", ".\n  ")]) {
    assert.deepEqual([read(pasted).text, read(pasted).kind], [token, "access"]);
  }
});

test("what is no token is said to be none, and why", () => {
  const [header, claims] = [encoded({ alg: "ES256" }), encoded({})];
  for (const [text, problem] of [
    ["", "parts"], ["abc", "parts"], ["a.b", "parts"], ["a.b.c.d", "parts"], [`!.${claims}.c`, "header"],
    [`${encoded([])}.${claims}.cw`, "header"], [`${header}.e30x.cw`, "claims"], [`${header}.${encoded("text")}.cw`, "claims"],
    [`${header}.${claims}.c=`, "signature"], [`${header}.${claims}.c`, "signature"], [`${header}.${claims}.${"a".repeat(LONGEST)}`, "long"],
    [`${base64url(new Uint8Array([0x7b, 0xff, 0x7d]))}.${claims}.cw`, "header"],
  ]) {
    const token = read(text);
    assert.deepEqual([token.kind, token.problem, advice(token, 0)], ["unknown", problem, `problem-${problem}`], text.slice(0, 80));
  }
});

test("rfc7516_3_1 an encrypted token shows its header only", () => {
  const token = read(`${encoded({ alg: "RSA-OAEP-256", enc: "A256GCM" })}.a.b.c.d`);
  assert.deepEqual([token.kind, token.header.enc, token.claims], ["jwe", "A256GCM", null]);
});

test("facts are what the claims say, and nothing where they say nothing", () => {
  const bound = { ...access, cnf: { jkt: "thumb" }, status: { status_list: { idx: 7, uri: "https://id.example/1" } } };
  const known = facts(read(unsigned({ alg: "ES256", typ: "at+jwt" }, bound)));
  assert.deepEqual(known, {
    issuer: "https://id.example", application: "web", identifies: "user", subject: "u1", organisation: null, audience: ["https://api.example"],
    scopes: ["a", "b"], binding: "dpop", key: "thumb", status: { list: "https://id.example/1", index: 7 }, issued: 100, starts: null, expires: 700,
  });
  const strange = { iss: 1, sub: {}, aud: [1, "x"], scope: [], cnf: "no", status: [], iat: "100", exp: 1e300 };
  assert.deepEqual(facts(read(unsigned({ alg: "ES256", typ: "at+jwt" }, strange))), {
    issuer: null, application: null, identifies: "nobody", subject: null, organisation: null, audience: ["x"], scopes: [], binding: "none", key: null,
    status: null, issued: null, starts: null, expires: null,
  });
});

test("rfc9068_2_2 an application that acts for itself is no user", () => {
  const of = (claims, typ = "at+jwt") => facts(read(unsigned({ alg: "ES256", typ }, claims)));
  assert.equal(of({ ...access, sub: "web" }).identifies, "application");
  assert.equal(of({ ...access, idtyp: "app" }).identifies, "application");
  assert.equal(of(access).identifies, "user");
  assert.deepEqual([of(identity, "JWT").application, of(identity, "JWT").identifies], ["web", "user"]);
  assert.equal(of({ ...access, cnf: { "x5t#S256": "hash" } }).binding, "mtls");
  assert.equal(of({ ...access, cnf: { kid: "k" } }).binding, "key");
});

test("rfc7519_4_1_4 a token is over in the second in which it expires", () => {
  const known = { ...facts(read("")), starts: 50, expires: 700 };
  for (const [now, state] of [[49, "early"], [50, "good"], [699.9, "good"], [700, "expired"]]) assert.equal(standing(known, now), state);
  assert.equal(standing({ ...known, expires: null }, 9999), "timeless");
});

test("the advice is about use: expired before all else, then the binding", () => {
  const token = (claims) => read(unsigned({ alg: "ES256", typ: "at+jwt" }, claims));
  assert.equal(advice(token(access), 200), "use-access");
  assert.equal(advice(token({ ...access, cnf: { jkt: "t" } }), 200), "use-access-dpop");
  assert.equal(advice(token({ ...access, cnf: { jkt: "t" } }), 700), "use-expired");
  assert.equal(advice(token({ ...access, nbf: 300 }), 200), "use-early");
  assert.equal(advice(read(unsigned({ alg: "ES256" }, identity)), 200), "use-id");
  assert.equal(advice(read("gr_rt_x"), 200), "use-handle-refresh");
});

test("rfc7515_2 base64url has no padding and no other alphabet", () => {
  for (const raw of [[], [0], [255, 254], [251, 239, 190], [1, 2, 3, 4]]) {
    assert.deepEqual([...bytes(base64url(new Uint8Array(raw)))], raw);
  }
  for (const text of ["a", "ab=", "a+b/", "ä", "a b"]) assert.equal(bytes(text), null, text);
});
