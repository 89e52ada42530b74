import assert from "node:assert/strict";
import { test } from "node:test";
import { ASSERTION_TYPE, methodsOf, ofPlatform, proved } from "../../assets/playground/auth.js";
import { objectClaims, pushing, withReference } from "../../assets/playground/authorization.js";
import { Prover } from "../../assets/playground/dpop.js";
import { authorization, basic, initOf, redemption, urlOf } from "../../assets/playground/flow.js";
import { authenticated, generated, hashed, imported, signed, thumbprint } from "../../assets/playground/jwt.js";
import { linesOf, madeFor } from "../../assets/playground/made.js";
import { merged } from "../../assets/playground/merged.js";
import { read } from "../../assets/playground/token.js";
import { verify } from "../../assets/playground/verify.js";

const run = {
  flow: "code", checks: "page", issuer: "https://id.example", clientId: "web app", redirectUri: "https://id.example/playground/callback",
  scope: "openid a", state: "s", nonce: "n", verifier: "v", challenge: "c",
};
const endpoint = "https://id.example/token";
const secret = "a secret of thirty-two characters";
const proof = { method: "public", secret, key: null, token: async () => "their.own.token" };
const valueOf = (request, name) => request.parameters.find((parameter) => parameter.name === name)?.value;
const names = (request) => request.parameters.map(({ part, name }) => `${part} ${name}`).join(", ");

test("a key of this tab signs, and cannot be read", async () => {
  for (const alg of ["ES256", "EdDSA", "PS256"]) {
    const key = await generated(alg);
    assert.equal(key.key.extractable, false, alg);
    await assert.rejects(crypto.subtle.exportKey("jwk", key.key), alg);
    assert.equal("d" in key.jwk, false, alg);
    const token = await signed(key, { kid: key.kid }, { iss: "x" });
    assert.equal((await verify(read(token), [key.jwk])).good, true, alg);
  }
});

