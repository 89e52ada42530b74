import assert from "node:assert/strict";
import { test } from "node:test";
import { read } from "../../assets/playground/token.js";
import { carriesItsKey, hopeless, verify } from "../../assets/playground/verify.js";
import { encoded, signed, unsigned } from "./made.js";

const issuer = "https://id.example";
const claims = { iss: issuer, sub: "u1", aud: "https://api.example", exp: 700 };

test("rfc7515_5_2 a good signature is good, and one changed character makes it wrong", async () => {
  for (const alg of ["ES256", "ES384", "RS256", "PS256", "EdDSA"]) {
    const { token, jwk } = await signed(alg, claims);
    const other = (await signed(alg, claims)).jwk;
    assert.deepEqual(await verify(read(token), [jwk]), { good: true, key: `key of ${alg}` }, alg);
    const [header, , signature] = token.split(".");
    const tampered = `${header}.${encoded({ ...claims, sub: "u2" })}.${signature}`;
    assert.equal((await verify(read(tampered), [jwk])).why, "unverified-wrong", alg);
    assert.equal((await verify(read(token), [other])).why, "unverified-wrong", alg);
    assert.equal((await verify(read(`${header}.${token.split(".")[1]}.`), [jwk])).why, "unverified-wrong", alg);
  }
});

test("rfc7515_4_1_4 the key that the token names is taken, and no other", async () => {
  const { token, jwk } = await signed("ES256", claims);
  assert.deepEqual(await verify(read(token), [{ ...jwk, kid: "another" }]), { good: false, why: "unverified-unknown-key", detail: "key of ES256" });
  assert.equal((await verify(read(token), [])).why, "unverified-unknown-key");
  const nameless = await signed("ES256", claims, () => ({ typ: "at+jwt" }));
  const other = (await signed("ES256", claims)).jwk;
  assert.equal((await verify(read(nameless.token), [other, nameless.jwk])).good, true, "without a name each is tried");
});

test("rfc8725_3_1 a key is used with its own algorithm and for signatures only", async () => {
  const { token, jwk } = await signed("RS256", claims);
  assert.equal((await verify(read(token), [{ ...jwk, alg: "PS256" }])).why, "unverified-other-algorithm");
  assert.equal((await verify(read(token), [{ ...jwk, use: "enc" }])).why, "unverified-other-algorithm");
  const curve = (await signed("ES384", claims)).jwk;
  const { token: small } = await signed("ES256", claims);
  assert.equal((await verify(read(small), [{ ...curve, alg: undefined, kid: "key of ES256" }])).why, "unverified-algorithm");
});

test("what cannot be verified is said at once, and why", () => {
  const of = (header, more = {}) => hopeless(read(unsigned(header, { ...claims, ...more })), (asked) => asked === issuer)?.why;
  const typ = "at+jwt";
  assert.equal(of({ alg: "ES256", typ }), undefined);
  assert.equal(of({ alg: "none", typ }), "unverified-unsigned");
  assert.equal(of({ alg: "NoNe", typ }), "unverified-unsigned");
  assert.equal(of({ typ }), "unverified-algorithm");
  assert.equal(of({ alg: "HS256", typ }), "unverified-symmetric");
  assert.equal(of({ alg: "toString", typ }), "unverified-algorithm");
  assert.equal(of({ alg: "ES256", typ, crit: ["b64"] }), "unverified-critical");
  assert.equal(of({ alg: "ES256", typ }, { iss: "https://other.example" }), "unverified-other-issuer");
  assert.equal(of({ alg: "ES256", typ }, { iss: `${issuer}/` }), "unverified-other-issuer");
  assert.equal(of({ alg: "ES256", typ: "client-authentication+jwt" }), "unverified-of-client");
  assert.equal(hopeless(read(`${encoded({ enc: "A256GCM" })}.a.b.c.d`), () => true).why, "unverified-encrypted");
  assert.equal(hopeless(read("gr_at_x"), () => true).why, "unverified-opaque");
});

test("rfc9449_4_2 a proof is verified with the key that it carries, and an access token never is", async () => {
  const proof = { htm: "GET", htu: "https://api.example", jti: "j", iat: 100 };
  const { token } = await signed("ES256", proof, (jwk) => ({ typ: "dpop+jwt", jwk }));
  assert.equal(hopeless(read(token), () => false), null);
  assert.equal((await verify(read(token), [])).good, true);
  const forged = await signed("ES256", claims, (jwk) => ({ typ: "at+jwt", jwk }));
  assert.equal(carriesItsKey(read(forged.token)), false);
  const ours = (await signed("ES256", claims)).jwk;
  assert.equal((await verify(read(forged.token), [ours])).why, "unverified-wrong");
});
