import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { apiCall, clientCredentials, redemption, refreshing } from "../../assets/playground/flow.js";
import { javascript, plain, python, rust, shell } from "../../assets/playground/snippets-quote.js";
import { LANGUAGES, linkTo, shapeOf } from "../../assets/playground/snippets.js";

const run = {
  flow: "code", checks: "page", issuer: "https://id.example", clientId: "web app", redirectUri: "https://id.example/playground/callback",
  scope: "openid a", state: "state-5ecret", nonce: "nonce-5ecret", verifier: "verifier-5ecret", challenge: "c",
};
const metadata = { authorization_endpoint: "https://id.example/authorize", authorization_response_iss_parameter_supported: true };
const endpoint = "https://id.example/token";
const api = "https://api.example/notes";
const given = { access_token: "access-5ecret", refresh_token: "refresh-5ecret", id_token: "id-5ecret" };
const answer = (members = given, status = 200) => ({ status, headers: [], body: JSON.stringify(members), members });
const exchanged = {
  code: { step: "token", request: redemption(run, endpoint, "client-5ecret:&", "code-5ecret"), answer: answer() },
  client: { step: "client", request: clientCredentials(run, endpoint, "client-5ecret:&"), answer: answer() },
  refresh: { step: "refresh", request: refreshing({ ...run, flow: "refresh" }, endpoint, "client-5ecret:&", "old-5ecret"), answer: answer() },
};

/** What a link that somebody else made could bring along. */
const HOSTILE = [
  "'", '"', "\\", "`", "$(touch canary)", "`touch canary`", "'; touch canary; '", '"; touch canary; "', "\\'; touch canary; #", "a\nb", "\n", "a\n\n",
  "\r\ntouch canary\n", "${HOME}", "$HOME", "!!", "%s%n", "%0a", "-rf", "*", "~", "# x", "{}", "{0}", "\\u{41}", "\\x41", "\\N{BULLET}", '""" + x + """',
  "'''", '"#', "\u0001\u001b[201~touch canary\r", "\u007f", "\u2028\u2029", "\u202etxt.exe", "\ufeffbom", "ä€😀", "\ud800 alone", "a\0b", "", " ", "\t",
  "*/", "-->", "</script>", "EOF", "@file", "a=b&c", "[1-3]{a,b}", "\u0080", "\u{e0001}",
];
// And what chance makes of the same pieces.
let seed = 7;
const chance = (below) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
const MANY = [...HOSTILE, ...Array.from({ length: 300 }, () => Array.from({ length: 1 + chance(5) }, () => HOSTILE[chance(HOSTILE.length)]).join(""))];

