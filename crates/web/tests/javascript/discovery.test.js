import assert from "node:assert/strict";
import { test } from "node:test";
import { byHand, challenge, envelope, isOf, isWithin, places, resourceFault, resourcePlace, usable } from "../../assets/playground/discovery.js";

test("rfc8414_3_1 the well-known part comes before the path, and in OpenID Connect behind it", () => {
  const openid = "/.well-known/openid-configuration";
  const oauth = "/.well-known/oauth-authorization-server";
  for (const root of ["https://a.example", "https://a.example/"]) {
    assert.deepEqual(places(root), [`https://a.example${openid}`, `https://a.example${oauth}`]);
  }
  const path = "https://a.example:8443/realms/one";
  assert.deepEqual(places(path), [`${path}${openid}`, `https://a.example:8443${oauth}/realms/one`, `https://a.example:8443${openid}/realms/one`]);
  for (const none of ["https://a.example/?x=1", "https://a.example/#x", "a.example", "javascript:alert(1)", ""]) assert.deepEqual(places(none), [], none);
});

test("rfc8414_3_3 metadata names its own issuer, character by character", () => {
  assert.ok(isOf({ issuer: "https://a.example" }, "https://a.example"));
  for (const other of ["https://a.example/", "https://A.example", "https://b.example", ["https://a.example"], undefined]) {
    assert.ok(!isOf({ issuer: other }, "https://a.example"), String(other));
  }
});

test("endpoints by hand are metadata, without what was left empty", () => {
  const made = byHand("https://a.example", { token_endpoint: "https://a.example/t", userinfo_endpoint: "", other: "x" });
  assert.deepEqual(made, {
    issuer: "https://a.example", token_endpoint: "https://a.example/t",
    grant_types_supported: ["authorization_code", "client_credentials", "refresh_token"],
  });
});

test("an endpoint is an http or https URL, or none", () => {
  const good = { issuer: "x", token_endpoint: "https://a.example/t", response_types_supported: ["code"], jwks_uri: "http://localhost/k" };
  assert.deepEqual(usable({ ...good, authorization_endpoint: "javascript:alert(1)", op_policy_uri: "data:,x", revocation_endpoint: 7 }), good);
  assert.equal(byHand("x", { token_endpoint: "javascript:alert(1)" }).token_endpoint, undefined);
});

test("rfc9728_5_1 the challenge names the metadata, and a description names nothing", () => {
  const said = (...values) => challenge(values.map((value) => ["WWW-Authenticate", value]));
  assert.deepEqual(said('Bearer realm="x", resource_metadata="https://a.example/m", scope="a b"'), { metadata: "https://a.example/m", scope: "a b" });
  assert.deepEqual(said('Basic realm="x"', "DPoP algs=\"ES256\", Resource_Metadata=https://a.example/m"), { metadata: "https://a.example/m", scope: null });
  assert.deepEqual(said('Bearer error_description="a, resource_metadata=\\"https://evil.example\\", scope=b"'), { metadata: null, scope: null });
  assert.deepEqual(said('Bearer resource_metadata="https://a.example/\\"q"'), { metadata: 'https://a.example/"q', scope: null });
  assert.deepEqual(challenge([["x-other", 'resource_metadata="https://evil.example"']]), { metadata: null, scope: null });
});

test("rfc9728_3_1 without a challenge the metadata is at the well-known place of the API", () => {
  assert.equal(resourcePlace("https://a.example"), "https://a.example/.well-known/oauth-protected-resource");
  assert.equal(resourcePlace("https://a.example/v1/notes?x=1"), "https://a.example/.well-known/oauth-protected-resource/v1/notes?x=1");
  assert.equal(resourcePlace("file:///etc/passwd"), null);
});

test("rfc9728_3_3 metadata of another API is worth nothing", () => {
  const resource = "https://a.example/notes";
  const servers = ["https://idp.example"];
  assert.equal(resourceFault({ resource, authorization_servers: servers }, resource), null);
  for (const other of ["https://a.example/notes/", "https://a.example", "https://b.example/notes", undefined]) {
    assert.equal(resourceFault({ resource: other, authorization_servers: servers }, resource), "resource-other", String(other));
  }
  for (const none of [[], undefined, "https://idp.example", [7]]) assert.equal(resourceFault({ resource, authorization_servers: none }, resource), "resource-no-server");
});

test("only listed origins are within reach, and a demo reaches this machine", () => {
  const listed = { origins: ["https://idp.example"], loopback: false };
  assert.ok(isWithin("https://idp.example/token?x", listed));
  for (const other of ["https://idp.example:8443/", "http://idp.example/", "https://idp.example.evil.example/", "https://idp.example@evil.example/", "http://localhost/", "", "x"]) {
    assert.ok(!isWithin(other, listed), other);
  }
  const demo = { origins: [], loopback: true };
  for (const here of ["http://localhost:9000/", "http://127.0.0.1:1/x", "https://[::1]:3/"]) assert.ok(isWithin(here, demo), here);
  for (const other of ["http://localhost.evil.example/", "http://127.0.0.1.evil.example/", "https://10.0.0.1/", "ftp://localhost/"]) assert.ok(!isWithin(other, demo), other);
});

test("an envelope holds what a request is, and no more", () => {
  assert.deepEqual(JSON.parse(envelope("https://a.example", {})), { method: "GET", url: "https://a.example", headers: [] });
  const init = { method: "POST", headers: { DPoP: "p" }, body: "a=b", credentials: /** @type {const} */ ("include") };
  assert.deepEqual(JSON.parse(envelope("https://a.example", init)), { method: "POST", url: "https://a.example", headers: [["dpop", "p"]], body: "a=b" });
});
