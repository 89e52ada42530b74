import assert from "node:assert/strict";
import { test } from "node:test";
import { base64url, proof, proved } from "../../assets/desk/proof.js";
import { renewAt } from "../../assets/desk/time.js";

const key = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);

/** @param {string} jwt */
const parts = (jwt) => jwt.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));

test("rfc9449_4_2 a proof names the method, the URL without its query, a moment and itself", async () => {
  const jwt = await proof(key, { method: "POST", url: "https://id.example/desk/use?x=1#y" }, { now: 5, jti: "j" });
  const [header, claims] = parts(jwt);
  assert.deepEqual({ typ: header.typ, alg: header.alg }, { typ: "dpop+jwt", alg: "ES256" });
  assert.deepEqual(Object.keys(header.jwk).sort(), ["crv", "kty", "x", "y"], "nothing private, nothing else");
  assert.deepEqual(claims, { jti: "j", htm: "POST", htu: "https://id.example/desk/use", iat: 5 });
  const [head, body, signature] = jwt.split(".");
  const signed = new TextEncoder().encode(`${head}.${body}`);
  const good = await crypto.subtle.verify(
    { name: "ECDSA", hash: "SHA-256" }, key.publicKey, Buffer.from(signature, "base64url"), signed);
  assert.ok(good);
});

test("rfc9449_4_2 a proof for a token carries its hash, and the nonce that the server gave", async () => {
  const jwt = await proof(key, { method: "GET", url: "https://api.example/", nonce: "n", accessToken: "t" }, { now: 5, jti: "j" });
  const [, claims] = parts(jwt);
  const hash = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("t")));
  assert.deepEqual([claims.nonce, claims.ath], ["n", hash]);
});

test("rfc9449_8 a server that wants its nonce is asked once more, and only once", async () => {
  /** @type {{ claims: { [claim: string]: unknown }, init: RequestInit | undefined }[]} */
  const sent = [];
  /** @type {typeof fetch} */
  const send = async (_, init) => {
    const claims = parts(new Headers(init?.headers).get("DPoP") ?? "")[1];
    sent.push({ claims, init });
    const body = JSON.stringify({ error: "use_dpop_nonce" });
    return new Response(body, { status: 400, headers: { "DPoP-Nonce": `n${sent.length}` } });
  };
  const answer = await proved(key, "https://id.example/desk/use", { method: "POST", body: new URLSearchParams("a=b") }, send);
  assert.equal(answer.status, 400);
  assert.deepEqual(sent.map(({ claims }) => claims.nonce), [undefined, "n1"]);
  assert.notEqual(sent[0].claims.jti, sent[1].claims.jti, "each proof is new");
  assert.equal(sent[0].init?.credentials, "same-origin");
});

test("rfc9449_7_1 a token travels with its proof, and no cookie with it", async () => {
  /** @type {RequestInit[]} */
  const sent = [];
  /** @type {typeof fetch} */
  const send = async (_, init) => {
    sent.push(init ?? {});
    return new Response("{}", { status: 200 });
  };
  await proved(key, "https://id.example/demo/notes", { method: "GET", accessToken: "t" }, send);
  assert.equal(sent.length, 1);
  assert.equal(new Headers(sent[0].headers).get("Authorization"), "DPoP t");
  assert.equal(sent[0].credentials, "omit");
});

test("what was renewed just now is not renewed at once again", () => {
  for (const life of [1, 20, 60, 240, 600, 86400]) {
    assert.ok(renewAt(life) < life && renewAt(life) <= 60, String(life));
  }
  assert.equal(renewAt(600), 60);
});
