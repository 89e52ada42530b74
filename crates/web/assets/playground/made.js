// A token that the page made for a request, line by line: what stands in it, and why.

import { CLAIMS, HEADER, PRIVATE } from "./claims.js";
import { PARAMETERS } from "./parameters.js";
import { read } from "./token.js";

/** @import { Meaning } from "./claims.js" */
/** @import { Request } from "./flow.js" */

/** Parameters whose values are tokens that the page makes. */
const MADE = ["client_assertion", "request", "DPoP", "assertion"];

/** What claims mean where a client speaks for itself (RFC 7523 3). @type {{ [claim: string]: Meaning }} */
const OF_CLIENT = {
  iss: { section: "RFC 7523 3", en: "Who made it: the client itself, or somebody whom the server trusts to know it.", de: "Wer es gemacht hat: der Client selbst, oder jemand, dem der Server zutraut, ihn zu kennen." },
  sub: { section: "RFC 7523 3", en: "Whom it speaks for: the client.", de: "Für wen es spricht: den Client." },
  aud: { section: "RFC 7523 3", en: "For which server it is made. Every other one must refuse it.", de: "Für welchen Server es gemacht ist. Jeder andere muss es ablehnen." },
  exp: { section: "RFC 7523 3", en: "When it ends: soon, because it is made for one request.", de: "Wann es endet: bald, denn es ist für eine Anfrage gemacht." },
  iat: { section: "RFC 7523 3", en: "When it was made.", de: "Wann es gemacht wurde." },
  jti: { section: "RFC 7523 3", en: "Its name: the server takes it once.", de: "Sein Name: Der Server nimmt es einmal." },
};

/** What they mean in a proof (RFC 9449 4.2). @type {{ [claim: string]: Meaning }} */
const OF_PROOF = {
  jti: { section: "RFC 9449 4.2", en: "Its name: the server takes it once.", de: "Sein Name: Der Server nimmt ihn einmal." },
  iat: { section: "RFC 9449 4.2", en: "When it was made: an old one is refused.", de: "Wann er gemacht wurde: Ein alter wird abgelehnt." },
  nonce: { section: "RFC 9449 8", en: "What the server gave for it: nobody can have made this proof in advance.", de: "Was der Server dafür ausgab: Niemand kann diesen Nachweis auf Vorrat gemacht haben." },
};

/** What they mean in a signed request (RFC 9101 4). @type {{ [claim: string]: Meaning }} */
const OF_REQUEST = {
  iss: { section: "RFC 9101 4", en: "Who asks: the client.", de: "Wer fragt: der Client." },
  aud: { section: "RFC 9101 4", en: "Who is asked: this server.", de: "Wer gefragt wird: dieser Server." },
};

/** A line of a token. @typedef {{ part: "header" | "claims", name: string, value: unknown, meaning: Meaning }} Line */

/**
 * The tokens in a request that the page made, each with its lines.
 * @param {Request} request
 * @returns {{ name: string, lines: Line[] }[]}
 */
export function madeFor(request) {
  const tokens = request.parameters.filter(({ name, value }) => MADE.includes(name) && value !== "");
  return tokens.map(({ name, value }) => ({ name, lines: linesOf(name, value) })).filter(({ lines }) => lines.length > 0);
}

/**
 * The lines of a token.
 * @param {string} name of the parameter that it stands in
 * @param {string} text
 * @returns {Line[]}
 */
export function linesOf(name, text) {
  const { header, claims } = read(text);
  const own = name === "DPoP" ? OF_PROOF : name === "request" ? OF_REQUEST : OF_CLIENT;
  const known = name === "request" ? { ...CLAIMS, ...PARAMETERS, ...own } : { ...CLAIMS, ...own };
  const meant = (/** @type {{ [name: string]: Meaning }} */ meanings, /** @type {string} */ member) => (Object.hasOwn(meanings, member) ? meanings[member] : PRIVATE);
  const all = (/** @type {"header" | "claims"} */ part, /** @type {object | null} */ members, /** @type {{ [name: string]: Meaning }} */ meanings) =>
    Object.entries(members ?? {}).map(([member, value]) => ({ part, name: member, value, meaning: meant(meanings, member) }));
  return [...all("header", header, HEADER), ...all("claims", claims, known)];
}
