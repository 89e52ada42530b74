// The rules that checks.js holds answers against. Data, each with its section; what a broken one means is said in words-flows.js.

/** @import { Case, Kind, Rule } from "./checks.js" */
/** @import { Run } from "./flow.js" */
/** @import { Members } from "./token.js" */

/** What may stand in an error code and its description (RFC 6749 5.2). */
const PLAIN = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/;

/** The error codes of RFC 6749 4.1.2.1 and 5.2, RFC 7009 2.2.1, RFC 8628 3.5, RFC 8707 2, RFC 9101 7, RFC 9396 5, RFC 9449 5 and OpenID Connect Core 3.1.2.6. */
const ERRORS = new Set(
  `invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope access_denied
  unsupported_response_type server_error temporarily_unavailable authorization_pending slow_down expired_token unsupported_token_type
  invalid_target invalid_request_uri invalid_request_object request_not_supported request_uri_not_supported
  registration_not_supported invalid_authorization_details use_dpop_nonce invalid_dpop_proof interaction_required login_required
  account_selection_required consent_required insufficient_user_authentication`.split(/\s+/),
);

/** @type {Kind[]} */
const TOKENS = ["token", "refresh"];
/** @type {Kind[]} */
const OBJECTS = ["token", "refresh", "device", "pushed", "error", "introspection"];

/** @param {unknown} value */
const isText = (value) => typeof value === "string" && value !== "";
/** @param {unknown} value */
const isCount = (value) => typeof value === "number" && Number.isFinite(value) && value > 0;
/** @param {unknown} value */
const words = (value) => String(value ?? "").split(" ").filter((word) => word !== "");
/** @param {unknown} one @param {unknown} other */
const sameWords = (one, other) => words(one).sort().join(" ") === words(other).sort().join(" ");
/** @param {unknown} list @param {string} wanted */
const lists = (list, wanted) => Array.isArray(list) && list.includes(wanted);
/** @param {string | null} value @param {string} wanted */
const has = (value, wanted) => (value ?? "").toLowerCase().includes(wanted);

/** @param {Case} about */
const isNotStored = ({ header }) => has(header("cache-control"), "no-store");

/** Loopback needs no TLS: nobody is in between (RFC 8252 8.3). @param {unknown} url */
function isSafe(url) {
  try {
    const { protocol, hostname } = new URL(String(url));
    return protocol === "https:" || (protocol === "http:" && (hostname === "localhost" || /^127\.|^\[::1\]$/.test(hostname)));
  } catch {
    return false;
  }
}

/**
 * @template Of
 * @param {"must" | "should"} severity
 * @param {string} section
 * @param {string} name
 * @param {{ kinds?: Kind[], applies?: (about: Of) => boolean }} whom
 * @param {(about: Of) => boolean} holds
 * @returns {Rule<Of>}
 */
function rule(severity, section, name, whom, holds) {
  return { name, section, severity, ...whom, holds };
}

