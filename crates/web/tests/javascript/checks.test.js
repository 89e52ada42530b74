import assert from "node:assert/strict";
import { test } from "node:test";
import { findings, ofMetadata, ofResponse } from "../../assets/playground/checks.js";
import { METADATA_RULES, RESPONSE_RULES, RULES } from "../../assets/playground/rules.js";
import { WORDS } from "../../assets/playground/words.js";
import { unsigned } from "./made.js";

const issuer = "https://id.example";
const run = { flow: "code", issuer, scope: "notes:read", state: "s", method: "public" };
const secret = "x".repeat(43);
const metadata = {
  issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, userinfo_endpoint: `${issuer}/userinfo`,
  introspection_endpoint: `${issuer}/introspect`, jwks_uri: `${issuer}/jwks`, response_types_supported: ["code"], scopes_supported: ["openid"],
  grant_types_supported: ["authorization_code"], code_challenge_methods_supported: ["S256"], authorization_response_iss_parameter_supported: true,
  token_endpoint_auth_methods_supported: ["none", "private_key_jwt"], token_endpoint_auth_signing_alg_values_supported: ["ES256"],
  dpop_signing_alg_values_supported: ["ES256"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"],
};
const idToken = unsigned({ alg: "ES256" }, { sub: "u" });
const body = (name, value) => ({ part: "body", name, value, meaning: name });
const header = (name, value) => ({ part: "header", name, value, meaning: name });
const STORED = [["content-type", "application/json"], ["cache-control", "no-store"]];

/** An answer that every rule is content with, of each kind; a test changes one thing of it. */
const GOOD = {
  token: { step: "token", status: 200, members: { access_token: unsigned({ alg: "ES256" }, { aud: "a", scope: "notes:read" }), token_type: "Bearer", expires_in: 600, refresh_token: secret } },
  machine: { step: "client", status: 200, members: { access_token: "opaque", token_type: "Bearer", expires_in: 600 } },
  refresh: { step: "refresh", status: 200, sent: [body("refresh_token", "old")], members: { access_token: "opaque", token_type: "Bearer", expires_in: 600, refresh_token: "new", scope: "notes:read" } },
  bound: { step: "token", status: 200, sent: [header("DPoP", "p")], members: { access_token: unsigned({}, { aud: "a", cnf: { jkt: "k" } }), token_type: "DPoP", expires_in: 600, scope: "notes:read" } },
  error: { step: "token", status: 400, members: { error: "invalid_grant", error_description: "no" } },
  device: { step: "device", status: 200, members: { device_code: secret, user_code: "ABCD-EFGH", verification_uri: `${issuer}/device`, expires_in: 600, interval: 5 } },
  pushed: { step: "push", status: 201, members: { request_uri: `urn:ietf:params:oauth:request_uri:${secret}`, expires_in: 90 } },
  userinfo: { step: "api", url: `${issuer}/userinfo`, status: 200, members: { sub: "u" } },
  introspection: { step: "api", url: `${issuer}/introspect`, status: 200, members: { active: false } },
  revoked: { step: "revoke", url: `${issuer}/revoke`, status: 200, members: {} },
  challenge: { step: "api", status: 401, sent: [header("Authorization", "Bearer t")], headers: [["www-authenticate", 'Bearer error="invalid_token"']], members: {} },
  called: { step: "api", status: 200, sent: [header("Authorization", "Bearer t")], members: {} },
};
const earlier = [{ step: "token", request: {}, answer: { status: 200, headers: [], members: { access_token: "a", id_token: idToken } } }];

const held = (kind, change = {}) => {
  const { step, status, members, sent = [], headers = STORED, url = `${issuer}/token` } = { ...GOOD[kind], ...change, members: { ...GOOD[kind].members, ...change.members } };
  const kept = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
  return findings({ step, request: { method: "POST", url, parameters: sent }, answer: { status, headers, body: "", members: kept } }, { ...run, ...change.run }, change.earlier ?? earlier, metadata);
};
const broken = (kind, change) => held(kind, change).deviations.map(({ name }) => name);
const tested = new Set();
const breaks = (kind, name, change, others = []) => {
  assert.deepEqual(broken(kind, change).sort(), [name, ...others].sort(), `${kind} ${name}`);
  tested.add(name);
};

test("a good answer of every kind is held against rules, and there is nothing to complain about", () => {
  for (const kind of Object.keys(GOOD)) {
    assert.deepEqual(held(kind).deviations, [], kind);
    if (kind !== "called") assert.ok(held(kind).held >= 1, kind);
  }
  assert.ok(held("token").held >= 10);
});

test("rfc6749_5_1 an answer with tokens", () => {
  breaks("token", "json", { headers: [["content-type", "text/html"], ["cache-control", "no-store"]] });
  breaks("token", "no-store", { headers: STORED.slice(0, 1) });
  breaks("token", "token-status", { status: 201 });
  breaks("token", "token-given", { members: { access_token: undefined } });
  breaks("token", "token-type", { members: { token_type: undefined } });
  breaks("token", "token-type-known", { members: { token_type: "mac" } });
  breaks("token", "expires-in", { members: { expires_in: undefined } });
  breaks("token", "expires-in-number", { members: { expires_in: "600" } });
  breaks("token", "scope-text", { members: { scope: ["notes:read"] } });
  breaks("token", "scope-said", { run: { scope: "notes:read notes:write" } });
  assert.deepEqual(broken("token", { run: { scope: "openid notes:read" }, members: { id_token: idToken } }), [], "openid is for the ID token, and stands in no access token");
  breaks("token", "id-token-given", { run: { scope: "openid notes:read" } });
  breaks("token", "token-narrow", { members: { access_token: unsigned({}, { scope: "notes:read" }) } });
  breaks("machine", "refresh-of-machine", { members: { refresh_token: secret } });
});

test("rfc9449_5 a token is bound when a proof was sent, and only then", () => {
  breaks("token", "token-type-unasked", { members: { token_type: "DPoP", access_token: "opaque" } });
  breaks("bound", "token-type-asked", { members: { token_type: "Bearer" } });
  breaks("bound", "token-bound", { members: { access_token: unsigned({}, { aud: "a" }) } });
});

test("rfc9700_4_14_2 the refresh token of a public client is replaced, or bound", () => {
  breaks("refresh", "refresh-replaced", { members: { refresh_token: undefined } });
  breaks("refresh", "refresh-replaced", { members: { refresh_token: "old" } });
  assert.deepEqual(broken("refresh", { members: { refresh_token: undefined }, run: { method: "key" } }), [], "a confidential client proves itself");
  assert.deepEqual(broken("refresh", { sent: [body("refresh_token", "old"), header("DPoP", "p")], members: { refresh_token: undefined, token_type: "DPoP" } }), [], "a bound one needs its key");
  breaks("refresh", "scope-not-wider", { members: { scope: "notes:read notes:write" } });
});

test("rfc6749_5_2 an error", () => {
  breaks("error", "error-code", { members: { error: undefined } });
  breaks("error", "error-known", { members: { error: "oops" } });
  breaks("error", "error-characters", { members: { error_description: 'a "word"' } });
  breaks("error", "error-status", { status: 403 });
  breaks("error", "error-alone", { members: { access_token: "t" } });
  breaks("error", "no-store-beside", { headers: STORED.slice(0, 1) });
  breaks("error", "error-challenge", { sent: [header("Authorization", "Basic x")], status: 401, members: { error: "invalid_client" } });
  breaks("error", "error-nonce", { members: { error: "use_dpop_nonce" } });
  const told = [...STORED, ["www-authenticate", "Basic"], ["dpop-nonce", "n"]];
  assert.deepEqual(broken("error", { sent: [header("Authorization", "Basic x")], status: 401, members: { error: "invalid_client" }, headers: told }), []);
  assert.deepEqual(broken("error", { members: { error: "use_dpop_nonce" }, headers: told }), []);
});

test("rfc8628_3_2 the codes of a device", () => {
  breaks("device", "device-members", { members: { verification_uri: undefined } });
  breaks("device", "device-expires", { members: { expires_in: undefined } });
  breaks("device", "device-interval", { members: { interval: "5" } });
  breaks("device", "device-secret", { members: { device_code: "short" } });
  breaks("device", "device-typed", { members: { user_code: "ABCDEFGHIJKLMNOP" } });
});

test("rfc7009_2_2 a token that was taken back", () => {
  breaks("revoked", "revoked-status", { status: 204 });
});

test("rfc9126_2_2 the reference of a pushed request", () => {
  breaks("pushed", "pushed-status", { status: 200 });
  breaks("pushed", "pushed-reference", { members: { request_uri: "urn:1" } });
  breaks("pushed", "pushed-expires", { members: { expires_in: 1.5 } }, ["pushed-short"]);
  breaks("pushed", "pushed-short", { members: { expires_in: 86400 } });
});

test("openid_connect_core_5_3_2 userinfo is about whom the ID token is about", () => {
  breaks("userinfo", "userinfo-type", { headers: [["content-type", "text/plain"]] });
  breaks("userinfo", "userinfo-subject", { members: { sub: undefined } });
  breaks("userinfo", "userinfo-same", { members: { sub: "somebody else" } });
});

test("rfc7662_2_2 introspection says whether, and of what is not active nothing else", () => {
  breaks("introspection", "introspection-active", { members: { active: "true" } });
  breaks("introspection", "introspection-silent", { members: { active: false, sub: "u" } });
});

test("rfc6750_3 a challenge", () => {
  const says = (value) => ({ headers: [["www-authenticate", value]] });
  breaks("challenge", "challenge-there", { headers: [] });
  breaks("challenge", "challenge-error", says("Bearer"));
  assert.deepEqual(broken("challenge", { ...says("Bearer"), sent: [header("Authorization", "Token t")] }), [], "who did not know how to ask is told nothing more (RFC 6750 3.1)");
  breaks("challenge", "challenge-status", { status: 403 });
  breaks("challenge", "challenge-status", says('Bearer error="insufficient_scope"'));
  breaks("challenge", "challenge-dpop", { ...says('Bearer error="invalid_token"'), sent: [header("Authorization", "DPoP t")] });
  breaks("challenge", "challenge-nonce", says('DPoP error="use_dpop_nonce"'));
  breaks("called", "query-refused", { sent: [{ part: "query", name: "access_token", value: "t", meaning: "access_token" }] });
});

test("rfc6749_4_1_2 an authorization response", () => {
  const good = { code: secret, state: "s", iss: issuer };
  const of = (members, more = {}) => ofResponse(new URLSearchParams(members), run, { ...metadata, ...more }).deviations.map(({ name }) => name);
  assert.deepEqual(of(good), []);
  assert.deepEqual(of({ error: "access_denied", state: "s", iss: issuer }), []);
  for (const [names, members, more] of [
    [["response-once"], [...Object.entries(good), ["state", "s"]]], [["response-one"], { ...good, error: "access_denied" }],
    [["response-state"], { ...good, state: "t" }], [["response-issuer"], { code: secret, state: "s" }], [["response-issuer-same"], { ...good, iss: `${issuer}/` }],
    [["response-issuer-promised"], good, { authorization_response_iss_parameter_supported: undefined }], [["response-error-known"], { error: "oops", state: "s", iss: issuer }],
    [["response-error-characters"], { error: "access_denied", error_description: "\n", state: "s", iss: issuer }],
    [["response-no-token"], { access_token: "t", state: "s", iss: issuer }], [["response-unguessable"], { ...good, code: "12345" }],
  ]) {
    assert.deepEqual(of(members, more), names);
    names.forEach((name) => tested.add(name));
  }
});

test("rfc8414_2 metadata", () => {
  assert.deepEqual(ofMetadata(metadata, issuer).deviations, []);
  for (const [name, change, others = []] of [
    ["metadata-issuer", { issuer: "https://other.example" }], ["metadata-issuer-plain", { issuer: `${issuer}?a` }, ["metadata-issuer"]],
    ["metadata-issuer-plain", { issuer: "http://id.example" }, ["metadata-issuer"]], ["metadata-endpoints", { token_endpoint: undefined }],
    ["metadata-https", { jwks_uri: "http://id.example/jwks" }], ["metadata-response-types", { response_types_supported: undefined }],
    ["metadata-pkce", { code_challenge_methods_supported: undefined }], ["metadata-pkce-plain", { code_challenge_methods_supported: ["S256", "plain"] }],
    ["metadata-implicit", { grant_types_supported: undefined }], ["metadata-password", { grant_types_supported: ["password"] }],
    ["metadata-iss", { authorization_response_iss_parameter_supported: false }], ["metadata-assertions", { token_endpoint_auth_signing_alg_values_supported: ["none"] }],
    ["metadata-dpop", { dpop_signing_alg_values_supported: ["HS256"] }], ["metadata-keys", { jwks_uri: undefined }], ["metadata-subjects", { subject_types_supported: undefined }],
    ["metadata-id-token", { id_token_signing_alg_values_supported: ["ES256"] }], ["metadata-strong", { token_endpoint_auth_methods_supported: ["client_secret_basic"] }],
  ]) {
    const found = ofMetadata({ ...metadata, ...change }, issuer).deviations.map((deviation) => deviation.name);
    assert.deepEqual(found.sort(), [name, ...others].sort(), name);
    tested.add(name);
  }
  assert.deepEqual(ofMetadata({ ...metadata, issuer: "http://localhost:8080" }, "http://localhost:8080").deviations, [], "loopback needs no TLS");
});

test("every rule has a test that breaks it, and says what is wrong in both languages", () => {
  const all = [...RULES, ...RESPONSE_RULES, ...METADATA_RULES];
  assert.deepEqual([...new Set(all.map(({ name }) => name))].filter((name) => !tested.has(name)), []);
  for (const { name, section } of all) {
    assert.ok(`rule-${name}` in WORDS, name);
    assert.match(section, /^(RFC \d{4}|OpenID Connect (Core|Discovery)) \d+(\.\d+)*$/, name);
  }
});
