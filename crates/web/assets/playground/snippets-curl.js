// A flow as lines for a POSIX shell, with curl and openssl.

import { plain, shell } from "./snippets-quote.js";

/** @import { Shape } from "./snippets.js" */

/** @param {Shape} shape */
export function curl(shape) {
  return [before(shape), ...FLOWS[shape.flow](shape), "", ...call(shape), ""].join("\n");
}

const FLOWS = { code, client, refresh };

/** @param {Shape} shape */
function before({ method }) {
  const wanted = method === "none" ? "" : `# export CLIENT_SECRET first. It is sent as it stands: encode it where it has more than letters, digits and -._~\n`;
  return `# Save it in a file, and run it with sh.\n${wanted}set -eu`;
}

/** @param {Shape} shape */
function code(shape) {
  const { endpoints, scope, redirectUri } = shape;
  const openid = scope.split(" ").includes("openid");
  return [
    "verifier=$(openssl rand -base64 48 | tr '+/' '-_')",
    "challenge=$(printf %s \"$verifier\" | openssl dgst -sha256 -binary | openssl base64 | tr '+/' '-_' | tr -d '=')",
    "state=$(openssl rand -hex 16)",
    `redirect_uri=${shell(redirectUri)}`,
    "",
    "# Nobody listens at the redirect URI: the browser ends at a page that does not load, and its address is the answer.",
    "echo 'Open this in a browser, and paste the address that it ends at:'",
    // The two that are drawn here are of letters that need no encoding.
    `printf '%s&state=%s&code_challenge=%s\\n' ${shell(authorization(shape))} "$state" "$challenge"`,
    "read -r answer",
    "part() { printf '%s' \"$answer\" | sed -n \"s/^[^?]*?\\(.*&\\)*$1=\\([^&#]*\\).*/\\2/p\"; }",
    "[ \"$(part state)\" = \"$state\" ] || { echo 'This answers another request (RFC 6749 10.12).' >&2; exit 1; }",
    ...(shape.namesIssuer
      ? [`issuer=${shell(shape.issuer)}`, "[ \"$(part iss | sed 's/%3[Aa]/:/g; s/%2[Ff]/\\//g')\" = \"$issuer\" ] || { echo 'This is from another server (RFC 9207 2.4).' >&2; exit 1; }"]
      : []),
    "",
    ...(openid ? ["# An ID token comes too. It is not used here, so it is not checked."] : []),
    ...token(shape, "part code | tr -d '\\n' | ", [
      "--data grant_type=authorization_code --data-urlencode code@-",
      "--data-urlencode redirect_uri=\"$redirect_uri\" --data-urlencode code_verifier=\"$verifier\"",
    ]),
  ];
}

/** @param {Shape} shape */
function client(shape) {
  return token(shape, "", ["--data grant_type=client_credentials", ...scoped(shape)]);
}

/** @param {Shape} shape */
function refresh(shape) {
  return [
    "# export REFRESH_TOKEN first. A new one may come in its place: keep that.",
    ...token(shape, "printf '%s' \"$REFRESH_TOKEN\" | ", ["--data grant_type=refresh_token --data-urlencode refresh_token@-", ...scoped(shape)]),
  ];
}

/**
 * The request for the token. The code and the refresh token come from its standard input, where no list of processes shows
 * them; curl itself hides what it is told by `--user`.
 * @param {Shape} shape
 * @param {string} input
 * @param {string[]} fields
 */
function token({ endpoints, method, clientId }, input, fields) {
  // RFC 6749 2.3.1: each half is encoded as in a form.
  const id = new URLSearchParams({ "": plain(clientId) }).toString().slice(1);
  const proof = {
    none: `--data-urlencode ${shell(`client_id=${clientId}`)}`,
    client_secret_basic: `--user ${shell(`${id}:`)}"$CLIENT_SECRET"`,
    client_secret_post: `--data-urlencode ${shell(`client_id=${clientId}`)} --data-urlencode client_secret="$CLIENT_SECRET"`,
  }[method];
  const lines = ["curl --silent --show-error --globoff", proof, ...fields, `--url ${shell(endpoints.token)}`];
  return [
    `answer=$(${input}${lines.join(" \\\n  ")})`,
    "token=$(printf '%s' \"$answer\" | tr -d '\\n' | sed -n 's/.*\"access_token\" *: *\"\\([^\"]*\\)\".*/\\1/p')",
    "[ -n \"$token\" ] || { printf '%s\\n' \"$answer\" >&2; exit 1; }",
  ];
}

/** @param {Shape} shape */
function call({ call: { method, url, body } }) {
  const how = method === "GET" ? "" : method === "HEAD" ? " --head" : ` --request ${shell(method)}`;
  const content = body === "" ? "" : ` \\\n  --header 'Content-Type: text/plain;charset=UTF-8' --data-raw ${shell(body)}`;
  return [`printf 'Authorization: Bearer %s' "$token" | curl --silent --show-error --globoff --header @-${how} --write-out '\\n%{http_code}\\n'${content} \\\n  --url ${shell(url)}`];
}

/** @param {Shape} shape */
function scoped({ scope }) {
  return scope === "" ? [] : [`--data-urlencode ${shell(`scope=${scope}`)}`];
}

/** The authorization request, but for what is drawn (RFC 6749 4.1.1). @param {Shape} shape */
function authorization({ endpoints, clientId, redirectUri, scope }) {
  const query = new URLSearchParams({ response_type: "code", client_id: clientId, redirect_uri: redirectUri, ...(scope && { scope }), code_challenge_method: "S256" });
  return `${endpoints.authorization}${endpoints.authorization.includes("?") ? "&" : "?"}${query}`;
}
