// A flow as a program in Python, with Authlib.

import { python as text } from "./snippets-quote.js";

/** @import { Shape } from "./snippets.js" */

/** @param {Shape} shape */
export function python(shape) {
  return [...before(shape), ...FLOWS[shape.flow](shape), "", ...call(shape), ""].join("\n");
}

const FLOWS = { code, client, refresh };

/** @param {Shape} shape */
function before(shape) {
  const code = shape.flow === "code";
  const openid = code && asksForIdentity(shape);
  return [
    `# pip install Authlib requests${openid ? " joserfc" : ""}`,
    "import os",
    ...(code ? ["from http.server import BaseHTTPRequestHandler, HTTPServer", "from urllib.parse import parse_qs, urlsplit"] : []),
    "",
    "import requests",
    ...(code ? ["from authlib.common.security import generate_token"] : []),
    "from authlib.integrations.requests_client import OAuth2Session",
    ...(openid ? ["from authlib.oidc.core import CodeIDToken", "from joserfc import jwt", "from joserfc.jwk import KeySet"] : []),
    "",
    ...(shape.insecure ? ["# This issuer is on this machine. Any other has https, and does without this line.", `os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"`] : []),
    `ISSUER = ${text(shape.issuer)}`,
    `CLIENT_ID = ${text(shape.clientId)}`,
    `metadata = requests.get(ISSUER.rstrip("/") + "/.well-known/openid-configuration", timeout=20).json()`,
    `if metadata["issuer"] != ISSUER:`,
    `    raise SystemExit("these metadata are another issuer's")`,
    "",
  ];
}

/** @param {Shape} shape @param {string[]} more */
function session({ method, scope }, more = []) {
  return [
    "session = OAuth2Session(",
    "    CLIENT_ID,",
    ...(method === "none" ? [] : [`    os.environ["CLIENT_SECRET"],`]),
    `    token_endpoint_auth_method=${text(method)},`,
    ...(scope === "" ? [] : [`    scope=${text(scope)},`]),
    ...more,
    ")",
  ];
}

/** @param {Shape} shape */
function code(shape) {
  const openid = asksForIdentity(shape);
  return [
    "",
    "class Receiver(BaseHTTPRequestHandler):",
    `    """The browser comes back to this machine, at a port that is free (RFC 8252 7.3)."""`,
    "",
    "    def do_GET(self):",
    "        came, query = urlsplit(self.path), parse_qs(urlsplit(self.path).query)",
    `        ours = came.path == "/callback" and query.get("state") == [state]`,
    "        self.send_response(200 if ours else 404)",
    "        self.end_headers()",
    `        self.wfile.write(b"You may close this window." if ours else b"Nothing is here.")`,
    "        if ours:",
    "            self.server.answer = query",
    "",
    "    def log_message(self, *_):",
    `        """A log is no place for a code."""`,
    "",
    "",
    `server = HTTPServer(("127.0.0.1", 0), Receiver)`,
    "server.answer = None",
    ...session(shape, [
      `    redirect_uri=f"http://127.0.0.1:{server.server_port}/callback",`,
      `    code_challenge_method="S256",`,
    ]),
    `verifier${openid ? ", nonce" : ""} = generate_token(48)${openid ? ", generate_token(24)" : ""}`,
    "url, state = session.create_authorization_url(",
    `    metadata["authorization_endpoint"], code_verifier=verifier${openid ? ", nonce=nonce" : ""}`,
    ")",
    `print("Open this in a browser:", url, flush=True)`,
    "while server.answer is None:",
    "    server.handle_request()",
    `if metadata.get("authorization_response_iss_parameter_supported") and server.answer.get("iss") != [ISSUER]:`,
    `    raise SystemExit("this is from another server (RFC 9207 2.4)")`,
    `if "code" not in server.answer:`,
    `    raise SystemExit(f"refused: {server.answer.get('error')}")`,
    "tokens = session.fetch_token(",
    `    metadata["token_endpoint"], code=server.answer["code"][0], code_verifier=verifier, timeout=20`,
    ")",
    ...(openid ? identity() : []),
  ];
}

/** OpenID Connect Core 3.1.3.7. */
function identity() {
  return [
    "",
    `keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=20).json())`,
    `signed = [name for name in metadata["id_token_signing_alg_values_supported"] if name != "none"]`,
    `id_token = jwt.decode(tokens["id_token"], keys, algorithms=signed)`,
    "claims = CodeIDToken(",
    "    id_token.claims,",
    "    id_token.header,",
    `    options={"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": CLIENT_ID}},`,
    `    params={"nonce": nonce, "client_id": CLIENT_ID, "access_token": tokens["access_token"]},`,
    ")",
    "claims.validate(leeway=5)",
  ];
}

/** @param {Shape} shape */
function client(shape) {
  return [...session(shape), `session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", timeout=20)`];
}

/** @param {Shape} shape */
function refresh(shape) {
  return [
    ...session(shape),
    "# A new refresh token may come in the place of the old one: keep it.",
    `tokens = session.refresh_token(metadata["token_endpoint"], refresh_token=os.environ["REFRESH_TOKEN"], timeout=20)`,
  ];
}

/** @param {Shape} shape */
function call({ call: { method, url, body } }) {
  const content = body === "" ? "" : `, data=${text(body)}.encode(), headers={"Content-Type": "text/plain;charset=UTF-8"}`;
  return [`called = session.request(${text(method)}, ${text(url)}${content}, timeout=20)`, "print(called.status_code, called.text)"];
}

/** @param {Shape} shape */
function asksForIdentity({ scope }) {
  return scope.split(" ").includes("openid");
}