/** Of answers of the server and of APIs. @type {Rule<Case>[]} */
export const RULES = [
  rule("must", "RFC 6749 5.1", "json", { kinds: OBJECTS }, ({ header }) => /^application\/([\w.-]+\+)?json\b/i.test(header("content-type") ?? "")),
  rule("must", "RFC 6749 5.1", "no-store", { kinds: TOKENS }, isNotStored),
  rule("should", "RFC 6749 5.2", "no-store-beside", { kinds: ["error"] }, isNotStored),
  rule("should", "RFC 8628 3.2", "no-store-beside", { kinds: ["device"] }, isNotStored),
  rule("should", "RFC 9126 2.2", "no-store-beside", { kinds: ["pushed"] }, isNotStored),
  rule("must", "RFC 6749 5.1", "token-status", { kinds: TOKENS }, ({ status }) => status === 200),
  rule("must", "RFC 6749 5.1", "token-given", { kinds: TOKENS }, ({ members }) => isText(members.access_token)),
  rule("must", "RFC 6749 5.1", "token-type", { kinds: TOKENS }, ({ members }) => isText(members.token_type)),
  rule("must", "RFC 6749 7.1", "token-type-known", { kinds: TOKENS, applies: ({ members }) => isText(members.token_type) }, ({ members }) => /^(bearer|dpop|n_a)$/i.test(String(members.token_type))),
  rule("must", "RFC 9449 5", "token-type-unasked", { kinds: TOKENS, applies: ({ proof }) => !proof }, ({ members }) => !/^dpop$/i.test(String(members.token_type))),
  rule("should", "RFC 9449 5", "token-type-asked", { kinds: TOKENS, applies: ({ proof }) => proof }, ({ members }) => /^dpop$/i.test(String(members.token_type))),
  rule("must", "RFC 9449 6.1", "token-bound", { kinds: TOKENS, applies: ({ members, claims }) => /^dpop$/i.test(String(members.token_type)) && claims !== null }, ({ claims }) => isText(/** @type {Members | undefined} */ (claims?.cnf)?.jkt)),
  rule("should", "RFC 6749 5.1", "expires-in", { kinds: TOKENS }, ({ members }) => members.expires_in !== undefined),
  rule("must", "RFC 6749 5.1", "expires-in-number", { kinds: TOKENS, applies: ({ members }) => members.expires_in !== undefined }, ({ members }) => isCount(members.expires_in)),
  rule("must", "RFC 6749 5.1", "scope-said", { kinds: TOKENS, applies: ({ members, claims, scope }) => members.scope === undefined && scope !== "" && typeof claims?.scope === "string" }, ({ claims, scope }) => sameWords(claims?.scope, words(scope).filter((word) => !/^(openid|profile|email|address|phone|offline_access)$/.test(word) || words(claims?.scope).includes(word)).join(" "))),
  rule("must", "RFC 6749 3.3", "scope-text", { kinds: TOKENS, applies: ({ members }) => members.scope !== undefined }, ({ members }) => typeof members.scope === "string" && /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$|^$/.test(members.scope)),
  rule("must", "RFC 6749 6", "scope-not-wider", { kinds: ["refresh"], applies: ({ members, scope }) => scope !== "" && typeof members.scope === "string" }, ({ members, scope }) => words(members.scope).every((word) => words(scope).includes(word))),
  rule("must", "RFC 9700 4.14.2", "refresh-replaced", { kinds: ["refresh"], applies: ({ isPublic, proof }) => isPublic && !proof }, ({ members, before }) => isText(members.refresh_token) && members.refresh_token !== before),
  rule("should", "RFC 6749 4.4.3", "refresh-of-machine", { kinds: ["token"], applies: ({ step }) => step === "client" }, ({ members }) => members.refresh_token === undefined),
  rule("must", "OpenID Connect Core 3.1.3.3", "id-token-given", { kinds: ["token"], applies: ({ step, scope }) => (step === "token" || step === "poll") && words(scope).includes("openid") }, ({ members }) => isText(members.id_token)),
  rule("should", "RFC 9700 2.3", "token-narrow", { kinds: TOKENS, applies: ({ claims }) => claims !== null }, ({ claims }) => claims?.aud !== undefined),

  rule("must", "RFC 6749 5.2", "error-code", { kinds: ["error"] }, ({ members }) => isText(members.error)),
  rule("should", "RFC 6749 5.2", "error-known", { kinds: ["error"], applies: ({ members }) => isText(members.error) }, ({ members }) => ERRORS.has(String(members.error))),
  rule("must", "RFC 6749 5.2", "error-characters", { kinds: ["error"], applies: ({ members }) => isText(members.error) }, ({ members }) => PLAIN.test(String(members.error)) && PLAIN.test(String(members.error_description ?? ""))),
  rule("must", "RFC 6749 5.2", "error-status", { kinds: ["error"] }, ({ status, members }) => status === 400 || status >= 429 || (status === 401 && /^(invalid_client|invalid_token)$/.test(String(members.error)))),
  rule("must", "RFC 6749 5.2", "error-challenge", { kinds: ["error"], applies: ({ proved, members }) => proved && members.error === "invalid_client" }, ({ status, header }) => status === 401 && header("www-authenticate") !== null),
  rule("must", "RFC 9449 8", "error-nonce", { kinds: ["error"], applies: ({ members }) => members.error === "use_dpop_nonce" }, ({ header }) => isText(header("dpop-nonce"))),
  rule("must", "RFC 6749 5.2", "error-alone", { kinds: ["error"] }, ({ members }) => members.access_token === undefined && members.refresh_token === undefined && members.id_token === undefined),

  rule("must", "RFC 8628 3.2", "device-members", { kinds: ["device"] }, ({ members }) => ["device_code", "user_code", "verification_uri"].every((name) => isText(members[name]))),
  rule("must", "RFC 8628 3.2", "device-expires", { kinds: ["device"] }, ({ members }) => isCount(members.expires_in)),
  rule("must", "RFC 8628 3.2", "device-interval", { kinds: ["device"], applies: ({ members }) => members.interval !== undefined }, ({ members }) => isCount(members.interval)),
  rule("must", "RFC 8628 5.2", "device-secret", { kinds: ["device"], applies: ({ members }) => isText(members.device_code) }, ({ members }) => String(members.device_code).length >= 22 && members.device_code !== members.user_code),
  rule("should", "RFC 8628 6.1", "device-typed", { kinds: ["device"], applies: ({ members }) => isText(members.user_code) }, ({ members }) => String(members.user_code).replace(/[^A-Za-z0-9]/g, "").length <= 12),

  rule("must", "RFC 9126 2.2", "pushed-status", { kinds: ["pushed"] }, ({ status }) => status === 201),
  rule("must", "RFC 9126 2.2", "pushed-reference", { kinds: ["pushed"] }, ({ members }) => isText(members.request_uri) && String(members.request_uri).length >= 32),
  rule("must", "RFC 9126 2.2", "pushed-expires", { kinds: ["pushed"] }, ({ members }) => Number.isInteger(members.expires_in) && isCount(members.expires_in)),
  rule("should", "RFC 9126 2.2", "pushed-short", { kinds: ["pushed"], applies: ({ members }) => isCount(members.expires_in) }, ({ members }) => Number(members.expires_in) >= 5 && Number(members.expires_in) <= 600),

  rule("must", "OpenID Connect Core 5.3.2", "userinfo-type", { kinds: ["userinfo"] }, ({ header }) => /^application\/(json|jwt)\b/i.test(header("content-type") ?? "")),
  rule("must", "OpenID Connect Core 5.3.2", "userinfo-subject", { kinds: ["userinfo"], applies: ({ header }) => /^application\/json\b/i.test(header("content-type") ?? "") }, ({ members }) => isText(members.sub)),
  rule("must", "OpenID Connect Core 5.3.2", "userinfo-same", { kinds: ["userinfo"], applies: ({ members, subject }) => isText(members.sub) && subject !== "" }, ({ members, subject }) => members.sub === subject),
  rule("must", "RFC 7662 2.2", "introspection-active", { kinds: ["introspection"] }, ({ members }) => typeof members.active === "boolean"),
  rule("should", "RFC 7662 2.2", "introspection-silent", { kinds: ["introspection"], applies: ({ members }) => members.active === false }, ({ members }) => Object.keys(members).length === 1),

  rule("must", "RFC 7009 2.2", "revoked-status", { kinds: ["revoked"] }, ({ status }) => status === 200),

  rule("must", "RFC 6750 3", "challenge-there", { kinds: ["challenge"], applies: ({ status }) => status === 401 }, ({ header }) => header("www-authenticate") !== null),
  rule("should", "RFC 6750 3.1", "challenge-error", { kinds: ["challenge"], applies: ({ sent, header }) => header("www-authenticate") !== null && /^(Bearer|DPoP) /i.test(String(sent.Authorization ?? "")) }, ({ header }) => /error="[^"]+"/.test(header("www-authenticate") ?? "")),
  rule("must", "RFC 6750 3.1", "challenge-status", { kinds: ["challenge"], applies: ({ header }) => /error="(invalid_token|insufficient_scope)"/.test(header("www-authenticate") ?? "") }, ({ header, status }) => (/error="insufficient_scope"/.test(header("www-authenticate") ?? "") ? status === 403 : status === 401)),
  rule("should", "RFC 9449 7.1", "challenge-dpop", { kinds: ["challenge"], applies: ({ sent, status }) => status === 401 && /^DPoP /i.test(String(sent.Authorization ?? "")) }, ({ header }) => /(^|,\s*)DPoP\b/i.test(header("www-authenticate") ?? "")),
  rule("must", "RFC 9449 9", "challenge-nonce", { kinds: ["challenge"], applies: ({ header }) => has(header("www-authenticate"), 'error="use_dpop_nonce"') }, ({ header }) => isText(header("dpop-nonce"))),
  rule("should", "RFC 9700 4.3.2", "query-refused", { kinds: ["called"], applies: ({ sent, status }) => status < 400 && "access_token" in sent && !("Authorization" in sent) }, () => false),
];

