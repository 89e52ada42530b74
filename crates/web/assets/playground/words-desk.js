// The texts of the way to the token desk, and of the ten minutes.

/** @type {{ [name: string]: [english: string, german: string] }} */
export const DESK_WORDS = {
  "desk-keep": ["Keep it on the token desk", "In der Token-Ablage behalten"],
  "desk-keep-why": ["This page forgets its tokens when you leave it. On the desk of whoever is signed in here they rest encrypted, and can be renewed, revoked and shared. They are sent there when you press the button, and not before.", "Diese Seite vergisst ihre Token, wenn Sie sie verlassen. In der Ablage dessen, der hier angemeldet ist, ruhen sie verschlüsselt und lassen sich erneuern, widerrufen und teilen. Gesendet werden sie erst mit dem Knopfdruck."],
  "desk-bound": ["Not for the token desk: these tokens are bound to a key of this page, which no other place has or can get (RFC 9449).", "Nichts für die Token-Ablage: Diese Token sind an einen Schlüssel dieser Seite gebunden, den kein anderer Ort hat oder bekommt (RFC 9449)."],
  "desk-nobody": ["Nobody is signed in at this server, so there is no desk to put it on. Sign in in the new tab, come back and press again.", "An diesem Server ist niemand angemeldet, also gibt es keine Ablage dafür. Melden Sie sich im neuen Tab an, kommen Sie zurück und drücken Sie noch einmal."],
  "desk-sign-in": ["Sign in (in a new tab)", "Anmelden (in einem neuen Tab)"],
  "desk-kept": ["It is on the token desk of {user}.", "Es liegt in der Token-Ablage von {user}."],
  "desk-refused": ["The desk did not take it.", "Die Ablage hat es nicht angenommen."],
  "desk-open": ["Open the desk (in a new tab)", "Die Ablage öffnen (in einem neuen Tab)"],
  "desk-renews": ["The desk renews it from now on. Do not refresh here as well: one of the two would hand in an old refresh token, and the server takes back everything, as from a thief (RFC 9700 4.14.2).", "Von jetzt an erneuert es die Ablage. Erneuern Sie nicht auch hier: Einer von beiden legte ein altes Refresh-Token vor, und der Server nähme alles zurück, wie bei einem Dieb (RFC 9700 4.14.2)."],

  "lesson-count": ["{done} of {all} done. Now: {thing}", "{done} von {all} getan. Jetzt: {thing}"],
  "lesson-over": ["All {all} done: got, looked into, used, refreshed, stolen, revoked and protected. That is the whole life of an access token.", "Alle {all} getan: geholt, angesehen, benutzt, erneuert, gestohlen, widerrufen und geschützt. Das ist das ganze Leben eines Access-Tokens."],
  "lesson-show": ["Show me what to press", "Zeigen, was zu drücken ist"],
  "lesson-stop": ["Close", "Schließen"],
  "lesson-done": ["done", "getan"],
};
