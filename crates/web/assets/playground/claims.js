// What the members of tokens mean. Data only: a sentence in each language, and the section that it comes from.

/** @typedef {{ section: string, en: string, de: string }} Meaning */

/** @param {string} section @param {string} en @param {string} de @returns {Meaning} */
function means(section, en, de) {
  return { section, en, de };
}

/** The claims. @type {{ [claim: string]: Meaning }} */
export const CLAIMS = {
  iss: means("RFC 7519 4.1.1", "The issuer: who made this token and signs it.", "Der Aussteller: wer dieses Token gemacht hat und signiert."),
  sub: means("RFC 7519 4.1.2", "The subject: whom it is about, unique at this issuer.", "Das Subjekt: von wem es handelt, eindeutig bei diesem Aussteller."),
  aud: means("RFC 7519 4.1.3", "The audience: who may accept it. Everybody else must refuse it.", "Der Adressat: wer es annehmen darf. Alle anderen müssen es ablehnen."),
  exp: means("RFC 7519 4.1.4", "When it expires; from then on nobody may accept it.", "Wann es abläuft; von da an darf es niemand mehr annehmen."),
  nbf: means("RFC 7519 4.1.5", "From when on it is good.", "Ab wann es gilt."),
  iat: means("RFC 7519 4.1.6", "When it was issued.", "Wann es ausgestellt wurde."),
  jti: means("RFC 7519 4.1.7", "Its own identifier, by which it can be told from others, logged and taken back.", "Seine eigene Kennung, an der man es erkennt, protokolliert und zurücknimmt."),
  client_id: means("RFC 8693 4.3", "The application that asked for it.", "Die Anwendung, die es angefordert hat."),
  scope: means("RFC 8693 4.2", "What it allows, as names separated by spaces.", "Was es erlaubt, als Namen mit Leerzeichen dazwischen."),
  roles: means("RFC 9068 2.2.3.1", "The roles of the subject at this API.", "Die Rollen des Subjekts bei dieser API."),
  groups: means("RFC 9068 2.2.3.1", "The groups that the subject belongs to.", "Die Gruppen, zu denen das Subjekt gehört."),
  entitlements: means("RFC 9068 2.2.3.1", "What the subject is entitled to.", "Wozu das Subjekt berechtigt ist."),
  authorization_details: means("RFC 9396 9.1", "What it allows in detail, where a scope would be too coarse.", "Was es im Einzelnen erlaubt, wo ein Scope zu grob wäre."),
  cnf: means("RFC 7800 3.1", "The key that its bearer must prove to have: stolen, the token is worth nothing without it.", "Der Schlüssel, den der Überbringer nachweisen muss: Gestohlen ist das Token ohne ihn wertlos."),
  act: means("RFC 8693 4.1", "Who acts here on behalf of the subject.", "Wer hier im Auftrag des Subjekts handelt."),
  may_act: means("RFC 8693 4.4", "Who may act on behalf of the subject.", "Wer im Auftrag des Subjekts handeln darf."),
  status: means("Token Status List 6.1", "Where it is published whether the token was taken back.", "Wo veröffentlicht ist, ob das Token zurückgenommen wurde."),
  status_list: means("Token Status List 4.2", "The statuses of many tokens, compressed: a few bits for each.", "Die Zustände vieler Token, komprimiert: wenige Bits für jedes."),
  ttl: means("Token Status List 5.1", "For how many seconds the list may be kept before it is fetched again.", "Wie viele Sekunden man die Liste behalten darf, bevor man sie neu holt."),
  idtyp: means("Grantor", "Whether it acts for a user (user) or for the application itself (app).", "Ob es für einen Menschen handelt (user) oder für die Anwendung selbst (app)."),
  grant_id: means("Grantor", "The permission that it came from; when that is taken back, so is the token.", "Die Erlaubnis, aus der es stammt; wird sie zurückgenommen, gilt auch das Token nicht mehr."),
  auth_time: means("OpenID Connect Core 2", "When the user last signed in.", "Wann sich der Mensch zuletzt angemeldet hat."),
  nonce: means("OpenID Connect Core 2", "What the application sent with its request: it ties the token to this one sign-in.", "Was die Anwendung mit der Anfrage geschickt hat: Es bindet das Token an genau diese Anmeldung."),
  acr: means("OpenID Connect Core 2", "How strongly the user was authenticated, as a class.", "Wie stark die Anmeldung war, als Klasse."),
  amr: means("RFC 8176 1", "How the user was authenticated: pwd is a password, otp a one-time code, hwk a key in hardware.", "Wie die Anmeldung geschah: pwd ist ein Passwort, otp ein Einmalcode, hwk ein Schlüssel in Hardware."),
  azp: means("OpenID Connect Core 2", "The application that the ID token was issued to.", "Die Anwendung, für die das ID-Token ausgestellt wurde."),
  at_hash: means("OpenID Connect Core 3.1.3.6", "A hash of the access token that came with it, so that nobody swaps that one.", "Ein Hash des mitgelieferten Access-Tokens, damit niemand dieses austauscht."),
  c_hash: means("OpenID Connect Core 3.3.2.11", "A hash of the code that came with it.", "Ein Hash des mitgelieferten Codes."),
  s_hash: means("FAPI 1.0 Part 2 5.1", "A hash of the state that the application sent.", "Ein Hash des state, den die Anwendung geschickt hat."),
  sid: means("OpenID Connect Front-Channel Logout 3", "The session at the issuer, so that it can be signed out of.", "Die Sitzung beim Aussteller, damit man sich von ihr abmelden kann."),
  events: means("RFC 8417 2.2", "What happened: each event under its own URI.", "Was geschehen ist: jedes Ereignis unter seiner eigenen URI."),
  toe: means("RFC 8417 2.2", "When the event happened.", "Wann das Ereignis geschah."),
  txn: means("RFC 8417 2.2", "The transaction that it belongs to.", "Der Vorgang, zu dem es gehört."),
  name: means("OpenID Connect Core 5.1", "The user’s full name.", "Der volle Name."),
  given_name: means("OpenID Connect Core 5.1", "The user’s given name.", "Der Vorname."),
  family_name: means("OpenID Connect Core 5.1", "The user’s family name.", "Der Nachname."),
  preferred_username: means("OpenID Connect Core 5.1", "How the user likes to be called; it may change and is no key.", "Wie jemand genannt werden möchte; es kann sich ändern und ist kein Schlüssel."),
  picture: means("OpenID Connect Core 5.1", "The URL of a picture of the user.", "Die URL eines Bildes."),
  email: means("OpenID Connect Core 5.1", "The user’s e-mail address; it may change and is no key.", "Die E-Mail-Adresse; sie kann sich ändern und ist kein Schlüssel."),
  email_verified: means("OpenID Connect Core 5.1", "Whether the issuer knows that the address is the user’s.", "Ob der Aussteller weiß, dass die Adresse diesem Menschen gehört."),
  phone_number: means("OpenID Connect Core 5.1", "The user’s telephone number.", "Die Telefonnummer."),
  address: means("OpenID Connect Core 5.1.1", "The user’s postal address.", "Die Postanschrift."),
  locale: means("OpenID Connect Core 5.1", "The user’s language and region.", "Sprache und Region."),
  zoneinfo: means("OpenID Connect Core 5.1", "The user’s time zone.", "Die Zeitzone."),
  updated_at: means("OpenID Connect Core 5.1", "When these facts were last changed.", "Wann diese Angaben zuletzt geändert wurden."),
  htm: means("RFC 9449 4.2", "The method of the one request that this proof is for.", "Die Methode der einen Anfrage, für die dieser Nachweis gilt."),
  htu: means("RFC 9449 4.2", "The URL of that request, without query and fragment.", "Die URL dieser Anfrage, ohne Query und Fragment."),
  ath: means("RFC 9449 4.2", "A hash of the access token that the proof goes with.", "Ein Hash des Access-Tokens, zu dem der Nachweis gehört."),
  response_type: means("RFC 6749 3.1.1", "Which kind of answer the application asks for.", "Welche Art von Antwort die Anwendung verlangt."),
  redirect_uri: means("RFC 6749 3.1.2", "Where the answer is to go.", "Wohin die Antwort gehen soll."),
  state: means("RFC 6749 4.1.1", "What the application recognises its own request by.", "Woran die Anwendung ihre eigene Anfrage erkennt."),
  code_challenge: means("RFC 7636 4.3", "The hash of a secret that redeems the code.", "Der Hash eines Geheimnisses, das den Code einlöst."),
  token_introspection: means("RFC 9701 5", "What the server said about a token.", "Was der Server über ein Token gesagt hat."),
};