/** Of authorization responses. @type {Rule<{ response: URLSearchParams, run: Run, metadata: Members }>[]} */
export const RESPONSE_RULES = [
  rule("must", "RFC 6749 4.1.2", "response-once", {}, ({ response }) => [...response.keys()].every((name) => response.getAll(name).length === 1)),
  rule("must", "RFC 6749 4.1.2", "response-one", {}, ({ response }) => ["code", "error", "access_token", "response"].filter((name) => response.has(name)).length === 1),
  rule("must", "RFC 6749 4.1.2", "response-state", { applies: ({ run }) => run.state !== "" }, ({ response, run }) => response.get("state") === run.state),
  rule("must", "RFC 9207 2.3", "response-issuer", { applies: ({ metadata }) => metadata.authorization_response_iss_parameter_supported === true }, ({ response }) => response.has("iss")),
  rule("must", "RFC 9207 2.4", "response-issuer-same", { applies: ({ response }) => response.has("iss") }, ({ response, run }) => response.get("iss") === run.issuer),
  rule("should", "RFC 9207 3", "response-issuer-promised", { applies: ({ response }) => response.has("iss") }, ({ metadata }) => metadata.authorization_response_iss_parameter_supported === true),
  rule("should", "RFC 6749 4.1.2.1", "response-error-known", { applies: ({ response }) => response.has("error") }, ({ response }) => ERRORS.has(String(response.get("error")))),
  rule("must", "RFC 6749 4.1.2.1", "response-error-characters", { applies: ({ response }) => response.has("error") }, ({ response }) => PLAIN.test(response.get("error") ?? "") && PLAIN.test(response.get("error_description") ?? "")),
  rule("should", "RFC 9700 2.1.2", "response-no-token", {}, ({ response }) => !response.has("access_token")),
  rule("must", "RFC 6749 10.10", "response-unguessable", { applies: ({ response }) => response.has("code") }, ({ response }) => (response.get("code") ?? "").length >= 22),
];

