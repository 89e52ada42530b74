// A flow as a module for Node.js, with oauth4webapi.

import { javascript as text } from "./snippets-quote.js";

/** @import { Shape } from "./snippets.js" */

/** @param {Shape} shape */
export function javascript(shape) {
  return [...before(shape), "", ...FLOWS[shape.flow](shape), "", ...call(shape), ""].join("\n");
}

const FLOWS = { code, client, refresh };

/** @param {Shape} shape */
function before(shape) {
  const { flow, issuer, clientId, method } = shape;
  const proof = { none: "oauth.None()", client_secret_basic: "oauth.ClientSecretBasic(process.env.CLIENT_SECRET)", client_secret_post: "oauth.ClientSecretPost(process.env.CLIENT_SECRET)" }[method];
  return [
    "// Node.js 20 or later, as a module (.mjs): npm install oauth4webapi",
    ...(flow === "code" ? [`import { createServer } from "node:http";`] : []),
    `import * as oauth from "oauth4webapi";`,
    "",
    `const issuer = new URL(${text(issuer)});`,
    `const client = { client_id: ${text(clientId)} };`,
    `const authentication = ${proof};`,
    ...(shape.insecure ? ["// This issuer is on this machine. Any other has https, and does without this line.", "const http = { [oauth.allowInsecureRequests]: true };"] : []),
    `const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer${http(shape)}));`,
  ];
}

/** @param {Shape} shape */
function code(shape) {
  const { scope } = shape;
  const openid = scope.split(" ").includes("openid");
  return [
    "// The browser comes back to this machine, at a port that is free (RFC 8252 7.3).",
    "const receiver = createServer();",
    `await new Promise((ready) => receiver.listen(0, "127.0.0.1", ready));`,
    "const redirectUri = `http://127.0.0.1:${receiver.address().port}/callback`;",
    "",
    "const verifier = oauth.generateRandomCodeVerifier();",
    "const state = oauth.generateRandomState();",
    ...(openid ? ["const nonce = oauth.generateRandomNonce();"] : []),
    "const url = new URL(as.authorization_endpoint);",
    "for (const [name, value] of Object.entries({",
    `  response_type: "code",`,
    "  client_id: client.client_id,",
    "  redirect_uri: redirectUri,",
    ...(scope === "" ? [] : [`  scope: ${text(scope)},`]),
    "  state,",
    ...(openid ? ["  nonce,"] : []),
    "  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),",
    `  code_challenge_method: "S256",`,
    "})) url.searchParams.set(name, value);",
    "console.log(`Open this in a browser: ${url}`);",
    "",
    "const answer = await new Promise((arrived) => {",
    `  receiver.on("request", (request, response) => {`,
    "    const at = new URL(request.url, redirectUri);",
    `    const ours = at.pathname === "/callback" && at.searchParams.get("state") === state;`,
    `    response.writeHead(ours ? 200 : 404, { connection: "close" });`,
    `    response.end(ours ? "You may close this window." : "Nothing is here.");`,
    "    if (ours) arrived(at);",
    "  });",
    "});",
    "receiver.close();",
    "",
    "// It checks state and iss.",
    "const parameters = oauth.validateAuthResponse(as, client, answer, state);",
    "const response = await oauth.authorizationCodeGrantRequest(",
    `  as, client, authentication, parameters, redirectUri, verifier${http(shape)},`,
    ");",
    ...(openid
      ? [
          "// It checks the ID token, and after it its signature.",
          "const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });",
          `await oauth.validateApplicationLevelSignature(as, response${http(shape)});`,
        ]
      : ["const tokens = await oauth.processAuthorizationCodeResponse(as, client, response);"]),
  ];
}

/** @param {Shape} shape */
function client(shape) {
  const scope = shape.scope === "" ? "{}" : `{ scope: ${text(shape.scope)} }`;
  return [
    `const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, ${scope}${http(shape)});`,
    "const tokens = await oauth.processClientCredentialsResponse(as, client, response);",
  ];
}

/** @param {Shape} shape */
function refresh(shape) {
  const options = [...(shape.insecure ? ["...http"] : []), ...(shape.scope === "" ? [] : [`additionalParameters: { scope: ${text(shape.scope)} }`])];
  const more = options.length === 0 ? "" : `, { ${options.join(", ")} }`;
  return [
    `const response = await oauth.refreshTokenGrantRequest(as, client, authentication, process.env.REFRESH_TOKEN${more});`,
    "// A new refresh token may come in the place of the old one: keep tokens.refresh_token.",
    "const tokens = await oauth.processRefreshTokenResponse(as, client, response);",
  ];
}

/** @param {Shape} shape */
function call(shape) {
  const { method, url, body } = shape.call;
  const content = body === "" ? "undefined" : text(body);
  const last = shape.insecure ? `, undefined, ${content}, http` : body === "" ? "" : `, undefined, ${content}`;
  return [
    `const called = await oauth.protectedResourceRequest(tokens.access_token, ${text(method)}, new URL(${text(url)})${last});`,
    "console.log(called.status, await called.text());",
  ];
}

/** @param {Shape} shape */
function http({ insecure }) {
  return insecure ? ", http" : "";
}