test("a key that is pasted is taken in any form, and cannot be read either", async () => {
  for (const [alg, parameters] of [["ES256", { name: "ECDSA", namedCurve: "P-256" }], ["ES384", { name: "ECDSA", namedCurve: "P-384" }], ["EdDSA", { name: "Ed25519" }]]) {
    const { privateKey } = await crypto.subtle.generateKey(parameters, true, ["sign", "verify"]);
    const jwk = await crypto.subtle.exportKey("jwk", privateKey);
    const pem = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(await crypto.subtle.exportKey("pkcs8", privateKey)).toString("base64")}\n-----END PRIVATE KEY-----\n`;
    delete jwk.alg;
    for (const text of [JSON.stringify(jwk), JSON.stringify({ keys: [{ kty: "EC" }, jwk] }), pem]) {
      const key = await imported(text);
      assert.deepEqual([key.alg, key.key.extractable, "d" in key.jwk], [alg, false, false]);
      assert.equal((await verify(read(await signed(key, { kid: key.kid }, {})), [key.jwk])).good, true, alg);
    }
  }
  assert.equal((await imported(JSON.stringify({ ...(await crypto.subtle.exportKey("jwk", (await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"])).privateKey)), kid: "mine" }))).kid, "mine");
  for (const none of ["", "{}", "[]", '{"kty":"EC","crv":"P-256","x":"a","y":"b"}', "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]) await assert.rejects(imported(none), none);
});

test("rfc7638_3_1 the thumbprint of a key", async () => {
  const n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
  assert.equal(await thumbprint({ kty: "RSA", n, e: "AQAB", alg: "RS256" }), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
});

test("rfc8414_2 the methods are those that the metadata names", () => {
  assert.deepEqual(methodsOf({}), ["public", "basic"]);
  assert.deepEqual(methodsOf({ token_endpoint_auth_methods_supported: ["private_key_jwt", "tls_client_auth", "magic"] }), ["key", "federated", "certificate"]);
});

test("rfc6749_2_3_1 a secret stands in the header, or in the body, and never in both", async () => {
  const request = redemption(run, endpoint, "", "code");
  const header = await proved(request, run.clientId, { ...proof, method: "basic" }, run.issuer, 0);
  assert.equal(valueOf(header, "Authorization"), basic(run.clientId, secret));
  assert.equal(names(header), "header Authorization, body grant_type, body code, body redirect_uri, body code_verifier");
  const body = await proved(header, run.clientId, { ...proof, method: "post" }, run.issuer, 0);
  assert.equal(names(body), "body grant_type, body code, body redirect_uri, body code_verifier, body client_id, body client_secret");
  const none = await proved(body, run.clientId, proof, run.issuer, 0);
  assert.equal(names(none), "body grant_type, body code, body redirect_uri, body code_verifier, body client_id");
});

test("rfc7523_3 an assertion is for the issuer, short-lived, and never the same twice", async () => {
  const key = await generated();
  const make = async (method) => proved(redemption(run, endpoint, "", "code"), run.clientId, { ...proof, method, key }, run.issuer, 1000.9);
  for (const method of ["key", "mac"]) {
    const request = await make(method);
    assert.equal(valueOf(request, "client_assertion_type"), ASSERTION_TYPE);
    assert.deepEqual([valueOf(request, "client_secret"), valueOf(request, "client_id")], [undefined, undefined]);
    const { header, claims } = read(valueOf(request, "client_assertion"));
    const { jti, ...rest } = claims;
    assert.deepEqual(rest, { iss: run.clientId, sub: run.clientId, aud: run.issuer, iat: 1000, exp: 1060 });
    assert.notEqual(jti, read(valueOf(await make(method), "client_assertion")).claims.jti);
    assert.equal(header.alg, method === "key" ? "ES256" : "HS256");
  }
  assert.equal((await verify(read(valueOf(await make("key"), "client_assertion")), [key.jwk])).good, true);
});

test("rfc7515_a_1 a MAC is what others compute too", async () => {
  const { createHmac } = await import("node:crypto");
  const token = await authenticated(secret, {}, { iss: "x" });
  const [input, mac] = [token.slice(0, token.lastIndexOf(".")), token.slice(token.lastIndexOf(".") + 1)];
  assert.equal(mac, createHmac("sha256", secret).update(input).digest("base64url"));
});

test("rfc7521_4_2 a token of somebody else goes along as it is, beside the client that it speaks for", async () => {
  const request = await proved(redemption(run, endpoint, "", "code"), run.clientId, { ...proof, method: "federated" }, run.issuer, 0);
  assert.deepEqual([valueOf(request, "client_assertion"), valueOf(request, "client_id")], ["their.own.token", run.clientId]);
  const made = read(await ofPlatform(await generated(), { iss: "https://platform.example", aud: "a", sub: "s" }, 10));
  assert.deepEqual([made.claims.iss, made.claims.sub, made.claims.exp], ["https://platform.example", "s", 70]);
});

test("rfc9126_2_1 what is pushed is the request, with its client_id, however the client proves itself", async () => {
  const key = await generated();
  const request = pushing(authorization(run, "https://id.example/authorize"), "https://id.example/par");
  for (const method of ["public", "basic", "post", "mac", "key", "federated"]) {
    const whole = await proved(request, run.clientId, { ...proof, method, key }, run.issuer, 0);
    const body = new URLSearchParams(initOf(whole).body);
    assert.deepEqual(body.getAll("client_id"), [run.clientId], method);
    assert.equal(body.get("code_challenge"), "c", method);
  }
  assert.equal(urlOf(withReference(run, "https://id.example/authorize", "urn:x")), "https://id.example/authorize?client_id=web+app&request_uri=urn%3Ax");
});

test("rfc9101_4 a request object holds the parameters, and says who asks whom until when", () => {
  const claims = objectClaims(authorization(run, endpoint), run, 1000);
  assert.deepEqual([claims.iss, claims.aud, claims.exp - claims.nbf], [run.clientId, run.issuer, 300]);
  assert.deepEqual([claims.client_id, claims.response_type, claims.redirect_uri, claims.code_challenge], [run.clientId, "code", run.redirectUri, "c"]);
});

test("rfc9449_4_2 a proof is for one method, one URL without query, one token", async () => {
  const prover = new Prover(await generated());
  const request = { method: "POST", url: "https://api.example/a?b=c#d", parameters: [] };
  const token = read(valueOf(await prover.proved(request, "access", 1000.5), "DPoP"));
  const { jti, ...rest } = token.claims;
  assert.deepEqual(rest, { htm: "POST", htu: "https://api.example/a", iat: 1000, ath: await hashed("access") });
  assert.match(jti, /^[\w-]{43}$/);
  assert.equal(token.kind, "proof");
  assert.deepEqual(Object.keys(token.header.jwk).sort(), ["crv", "kty", "x", "y"]);
  assert.equal((await verify(token, [])).good, true);
  const again = await prover.proved(await prover.proved(request, "", 0), "", 0);
  assert.equal(again.parameters.length, 1, "one proof, and no second beside it");
  assert.equal("ath" in read(valueOf(again, "DPoP")).claims, false);
});

test("rfc9449_8 a nonce is kept for its origin, and a refusal for want of it is tried once more", async () => {
  const prover = new Prover(await generated());
  const request = { method: "POST", url: endpoint, parameters: [] };
  const answer = (status, error, headers) => ({ status, headers, members: error ? { error } : {} });
  assert.equal(prover.told(request, answer(400, "use_dpop_nonce", [])), false, "no nonce, no second try");
  assert.equal(prover.told(request, answer(400, "use_dpop_nonce", [["dpop-nonce", "one"]])), true);
  assert.equal(read(valueOf(await prover.proved(request, "", 0), "DPoP")).claims.nonce, "one");
  assert.equal(prover.told(request, answer(400, "use_dpop_nonce", [["dpop-nonce", "one"]])), false, "the same again helps nobody");
  assert.equal(prover.told(request, answer(200, "", [["DPoP-Nonce", "two"]])), false);
  assert.equal(read(valueOf(await prover.proved(request, "", 0), "DPoP")).claims.nonce, "two");
  const api = { method: "GET", url: "https://api.example/", parameters: [] };
  assert.equal("nonce" in read(valueOf(await prover.proved(api, "", 0), "DPoP")).claims, false, "nobody else is told");
  assert.equal(prover.told(api, answer(401, "", [["www-authenticate", 'DPoP error="use_dpop_nonce"'], ["dpop-nonce", "three"]])), true);
});

test("what somebody changed stays, and the rest is made anew", () => {
  const request = (...values) => ({ method: "POST", url: endpoint, parameters: values.map((value, at) => ({ part: "body", name: "abc"[at], value, meaning: "code" })) });
  assert.deepEqual(merged(request("1", "2", "3"), request("1", "changed", ""), request("new", "new", "new")).parameters.map(({ value }) => value), ["new", "changed", ""]);
});

test("what the page made is explained member by member", async () => {
  const key = await generated();
  const request = await new Prover(key).proved(await proved(redemption(run, endpoint, "", "code"), "c", { ...proof, method: "key", key }, run.issuer, 0), "", 0);
  const made = madeFor(request);
  assert.deepEqual(made.map(({ name }) => name), ["client_assertion", "DPoP"]);
  for (const { lines } of made) for (const { name, meaning } of lines) assert.notEqual(meaning.section, "RFC 7519 4.3", name);
  assert.equal(linesOf("client_assertion", valueOf(request, "client_assertion")).find(({ name }) => name === "sub").meaning.section, "RFC 7523 3");
  assert.deepEqual(linesOf("assertion", "gr_at_opaque"), []);
});