/** Those that are moments, in seconds since the epoch. */
export const MOMENTS = ["exp", "nbf", "iat", "auth_time", "updated_at", "toe"];

/** The members of the header. @type {{ [member: string]: Meaning }} */
export const HEADER = {
  typ: means("RFC 7515 4.1.9", "What kind of token it is, so that none is taken for another.", "Welche Art von Token es ist, damit keines mit einem anderen verwechselt wird."),
  alg: means("RFC 7515 4.1.1", "The algorithm of the signature or of the encryption.", "Das Verfahren der Signatur oder der Verschlüsselung."),
  kid: means("RFC 7515 4.1.4", "Which of the issuer’s keys was used.", "Welcher Schlüssel des Ausstellers benutzt wurde."),
  jwk: means("RFC 7515 4.1.3", "The public key itself. Only proofs may carry it: whoever trusts it elsewhere trusts the attacker.", "Der öffentliche Schlüssel selbst. Nur Nachweise dürfen ihn tragen: Wer ihm sonst traut, traut dem Angreifer."),
  jku: means("RFC 7515 4.1.2", "A URL for the keys. Nobody should follow it without knowing it beforehand.", "Eine URL für die Schlüssel. Niemand sollte ihr folgen, ohne sie vorher zu kennen."),
  x5c: means("RFC 7515 4.1.6", "The certificates of the key.", "Die Zertifikate des Schlüssels."),
  "x5t#S256": means("RFC 7515 4.1.8", "A hash of the key’s certificate.", "Ein Hash des Zertifikats."),
  cty: means("RFC 7515 4.1.10", "What kind of content is inside.", "Welche Art von Inhalt darin ist."),
  crit: means("RFC 7515 4.1.11", "Members that must be understood; whoever does not must refuse the token.", "Angaben, die man verstehen muss; wer es nicht tut, muss das Token ablehnen."),
  enc: means("RFC 7516 4.1.2", "How the content is encrypted.", "Wie der Inhalt verschlüsselt ist."),
  zip: means("RFC 7516 4.1.3", "That the content was compressed before it was encrypted.", "Dass der Inhalt vor dem Verschlüsseln komprimiert wurde."),
  epk: means("RFC 7518 4.6.1.1", "The sender’s key for this one encryption.", "Der Schlüssel des Absenders für diese eine Verschlüsselung."),
};

/** What is not known to us. @type {Meaning} */
export const PRIVATE = means("RFC 7519 4.3", "A private claim: its issuer and its audience know what it means.", "Eine private Angabe: Aussteller und Adressat wissen, was sie bedeutet.");
