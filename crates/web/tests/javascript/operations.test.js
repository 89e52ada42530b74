import assert from "node:assert/strict";
import { test } from "node:test";
import { declared, described } from "../../assets/playground/operations.js";

test("what a declaration lists stands behind its audience, in the page's language", () => {
  const said = {
    audience: "https://api.example/notes/",
    operations: [
      { method: "GET", summary: { en: "Read", de: "Lesen" }, scope: "notes:read" },
      { method: "DELETE", path: "/{id}", summary: "Delete", scope: "notes:write" },
      { method: "POST", path: "?x=1", body: "milk" },
      { method: "CONNECT" }, null, "GET", { method: "get" },
    ],
  };
  assert.deepEqual(declared(said, "de"), [
    { method: "GET", url: "https://api.example/notes/", summary: "Lesen", scopes: ["notes:read"], body: "" },
    { method: "DELETE", url: "https://api.example/notes/{id}", summary: "Delete", scopes: ["notes:write"], body: "" },
    { method: "POST", url: "https://api.example/notes/?x=1", summary: "", scopes: [], body: "milk" },
  ]);
  for (const nothing of [null, [], "x", {}, { audience: "https://a.example" }, { audience: 1, operations: [{ method: "GET" }] }]) assert.deepEqual(declared(nothing, "en"), []);
});

const at = "https://api.example/v1/openapi.json";
const document = {
  openapi: "3.1.0",
  servers: [{ url: "/v2/" }, { url: "https://other.example" }],
  security: [{ oauth: ["read"] }],
  paths: {
    "/notes": {
      summary: "not a method",
      parameters: [{ in: "query", name: "page size", required: true }],
      get: { summary: "Read", parameters: [{ in: "query", name: "q" }, { in: "header", name: "h", required: true }] },
      post: { operationId: "write", security: [{ oauth: ["write", "write"], key: [] }, {}], requestBody: { content: { "application/json": { example: { text: "milk" } } } } },
      GET: { summary: "in capitals it is no method" },
    },
    "/notes/{id}": { delete: { security: [] }, trace: {} },
    "//evil.example": { get: {} },
    "no-slash": { get: {} },
  },
};

test("an OpenAPI document says paths, methods, summaries, scopes and examples", () => {
  assert.deepEqual(described(document, at), [
    { method: "GET", url: "https://api.example/v2/notes?page%20size={page size}", summary: "Read", scopes: ["read"], body: "" },
    { method: "POST", url: "https://api.example/v2/notes?page%20size={page size}", summary: "write", scopes: ["write"], body: '{\n  "text": "milk"\n}' },
    { method: "DELETE", url: "https://api.example/v2/notes/{id}", summary: "", scopes: [], body: "" },
    // Behind its server a path leads nowhere else.
    { method: "GET", url: "https://api.example/v2//evil.example", summary: "", scopes: ["read"], body: "" },
  ]);
});

test("examples stand in several places, and servers are absolute, relative or none", () => {
  const body = (content) => described({ openapi: "3.0.3", paths: { "/": { put: { requestBody: { content: { "a/b": content } } } } } }, at)[0].body;
  assert.deepEqual([body({ examples: { one: { value: "1" } } }), body({ schema: { example: "2" } }), body({ schema: { examples: ["3"] } }), body({})], ["1", "2", "3", ""]);
  const url = (servers) => described({ openapi: "3.0.3", servers, paths: { "/p": { get: {} } } }, at)[0]?.url;
  assert.equal(url(undefined), "https://api.example/p");
  assert.equal(url([{ url: "." }]), "https://api.example/v1/p");
  assert.equal(url([{ url: "https://{region}.example/{v}" }]), "https://{region}.example/{v}/p");
  assert.equal(url([{ url: "javascript:alert(1)" }]), undefined);
});

test("what is no OpenAPI 3 document says nothing", () => {
  const many = { openapi: "3.0.0", paths: Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`/${at}`, { get: {} }])) };
  assert.equal(described(many, at).length, 200);
  for (const nothing of [null, 1, "x", [], {}, { swagger: "2.0", paths: document.paths }, { openapi: "3.0.0" }, { openapi: "3.0.0", paths: { "/a": null, "/b": { get: null } } }]) {
    assert.ok(described(nothing, at).length <= 1, JSON.stringify(nothing));
  }
  assert.deepEqual(described({ swagger: "2.0", paths: document.paths }, at), []);
});
