import assert from "node:assert/strict";
import { test } from "node:test";
import { beforePolls, polled, polling } from "../../assets/playground/device.js";
import { initOf } from "../../assets/playground/flow.js";

const refused = (error) => ({ status: 400, members: { error } });

test("rfc8628_3_2 without an interval it is five seconds", () => {
  assert.equal(beforePolls({}).interval, 5);
  assert.equal(beforePolls({ interval: 2 }).interval, 2);
  for (const bad of ["2", 0, -1, null]) assert.equal(beforePolls({ interval: bad }).interval, 5);
});

test("rfc8628_3_5 pending goes on, slow_down goes on five seconds slower, everything else ends it", () => {
  const begun = beforePolls({ interval: 5 });
  assert.deepEqual(polled(begun, refused("authorization_pending")), { state: "waits", interval: 5, said: "authorization_pending" });
  const slower = polled(begun, refused("slow_down"));
  assert.deepEqual(slower, { state: "waits", interval: 10, said: "slow_down" });
  assert.equal(polled(slower, refused("slow_down")).interval, 15);
  assert.equal(polled(slower, refused("authorization_pending")).interval, 10, "it stays slow");
  for (const end of ["access_denied", "expired_token", "invalid_grant", undefined]) assert.equal(polled(begun, refused(end)).state, "over", end);
  assert.equal(polled(begun, { status: 200, members: { access_token: "t" } }).state, "given");
});

test("rfc8628_3_4 a poll", () => {
  const run = { flow: "device", clientId: "tv" };
  assert.equal(initOf(polling(run, "https://id.example/token", "dc")).body, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=dc&client_id=tv");
});