test("a value comes out of the shell, of Node.js and of Python as it went in", () => {
  const wanted = MANY.map(plain);
  const folder = mkdtempSync(join(tmpdir(), "snippets-"));
  const options = { cwd: folder, maxBuffer: 1 << 24, stdio: ["ignore", "pipe", "inherit"] };
  const split = (said) => String(said).split("\0").slice(0, -1);
  try {
    const files = { sh: `printf '%s\\0' ${MANY.map(shell).join(" ")}`, mjs: `process.stdout.write([${MANY.map(javascript)}].map((one) => one + "\\0").join(""))`, py: `import sys\nsys.stdout.buffer.write("".join(one + "\\0" for one in [${MANY.map(python)}]).encode())` };
    for (const [extension, text] of Object.entries(files)) writeFileSync(join(folder, `values.${extension}`), text);
    assert.deepEqual(split(execFileSync("sh", ["values.sh"], options)), wanted);
    assert.deepEqual(split(execFileSync("python3", ["-B", "values.py"], options)), wanted);
    assert.deepEqual(split(execFileSync(process.execPath, ["values.mjs"], options)), wanted);
    assert.deepEqual(readdirSync(folder).sort(), ["values.mjs", "values.py", "values.sh"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a literal has nothing in it that hides or steers", () => {
  for (const value of MANY) {
    for (const quote of [javascript, python, rust]) assert.match(quote(value), /^"([^"\\\p{C}\p{Zl}\p{Zp}]|\\.)*"$/su, JSON.stringify(value));
    assert.doesNotMatch(shell(value).replaceAll("\n", ""), /[\p{C}\p{Zl}\p{Zp}]/u, JSON.stringify(value));
  }
});

const hostile = (value) => {
  const shape = shapeOf(run, metadata, [exchanged.code], api).shape;
  const endpoints = { authorization: `https://id.example/a?${value}`, token: `https://id.example/t?${value}` };
  return { ...shape, issuer: value, clientId: value, scope: `openid ${value}`, redirectUri: value, endpoints, call: { method: "POST", url: value, body: value } };
};

test("a program with hostile values is still that program", () => {
  const folder = mkdtempSync(join(tmpdir(), "snippets-"));
  try {
    const parse = "import ast,json,sys\nfor one in json.load(sys.stdin): ast.parse(one)";
    const shapes = MANY.flatMap((value) => ["code", "client", "refresh"].map((flow) => ({ ...hostile(value), flow })));
    execFileSync("python3", ["-c", parse], { input: JSON.stringify(shapes.map(LANGUAGES.python.render)) });
    const wrap = (text) => `async () => {${text.replaceAll(/^import .*$/gm, "")}}`;
    const modules = shapes.map(LANGUAGES.javascript.render).map(wrap);
    writeFileSync(join(folder, "all.mjs"), `[${modules}]`);
    execFileSync(process.execPath, ["--check", "all.mjs"], { cwd: folder });
    for (const text of shapes.map(LANGUAGES.curl.render)) execFileSync("sh", ["-n"], { input: text });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what curl is told is what was meant, whatever it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "snippets-"));
  const env = { PATH: `${folder}:${process.env.PATH}`, CLIENT_SECRET: "s", REFRESH_TOKEN: "r" };
  // It writes down what it is told, and gives a token.
  writeFileSync(join(folder, "curl"), `#!/bin/sh\nprintf '%s\\0' "$@" >> "${folder}/told"\nprintf '{"access_token":"given"}'\n`);
  chmodSync(join(folder, "curl"), 0o755);
  try {
    for (const value of HOSTILE) {
      for (const flow of ["client", "refresh"]) {
        rmSync(join(folder, "told"), { force: true });
        execFileSync("sh", ["-c", LANGUAGES.curl.render({ ...hostile(value), flow })], { cwd: folder, env, stdio: ["ignore", "ignore", "inherit"] });
        const told = readFileSync(join(folder, "told"), "utf8").split("\0");
        const clean = plain(value);
        const id = new URLSearchParams({ "": clean }).toString().slice(1);
        for (const wanted of [`scope=openid ${clean}`, `https://id.example/t?${clean}`, clean]) assert.ok(told.includes(wanted), `${JSON.stringify(value)}: ${told}`);
        assert.ok(told.includes(`${id}:s`), `${JSON.stringify(value)}: ${told}`);
        assert.ok(!existsSync(join(folder, "canary")), JSON.stringify(value));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("no secret, no code and no token stands in a program", () => {
  const leaky = { step: "api", request: { ...apiCall(`${api}?access_token=access-5ecret&q=refresh-5ecret`, "access-5ecret") }, answer: answer({}), body: "my token is access-5ecret and my secret client-5ecret:&" };
  for (const [flow, exchange] of Object.entries(exchanged)) {
    for (const exchanges of [[exchange], [exchange, leaky]]) {
      const found = shapeOf({ ...run, flow }, metadata, exchanges, api);
      assert.equal(found.shape.method, "client_secret_basic");
      for (const { render } of Object.values(LANGUAGES)) assert.doesNotMatch(render(found.shape), /5ecret/);
    }
  }
  // Where a name of a scope is a secret of the flow, it is the same.
  const odd = shapeOf({ ...run, scope: "a access-5ecret" }, metadata, [exchanged.code], api);
  assert.equal(odd.shape.scope, "a ...");
});

test("a link carries the shape and nothing else", () => {
  const address = "https://u:p@id.example/playground?flow=code&scope=openid+a&code=code-5ecret&state=x&client_secret=y&token=z&scope=access-5ecret#access_token=access-5ecret";
  assert.equal(linkTo(address, run, [exchanged.code]), "https://id.example/playground?flow=code&scope=openid+a");
  assert.doesNotMatch(linkTo(address, run, Object.values(exchanged)), /5ecret/);
});

test("a program says what was sent: the scope and the client as they were changed, the call that was made", () => {
  const request = clientCredentials(run, endpoint, "");
  for (const parameter of request.parameters) parameter.value = { scope: "b", client_id: "other" }[parameter.name] ?? parameter.value;
  request.parameters.push({ part: "body", name: "audience", value: "x", meaning: "resource" });
  const call = { step: "api", request: { ...apiCall(`${api}/1`, "t"), method: "DELETE" }, answer: answer({}, 404) };
  const { shape, without } = shapeOf({ ...run, flow: "client" }, metadata, [{ step: "client", request, answer: answer({}, 400) }, { step: "client", request, answer: answer() }, call], api);
  assert.deepEqual([shape.clientId, shape.scope, shape.method, shape.call], ["other", "b", "none", { method: "DELETE", url: `${api}/1`, body: "" }]);
  assert.deepEqual(without, ["audience"]);
  for (const { render } of Object.values(LANGUAGES)) assert.match(render(shape), /delete/i);
});

test("there is a program only for what went well, and what a program can do", () => {
  assert.equal(shapeOf(run, metadata, [], api), null);
  assert.equal(shapeOf(run, metadata, [{ ...exchanged.code, answer: answer({ error: "invalid_grant" }, 400) }], api), null);
  assert.equal(shapeOf({ ...run, flow: "device" }, metadata, [exchanged.code], api), null);
  for (const [part, name, value] of [["body", "client_assertion", "eyJ"], ["header", "DPoP", "eyJ"], ["header", "Authorization", "Other x"]]) {
    const request = redemption(run, endpoint, "", "c");
    request.parameters.push({ part, name, value, meaning: name });
    assert.equal(shapeOf(run, metadata, [{ ...exchanged.code, request }], api), null, name);
  }
});

test("https needs no exception, and a flow without openid checks no ID token", () => {
  const { shape } = shapeOf({ ...run, scope: "a" }, metadata, [exchanged.code], api);
  for (const { render } of Object.values(LANGUAGES)) assert.doesNotMatch(render(shape), /insecure|nonce|id_token/i);
  const { shape: here } = shapeOf({ ...run, issuer: "http://localhost:8080" }, metadata, [exchanged.code], api);
  for (const language of ["javascript", "python"]) assert.match(LANGUAGES[language].render(here), /insecure[\s\S]*nonce/i);
});
