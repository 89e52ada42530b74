// The texts of "Take it with you".

/** @type {{ [name: string]: [english: string, german: string] }} */
export const SNIPPETS = {
  "take": ["Take it with you", "Zum Mitnehmen"],
  "take-why": ["What you have just done, as a program. No secret, no code and no token stands in it: it reads them from its environment, so you can show it to anybody.", "Was Sie gerade getan haben, als Programm. Kein Geheimnis, kein Code und kein Token steht darin: Es liest sie aus seiner Umgebung, Sie können es also jedem zeigen."],
  "take-loopback": ["It is called back on the machine that it runs on. Register {uri} among the redirect URIs of the client; the port is free (RFC 8252 7.3).", "Zurückgerufen wird es auf dem Rechner, auf dem es läuft. Registrieren Sie {uri} unter den Redirect-URIs des Clients; der Port ist frei (RFC 8252 7.3)."],
  "take-without": ["Not in these programs: {names}.", "Nicht in diesen Programmen: {names}."],
  "take-languages": ["Language", "Sprache"],
  "take-copy": ["Copy", "Kopieren"],
  "take-link": ["Copy a link to this shape", "Link zu dieser Form kopieren"],
  "take-link-hint": ["The link restores the flow and the scopes. It never carries a secret, a code or a token.", "Der Link stellt Ablauf und Scopes wieder her. Ein Geheimnis, einen Code oder ein Token trägt er nie."],
  "take-copied": ["Copied.", "Kopiert."],
  "take-not-copied": ["The browser did not allow it. Select the text and copy it yourself.", "Der Browser hat es nicht erlaubt. Markieren Sie den Text und kopieren Sie ihn selbst."],
};

/** The texts of the operations of an API. @type {{ [name: string]: [english: string, german: string] }} */
export const OPERATIONS = {
  "operation": ["Operation", "Operation"],
  "operation-own": ["As it stands below", "Wie es unten steht"],
  "operation-braces": ["Fill in what is in braces.", "Füllen Sie aus, was in geschweiften Klammern steht."],
  "operation-scope": ["Needs {scopes}.", "Braucht {scopes}."],
  "operation-missing": ["Needs {scopes}, which this token has not: see how it is refused.", "Braucht {scopes}, was dieses Token nicht hat: Sehen Sie, wie es abgelehnt wird."],
};
