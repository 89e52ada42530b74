// npm's oidc-provider with its in-memory adapter, set up for the requests that the bench makes.
//
//   node oidc-provider.mjs PORT SECRET FILE GRANTS
//
// It writes the refresh tokens of so many grants into FILE, one a line, before it listens.

import { writeFileSync } from "node:fs";
import Provider from "oidc-provider";

const [port, secret, file, grants] = process.argv.slice(2);
const audience = (name) => `https://${name}.api.example`;
const formats = { [audience("opaque")]: { accessTokenFormat: "opaque" } };
for (const alg of ["ES256", "RS256"]) {
  formats[audience(alg.toLowerCase())] = { accessTokenFormat: "jwt", jwt: { sign: { alg } } };
}
const scopes = { [audience("opaque")]: "opaque:read", [audience("es256")]: "es256:read", [audience("rs256")]: "rs256:read" };

async function key(alg, kid) {
  const parameters = { ES256: { name: "ECDSA", namedCurve: "P-256" }, RS256: rsa() }[alg];
  const pair = await crypto.subtle.generateKey(parameters, true, ["sign", "verify"]);
  return { ...(await crypto.subtle.exportKey("jwk", pair.privateKey)), alg, kid, use: "sig", key_ops: undefined, ext: undefined };
}

function rsa() {
  const publicExponent = new Uint8Array([1, 0, 1]);
  return { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent, hash: "SHA-256" };
}

const provider = new Provider(`http://localhost:${port}`, {
  clients: [
    { client_id: "machine", client_secret: secret, grant_types: ["client_credentials"], redirect_uris: [], response_types: [] },
    { client_id: "api", client_secret: secret, grant_types: ["client_credentials"], redirect_uris: [], response_types: [] },
    {
      client_id: "web", client_secret: secret, redirect_uris: ["https://app.example/cb"],
      grant_types: ["authorization_code", "refresh_token"],
    },
  ],
  jwks: { keys: [await key("RS256", "rs256"), await key("ES256", "es256")] },
  scopes: ["openid", "offline_access"],
  rotateRefreshToken: true,
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  ttl: { ClientCredentials: 86_400, AccessToken: 86_400, RefreshToken: 86_400 * 30, Grant: 86_400 * 30 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience("opaque"),
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({ scope: scopes[resource], ...formats[resource] }),
    },
  },
});

const web = await provider.Client.find("web");
const tokens = [];
for (let n = 0; n < Number(grants); n += 1) {
  const grant = new provider.Grant({ accountId: "alice", clientId: "web" });
  grant.addOIDCScope("openid offline_access");
  grant.addResourceScope(audience("opaque"), "opaque:read");
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId: "alice", client: web, grantId, scope: "openid offline_access opaque:read", resource: audience("opaque"),
    gty: "authorization_code", rotations: 0,
  });
  tokens.push(await token.save());
}
writeFileSync(file, tokens.join("\n"));
provider.listen(Number(port), "127.0.0.1");