const ENDPOINTS = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint", "registration_endpoint"];
/** @param {{ metadata: Members }} about */
const isOpenId = ({ metadata }) => lists(metadata.scopes_supported, "openid");

/** Of metadata. @type {Rule<{ metadata: Members, issuer: string }>[]} */
export const METADATA_RULES = [
  rule("must", "RFC 8414 3.3", "metadata-issuer", {}, ({ metadata, issuer }) => metadata.issuer === issuer),
  rule("must", "RFC 8414 2", "metadata-issuer-plain", {}, ({ metadata }) => isSafe(metadata.issuer) && !/[?#]/.test(String(metadata.issuer))),
  rule("must", "RFC 8414 2", "metadata-endpoints", {}, ({ metadata }) => isText(metadata.authorization_endpoint) && isText(metadata.token_endpoint)),
  rule("must", "RFC 6749 3.1", "metadata-https", {}, ({ metadata }) => ENDPOINTS.every((name) => metadata[name] === undefined || isSafe(metadata[name]))),
  rule("must", "RFC 8414 2", "metadata-response-types", {}, ({ metadata }) => Array.isArray(metadata.response_types_supported)),
  rule("should", "RFC 9700 2.1.1", "metadata-pkce", {}, ({ metadata }) => lists(metadata.code_challenge_methods_supported, "S256")),
  rule("should", "RFC 9700 2.1.1", "metadata-pkce-plain", {}, ({ metadata }) => !lists(metadata.code_challenge_methods_supported, "plain")),
  rule("should", "RFC 9700 2.1.2", "metadata-implicit", {}, ({ metadata }) => Array.isArray(metadata.grant_types_supported) && !lists(metadata.grant_types_supported, "implicit")),
  rule("must", "RFC 9700 2.4", "metadata-password", {}, ({ metadata }) => !lists(metadata.grant_types_supported, "password")),
  rule("should", "RFC 9700 4.4.2.1", "metadata-iss", {}, ({ metadata }) => metadata.authorization_response_iss_parameter_supported === true),
  rule("must", "RFC 8414 2", "metadata-assertions", { applies: ({ metadata }) => lists(metadata.token_endpoint_auth_methods_supported, "private_key_jwt") || lists(metadata.token_endpoint_auth_methods_supported, "client_secret_jwt") }, ({ metadata }) => Array.isArray(metadata.token_endpoint_auth_signing_alg_values_supported) && !lists(metadata.token_endpoint_auth_signing_alg_values_supported, "none")),
  rule("must", "RFC 9449 5.1", "metadata-dpop", { applies: ({ metadata }) => metadata.dpop_signing_alg_values_supported !== undefined }, ({ metadata }) => Array.isArray(metadata.dpop_signing_alg_values_supported) && !metadata.dpop_signing_alg_values_supported.some((alg) => /^(none|HS)/i.test(String(alg)))),
  rule("must", "OpenID Connect Discovery 3", "metadata-keys", { applies: isOpenId }, ({ metadata }) => isText(metadata.jwks_uri)),
  rule("must", "OpenID Connect Discovery 3", "metadata-subjects", { applies: isOpenId }, ({ metadata }) => Array.isArray(metadata.subject_types_supported)),
  rule("must", "OpenID Connect Discovery 3", "metadata-id-token", { applies: isOpenId }, ({ metadata }) => lists(metadata.id_token_signing_alg_values_supported, "RS256")),
  rule("should", "RFC 9700 2.5", "metadata-strong", {}, ({ metadata }) => ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"].some((method) => lists(metadata.token_endpoint_auth_methods_supported, method))),
];
