import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { HEADER, PRIVATE } from "../../assets/playground/claims.js";
import { FLOWS } from "../../assets/playground/flow.js";
import { ANSWERED } from "../../assets/playground/introspection.js";
import { PARAMETERS } from "../../assets/playground/parameters.js";
import { HANDLES } from "../../assets/playground/token.js";
import { WORDS, say } from "../../assets/playground/words.js";

const folder = new URL("../../assets/playground/", import.meta.url);
const values = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("every text is in both languages and takes the same values", () => {
  for (const [name, texts] of Object.entries(WORDS)) {
    assert.equal(texts.length, 2, name);
    assert.ok(texts.every((text) => text.trim() !== ""), name);
    assert.deepEqual(values(texts[0]), values(texts[1]), name);
  }
});

test("every meaning is a sentence in both languages and names its section", () => {
  for (const [name, { section, en, de }] of [...Object.entries({ ...ANSWERED, ...HEADER, ...PARAMETERS }), ["private", PRIVATE]]) {
    for (const text of [en, de]) assert.match(text, /^[A-ZÄÖÜ].*\.$/s, name);
    assert.match(section, /^(Grantor|RFC \d{4} \d+(\.\d+)*|[A-Z][\w.-]+( [\w.-]+)* \d+(\.\d+)*)$/, name);
  }
});

test("what the modules ask for exists, and nothing is left over", () => {
  const modules = readdirSync(folder).filter((name) => !name.startsWith("words"));
  const source = modules.map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
  const written = new Set([...source.matchAll(/"([a-z-]+)"/g)].map(([, text]) => text));
  // A name that is put together has a part that is written somewhere by itself.
  const together = [...source.matchAll(/`([a-z-]+-)\$\{[^}]+\}([a-z-]*)`/g)].map(([, before, after]) => new RegExp(`^${before}(.+)${after}$`));
  const isUsed = (name) => written.has(name) || together.some((pattern) => written.has(pattern.exec(name)?.[1]));
  assert.deepEqual(Object.keys(WORDS).filter((name) => !isUsed(name)), []);
  for (const [, name] of source.matchAll(/\bt\("([a-z-]+)"/g)) assert.ok(name in WORDS, name);
  for (const handle of Object.values(HANDLES)) assert.ok(`use-handle-${handle}` in WORDS && `kind-handle-${handle}` in WORDS, handle);
  for (const step of Object.values(FLOWS).flatMap(({ steps }) => steps)) assert.ok(`step-${step}` in WORDS && `step-${step}-why` in WORDS, step);
});

test("a text is said with its values, and a value is never a pattern", () => {
  assert.equal(say("en", "time-left", { span: "5 s {span}" }), "5 s {span} left");
  assert.equal(say("de", "time-left", { span: "5 s" }), "noch 5 s");
  assert.equal(say("en", "status-at", { index: 7 }), "Index 7 of {list}");
});
