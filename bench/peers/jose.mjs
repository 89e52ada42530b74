// npm's jose, verifying the tokens of a file: for `cargo xtask bench --only resource`.
//
//   node jose.mjs FILE
//
// A line `round ALGORITHM MILLISECONDS` is answered with seconds for one verification, `probe TOKEN` with what it says to it.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createLocalJWKSet, jwtVerify } from "jose";

const { issuer, audience, leeway, keys, tokens } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const key = createLocalJWKSet(keys);
const requiredClaims = ["exp", "iat", "sub", "client_id", "jti"];
const options = { issuer, audience, typ: "at+jwt", clockTolerance: leeway, requiredClaims };

async function verify(token) {
  const { payload } = await jwtVerify(token, key, options);
  if (!payload.scope.split(" ").includes("notes:read")) throw new Error("scope");
}

async function round(algorithm, milliseconds) {
  const began = process.hrtime.bigint();
  const end = began + BigInt(milliseconds) * 1000000n;
  let verified = 0;
  do {
    for (const token of tokens[algorithm]) await verify(token);
    verified += tokens[algorithm].length;
  } while (process.hrtime.bigint() < end);
  return Number(process.hrtime.bigint() - began) / 1e9 / verified;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [what, ...rest] = line.split(" ");
  if (what === "round") console.log(await round(...rest));
  else console.log(await verify(...rest).then(() => "accepted", () => "refused"));
}
