import assert from "node:assert/strict";
import { test } from "node:test";
import { pretty, span } from "../../assets/playground/dom.js";

test("a span is said in its two largest units", () => {
  for (const [seconds, english, german] of [
    [0, "0 sec", "0 Sek."], [59.4, "59 sec", "59 Sek."], [61, "1 min 1 sec", "1 Min. 1 Sek."], [600, "10 min", "10 Min."],
    [-3661, "1 hr 1 min", "1 Std. 1 Min."], [90061, "1 day 1 hr", "1 Tag 1 Std."], [172800, "2 days", "2 Tage"],
  ]) {
    assert.equal(span(seconds, "en"), english);
    assert.equal(span(seconds, "de"), german);
  }
});

test("text is shown as it is, and all else as JSON", () => {
  assert.equal(pretty("<b>"), "<b>");
  assert.equal(pretty(["a"]), '[\n  "a"\n]');
});
