# Gemeinsames
footer = Gesichert durch Grantor
new-tab = (öffnet einen neuen Tab)
username = Benutzername
password = Passwort
continue = Weiter
not-you = Nicht Sie?
signed-in-as = Sie sind als { $username } angemeldet.
error-prefix = Fehler:
duration-seconds = { $count ->
    [one] 1 Sekunde
   *[other] { $count } Sekunden
}
duration-minutes = { $count ->
    [one] 1 Minute
   *[other] { $count } Minuten
}
duration-hours = { $count ->
    [one] 1 Stunde
   *[other] { $count } Stunden
}
duration-days = { $count ->
    [one] 1 Tag
   *[other] { $count } Tage
}
duration-years = { $count ->
    [one] 1 Jahr
   *[other] { $count } Jahre
}
date = { $day }. { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
} { $year }

# Anmelden
sign-in-title = Anmelden
sign-in-to-continue = weiter zu { $application }
sign-in-lead = mit Ihrem Konto bei { $tenant }
sign-in-button = Anmelden
sign-in-error-wrong = Benutzername und Passwort passen nicht zusammen. Bitte prüfen Sie beides und versuchen Sie es erneut.
sign-in-error-throttled = Zu viele Versuche. Versuchen Sie es bitte erneut. Wartezeit: { $wait }.
sign-in-error-expired = Diese Seite war zu lange geöffnet. Bitte versuchen Sie es erneut.

# Konto wählen
select-title = Konto wählen
select-lead = weiter zu { $tenant }
select-continue = Weiter als
select-another = Anderes Konto verwenden

# Zustimmung
consent-title = { $application } möchte auf Ihr Konto zugreifen
consent-website = Website
consent-scopes = Die App darf dann:
consent-required = Immer nötig
consent-granted = Bereits erlaubt
consent-once = Wird jedes Mal gefragt
consent-lifetime-once = Das gilt { $span } lang und endet dann von selbst.
consent-lifetime-limited = Das gilt bis zu { $span } lang, auch während Sie abwesend sind.
consent-lifetime-until-revoked = Das gilt, bis Sie es zurücknehmen, auch während Sie abwesend sind.
consent-redirect = Danach geht es zu
consent-device = Es ist für das Gerät mit dem Code
consent-device-warning = Erlauben Sie das nur, wenn Sie es selbst begonnen haben, an einem Gerät, das Sie vor sich haben. Wer Ihnen einen Link mit diesem Code geschickt hat, bekäme den Zugriff.
consent-document = Diese App ist hier nicht registriert. Ihr Name und alles andere, was von ihr zu sehen ist, stammen von
consent-local = Jedes Programm auf einem Computer kann sich als diese App ausgeben. Gehen Sie nur weiter, wenn Sie sie gerade selbst gestartet haben.
consent-deny = Ablehnen
consent-allow = Erlauben
consent-revocable = Unter „Ihre Apps“ können Sie es jederzeit zurücknehmen.
consent-policy = Datenschutzerklärung
consent-terms = Nutzungsbedingungen

# Geräte
device-title = Ein Gerät verbinden
device-lead = Geben Sie den Code ein, den Ihr Gerät zeigt.
device-compare = Zeigt Ihr Gerät diesen Code? Nur dann geht es weiter.
device-code = Code
device-continue = Weiter
device-warning = Geben Sie nie einen Code ein, den Ihnen jemand geschickt hat.
device-error-unknown = Kein Gerät zeigt diesen Code, oder er ist abgelaufen. Prüfen Sie ihn, oder beginnen Sie am Gerät von vorn.
device-allowed-title = Ihr Gerät ist verbunden
device-allowed-lead = { $application } macht von selbst weiter. Sie können diese Seite schließen.
device-denied-title = Ihr Gerät wurde nicht verbunden
device-denied-lead = { $application } hat keinen Zugriff bekommen. Sie können diese Seite schließen.

# Abmelden
sign-out-title = Abmelden?
sign-out-asked = { $application } möchte Sie abmelden.
sign-out-lead = Um Ihre Apps zu nutzen, müssen Sie sich danach neu anmelden.
sign-out-stay = Nicht abmelden
sign-out-button = Abmelden
signed-out-title = Sie sind abgemeldet
signed-out-lead = Sie haben { $tenant } in diesem Browser verlassen. Schließen Sie auf einem gemeinsam genutzten Gerät auch den Browser.
signed-out-return = Zurück zu { $application }
signed-out-return-unnamed = Zurück zur App
signed-out-again = Erneut anmelden

# Ihre Apps
apps-title = Ihre Apps
apps-lead = Diese Apps haben Zugriff auf Ihr Konto. Entfernen Sie, was Sie nicht mehr nutzen.
apps-revoked = { $application } hat keinen Zugriff mehr.
apps-first = Erlaubt seit
apps-last = Zuletzt genutzt
apps-never = Nie
apps-grants = Erteilte Erlaubnisse
apps-may = Was die App darf
apps-remove = Zugriff entziehen
apps-remove-explained = { $application } verliert den Zugriff sofort und muss Sie erneut fragen.
apps-remove-button = { $application } entfernen
apps-empty = Noch keine Apps
apps-empty-lead = Sobald Sie einer App den Zugriff auf Ihr Konto erlauben, steht sie hier.
apps-home = Zurück zu { $tenant }

# Startseite
home-title = Willkommen
home-lead = Einmal anmelden und selbst entscheiden, welche Apps auf Ihr Konto zugreifen.
home-issuer = Aussteller
home-metadata = Für Entwickler
home-metadata-link = Metadaten des Servers

# Spielwiese
playground-title = Spielwiese
playground-lead = Jeder Schritt eines Ablaufs, mit der genauen Anfrage und der genauen Antwort.
playground-lead-straight = Anfragen gehen aus diesem Browser direkt an diesen Server.
playground-lead-relay = Anfragen gehen aus diesem Browser direkt an diesen Server; die an einen anderen gehen durch diesen, der sich notiert, wohin sie gingen, und nichts von dem, was darin steht.
playground-noscript = Diese Seite braucht JavaScript: Was sie tut, geschieht in Ihrem Browser.
playground-flow = Ablauf
playground-flow-code = Autorisierungscode mit PKCE
playground-flow-code-hint = Jemand erlaubt einer Anwendung, für ihn zu handeln.
playground-flow-client = Client Credentials
playground-flow-client-hint = Eine Anwendung handelt für sich selbst.
playground-flow-refresh = Refresh-Token
playground-flow-refresh-hint = Ein neues Access-Token, ohne noch einmal zu fragen.
playground-flow-device = Gerätecode
playground-flow-device-hint = Ein Fernseher oder ein Terminal, auf einem anderen Gerät erlaubt.
playground-flow-assertion = JWT Bearer
playground-flow-assertion-hint = Ein Token eines anderen Ausstellers gegen eines dieses Servers.
playground-flow-exchange = Token-Tausch
playground-flow-exchange-hint = Ein Token dieses Servers gegen ein engeres.
playground-flow-implicit = Implizit (erklärt)
playground-flow-implicit-hint = Das Token durch die Adresszeile. Nicht mehr.
playground-flow-password = Passwort (erklärt)
playground-flow-password-hint = Die Anwendung erfährt das Passwort. Nie.
playground-client = Client
playground-client-id = Client-ID
playground-client-secret = Client-Secret
playground-client-secret-hint = Nur wenn der Client eines hat. Es bleibt im Speicher dieser Seite und ist vergessen, wenn Sie sie verlassen.
playground-redirect = Der Client braucht diese Redirect-URI:
playground-scope = Scopes
playground-scope-hint = Durch Leerzeichen getrennt. Weniger ist besser: nur, was gebraucht wird.
playground-refresh-token = Refresh-Token
playground-checks = Wer prüft die Antworten?
playground-checks-page = Die Seite
playground-checks-me = Ich
playground-begin = Ablauf beginnen
playground-again = Von vorn beginnen
lesson-title = Hier beginnen: zehn Minuten mit einem Access-Token
lesson-lead = Ein Access-Token ist wie die Schlüsselkarte eines Hotels: Ein Programm zeigt sie an einer Tür vor, und die Tür öffnet sich, ohne jemandes Passwort. Hier ist das Programm diese Seite und die Tür eine API: eine Adresse, die Programmen antwortet. Sieben Dinge lassen sich damit tun; jedes hakt sich selbst ab.
lesson-demo = Was die Seite wissen will, ist schon ausgefüllt. Wenn der Server fragt, wer Sie sind: Sie heißen alice, und das Passwort steht in dem Terminal, in dem Sie die Demo gestartet haben.
lesson-get = Eines holen
lesson-get-text = Das Programm schickt Sie zum Server, der als Einziger Ihr Passwort sieht. Dort erlauben Sie, was es möchte. Es kommt mit einem Code zurück und tauscht ihn gegen ein Token.
lesson-look = Hineinsehen
lesson-look-text = Es sagt, wer es gemacht hat, für welche API, was es erlaubt und bis wann. Ein neuer Tab erklärt es Wort für Wort; kommen Sie danach hierher zurück.
lesson-use = Benutzen
lesson-use-text = Das Token begleitet eine Anfrage an die API; die sieht es an und antwortet.
lesson-refresh = Erneuern
lesson-refresh-text = Es lebt Minuten. Mit ihm kam ein zweites, das Refresh-Token; das holt beim Server ein neues, ohne Sie noch einmal zu fragen.
lesson-steal = Stehlen
lesson-steal-text = Seien Sie der Dieb, der es in einem Protokoll fand und sonst nichts hat. Er zeigt es der API vor und wird eingelassen.
lesson-revoke = Widerrufen
lesson-revoke-text = Nehmen Sie es beim Server zurück. Von da an weist die API jeden ab, der es vorzeigt, den Dieb wie den Besitzer.
lesson-protect = Schützen
lesson-protect-text = Beginnen Sie von vorn, mit einem Token, das an einen Schlüssel gebunden ist, der diesen Browser nicht verlassen kann (DPoP). Stehlen Sie es dann noch einmal: Ohne den Schlüssel öffnet es nichts.
lesson-begin = Anfangen
playground-callback-title = Einen Moment
playground-callback-lead = Die Antwort ist auf dem Weg zur Spielwiese.
playground-callback-link = Spielwiese öffnen

# Spielwiese: andere Server
playground-issuer = Aussteller
playground-issuer-own = Dieser Server
playground-issuer-alone = Dieser Server gibt Anfragen an keinen anderen weiter; wer ihn verwaltet, kann welche zulassen.
playground-issuer-hint = Ein anderer geht, wenn er in der Verwaltung dieses Servers zugelassen ist. Anfragen an ihn gehen durch diesen Server.
playground-issuer-loopback = In dieser Demo auch jeder Server auf diesem Rechner, etwa http://localhost:9000. Anfragen an ihn gehen durch diesen Server.
playground-issuer-use = Metadaten lesen
playground-resource = Bei einer API beginnen
playground-resource-url = URL der API
playground-resource-hint = Sie wird ohne Token gefragt. Ihre Ablehnung sagt, wo ihre Metadaten sind, und diese sagen, welcher Server Token für sie ausstellt.
playground-resource-ask = Ohne Token fragen
playground-hand = Endpunkte von Hand
playground-hand-hint = Für einen Server, der keine Metadaten veröffentlicht. Der Aussteller oben gilt als sein Name.
playground-hand-use = Diese Endpunkte benutzen

# Token-Inspektor
inspector-title = Token-Inspektor
inspector-lead = Was ein Token ist und was darin steht. Es wird in diesem Browser gelesen und nirgendwohin gesendet, solange Sie nicht darum bitten.
inspector-token = Token
inspector-clear = Leeren

# Token-Ablage
desk-title = Token-Ablage
desk-lead = Ihre Tokens unter ihren Namen. Was andere verwenden dürfen, wird davon abgeleitet; das Token selbst erhalten sie nie.
desk-workspaces = Arbeitsbereiche
desk-open = Neuer Arbeitsbereich
desk-open-button = Arbeitsbereich anlegen
desk-name = Name
desk-issuer = Aussteller
desk-application = Client-ID
desk-user = Subjekt
desk-scopes = Scopes
desk-client-secret = Client-Geheimnis
desk-access-token = Access-Token
desk-refresh-token = Refresh-Token
desk-id-token = ID-Token
desk-shared = geteilt
desk-life-unknown = Niemand weiß, wann es endet.
desk-life-over = Abgelaufen
desk-life-left = Noch gültig:
desk-renew = Erneuern
desk-revoke = Widerrufen
desk-delete = Löschen
desk-rename = Umbenennen
desk-reveal = Token anzeigen
desk-share = Teilen
desk-unshare = Nicht mehr teilen
desk-use = Eigenes Token holen
desk-use-scope = Scopes, oder weniger davon
desk-use-explained = Es wird vom geteilten abgeleitet: nicht mehr Scopes, höchstens fünf Minuten, gebunden an einen Schlüssel dieses Browsers. Wem das geteilte gehört, sieht, dass Sie es hatten.
desk-use-given = Ihr Token
desk-use-noscript = Um ein geteiltes Token zu verwenden, braucht diese Seite JavaScript: Der Schlüssel, an den es gebunden ist, liegt in Ihrem Browser.
desk-call-url = URL einer API auf diesem Server
desk-call = Aufrufen
desk-uses = Wer es verwendet hat
desk-empty = Noch nichts hier
desk-empty-lead = Hier erscheinen Tokens, die Sie ablegen, und solche, die andere mit Ihnen teilen.
desk-add = Token ablegen
desk-add-more = Was das Token nicht sagt
desk-add-explained = Ein Token dieses Servers und ein JWT sagen das selbst. Das Client-Geheimnis wird gebraucht, um das Token eines Clients zu erneuern, der eines hat; es liegt verschlüsselt.
desk-add-button = Ablegen
desk-delete-expired = Abgelaufene löschen
desk-members = Personen
desk-member = Benutzername
desk-right = Sie dürfen
desk-right-view = sehen
desk-right-use = verwenden
desk-right-manage = verwalten
desk-right-own = Besitz
desk-admit = Aufnehmen
desk-dismiss = Entfernen
desk-sharing-is-on = Teilen ist eingeschaltet: Wer in diesem Arbeitsbereich ist, sieht die geteilten Tokens.
desk-sharing-is-off = Teilen ist ausgeschaltet: Niemand sonst sieht hier etwas.
desk-sharing-forbidden = Ihre Organisation erlaubt kein Teilen.
desk-sharing-on = Teilen einschalten
desk-sharing-off = Teilen ausschalten
desk-close = Diesen Arbeitsbereich löschen
desk-close-explained = Alles darin wird gelöscht. Was andere abgeleitet haben, ist sofort wertlos.
desk-secret-lead = Wer dieses Token hat, kann tun, was es erlaubt. Ihr Browser speichert es nicht; schließen Sie die Seite, wenn Sie fertig sind.
desk-back = Zurück zur Ablage
desk-notice-done = Erledigt.
desk-notice-revoked = Am Server widerrufen.
desk-notice-right-missing = Das dürfen Sie in diesem Arbeitsbereich nicht.
desk-notice-sharing-off = Teilen ist ausgeschaltet.
desk-notice-not-shareable = Dieses Token lässt sich nicht teilen: Es muss Ihr eigenes sein, von diesem Server, aus einer Anmeldung, und an keinen Schlüssel gebunden.
desk-notice-not-renewable = Dieses Token lässt sich von hier aus nicht erneuern oder widerrufen.
desk-notice-full = Mehr passt nicht hinein.
desk-notice-unknown = Das wurde nicht gefunden.
desk-notice-changed = Es wurde inzwischen anderswo geändert. Sehen Sie es sich an und versuchen Sie es noch einmal.
desk-notice-unreadable = Das ist keine Sammlung, die hier gelesen wird: Postmans Version 2.1 oder Grantors eigenes JSON, in den Grenzen.
desk-notice-refused = Der Server hat es abgelehnt. Der Grund steht in seinem Protokoll.

# Gespeicherte Anfragen
requests-title = Gespeicherte Anfragen
requests-lead = Anfragen in Sammlungen, mit den Einstellungen, durch die sie ihre Tokens bekommen, und Umgebungen, die ihre Variablen füllen.
requests-no-workspace = Gespeicherte Anfragen liegen in einem Arbeitsbereich. Legen Sie zuerst auf der Token-Ablage einen an.
requests-back = Zurück zu den gespeicherten Anfragen
requests-none = Noch keine.
requests-collections = Sammlungen
requests-collection = Sammlung
requests-new-collection = Neue Sammlung
requests-environments = Umgebungen
requests-environment = Umgebung
requests-no-environment = keine
requests-new-environment = Neue Umgebung
requests-create = Anlegen
requests-import = Einlesen
requests-import-lead = Eine Sammlung von Postman (Version 2.1), oder eine Sammlung oder Umgebung in Grantors eigenem JSON. Zugangsdaten darin werden zu geheimen Variablen; Skripte bleiben draußen.
requests-import-file = Datei
requests-import-text = Der Text der Datei
requests-export = Ausgeben
requests-export-lead = Geheimnisse stehen nicht darin.
requests-notes = Was wegfiel oder sich änderte
requests-notes-none = Nichts.
requests-open = Öffnen
requests-download = Herunterladen
requests-text = Text
requests-copy = Eigene Kopie anlegen
requests-contents = Inhalt
requests-whole = Die ganze Sammlung
requests-folder = Ordner
requests-new-folder = Neuer Ordner
requests-request = Anfrage
requests-new-request = Neue Anfrage
requests-move-up = Nach oben
requests-move-down = Nach unten
requests-of-another = Jemand anders hat das hier abgelegt: Sie sehen es ohne seine Geheimnisse und können es nicht ändern. Eine eigene Kopie schon.
requests-keep = Speichern
requests-description = Beschreibung
requests-method = Methode
requests-url = URL
requests-headers = Kopfzeilen
requests-headers-hint = Die Kopfzeile mit dem Token kommt beim Senden hinzu. Schreiben Sie Geheimnisse als Variablen, sonst sieht sie, wer die Sammlung sieht.
requests-body = Rumpf
requests-body-empty = keiner
requests-body-text = ein Text
requests-body-form = ein Formular
requests-fields = Felder des Formulars
requests-token = Token
requests-token-inherited = wie der Ordner darum
requests-token-none = keines
requests-token-settings = durch eigene Einstellungen
requests-in-force = Hier gilt: { $name }
requests-settings = Einstellungen des Tokens
requests-register = Wo sich jemand anmeldet, muss die Anwendung diese Redirect-URI haben:
requests-token-name = Name des Tokens auf der Ablage
requests-grant-type = Grant-Typ
requests-server-hint = Der Aussteller, dessen Metadaten den Rest sagen; oder die Endpunkte unten, und kein Aussteller.
requests-authorization-endpoint = Authorization-Endpunkt
requests-token-endpoint = Token-Endpunkt
requests-device-endpoint = Endpunkt für Geräte
requests-authentication = Anmeldung der Anwendung
requests-secret-variable = Variable mit dem Client-Geheimnis
requests-secret-variable-hint = Eine geheime Variable der Sammlung oder einer Umgebung.
requests-secret-value = Client-Geheimnis, das in diese Variable kommt
requests-resource = Ressourcen, eine pro Zeile
requests-audience = Audience
requests-use-token = Was gesendet wird
requests-header-prefix = Präfix in der Kopfzeile
requests-more = Weitere Einstellungen
requests-redirect-uri = Redirect-URI in ausgegebenen Dateien
requests-state = State; leer wird er jedes Mal neu gezogen
requests-parameters = Zusätzliche Parameter
requests-parameters-hint = Die der Authorization-Anfrage gehen in die Query. Eine Zeile ohne Namen fällt weg.
requests-of-authorization = Authorization
requests-of-token = Token
requests-of-refresh = Refresh
requests-in-query = Query
requests-in-body = Rumpf
requests-in-header = Kopfzeile
requests-variables = Variablen
requests-variables-hint = Sie stehen in Texten als ihre Namen zwischen doppelten geschweiften Klammern. Wer das sieht, sieht ihre Werte. Eine Zeile ohne Namen fällt weg.
requests-secrets = Geheime Variablen
requests-secrets-hint = Ihre Werte werden geschrieben und benutzt und niemandem gezeigt. Ein leeres Feld lässt den Wert, wie er ist.
requests-is-set = ist gesetzt
requests-forget = Vergessen
requests-row-name = Name { $number }
requests-row-value = Wert { $number }
requests-row-new-value = Neuer Wert { $number }
requests-row-request = Anfrage { $number }
requests-row-place = Ort { $number }
requests-use = Benutzen
requests-use-hint = Dieser Server sendet sie, an Adressen, die seine Verwaltung erlaubt.
requests-with-settings = durch die Einstellungen
requests-send = Senden
requests-obtain = Token holen
requests-fault-name = Nicht gespeichert: Ein Name ist eine Zeile von 1 bis 200 Bytes.
requests-fault-method = Nicht gespeichert: Eine Methode besteht aus Großbuchstaben, etwa GET.
requests-fault-line = Nicht gespeichert: Eine Zeile ist zu lang oder enthält, was keine Zeile enthalten darf.
requests-fault-header = Nicht gespeichert: Eine der Kopfzeilen hat keinen möglichen Namen.
requests-fault-variable = Nicht gespeichert: Der Name einer Variable besteht aus Buchstaben, Ziffern, _, - und . und steht nur einmal da.
requests-fault-server = Nicht gespeichert: Die Einstellungen brauchen einen Aussteller oder einen Token-Endpunkt, und nicht beides.
requests-fault-parameter = Nicht gespeichert: Ein zusätzlicher Parameter hat keinen möglichen Namen oder geht dorthin, wo er nicht hinkann.
requests-fault-plain-secret = Nicht gespeichert: Die Variable des Client-Geheimnisses muss eine geheime sein.
requests-fault-too-much = Nicht gespeichert: Es ist zu lang oder zu viel.
requests-fault-changed = Nicht gespeichert: Es wurde inzwischen anderswo geändert. Speichern Sie noch einmal, um dies an seine Stelle zu setzen. Geheimnisse müssen neu eingegeben werden.

# Sending a saved request.
sent-title = Gesendet: { $name }
sent-not-title = Das ging nicht: { $name }
sent-request = Anfrage
sent-answer = Antwort
sent-status = Status
sent-header = Header
sent-time = Zeit
sent-time-spent = { $own } ms hier, { $other } ms dort
sent-empty = Die Antwort hat keinen Inhalt.
sent-dots = Punkte stehen für Geheimnisse und das Token.
sent-again = Noch einmal senden
sent-back = Zurück zur Sammlung
sent-leave-title = Unterwegs zum Aussteller
sent-leave-lead = { $origin } fragt Sie dort. Danach sind Sie mit einem Token wieder hier.
sent-leave-go = Jetzt dorthin
sent-problem-unlisted = { $about } ist in der Verwaltung dieses Servers nicht zugelassen: Dorthin wurde nichts gesendet. Es gehört in die Konfiguration unter playground.issuers.
sent-problem-unreachable = Dieser Server hat { $about } nicht erreicht, oder die Antwort war zu langsam, zu groß oder komprimiert.
sent-problem-too-many = In dieser Stunde wurden für Sie so viele Anfragen gesendet, dass es keine mehr werden.
sent-problem-busy = Der Server ist beschäftigt. Versuchen Sie es gleich noch einmal.
sent-problem-not-passed-on = Die Anfrage hat eine Methode oder einen Header, der nicht gesendet wird: Cookies und alles, was sagt, wer fragt, bleiben hier.
sent-problem-url = Das ist keine URL, die gefragt werden kann: Sie beginnt mit https und hat weder Benutzer noch Fragment.
sent-problem-unknown-variables = Eine Variable dieses Namens gibt es nicht: { $about }
sent-problem-unset-secrets = Dieses Geheimnis ist nicht gesetzt: { $about }
sent-problem-unfillable = Die Variablen ergeben etwas zu Langes, drehen sich im Kreis oder haben mehrere Zeilen, wo nur eine stehen kann.
sent-problem-grant-type = Die Token-Ablage kann { $about } nicht. Die Spielwiese kann es, und grantor login --device auch.
sent-problem-client-authentication = { $about } braucht einen Schlüssel oder ein Zertifikat, das hier nicht liegt.
sent-problem-no-secret = Diese Einstellungen brauchen ein Client-Secret: Wählen Sie die geheime Variable, in der es steht.
sent-problem-no-client = Diese Einstellungen brauchen eine Client-ID.
sent-problem-redirect-elsewhere = Diese Einstellungen schicken den Browser danach woandershin. Lassen Sie ihre Redirect-URI leer und registrieren Sie beim Aussteller diese: { $about }
sent-problem-no-endpoint = Diese Einstellungen brauchen einen Aussteller oder Endpunkte, die https-URLs sind.
sent-problem-no-metadata = Wo dieser Aussteller Metadaten haben sollte, sind keine (RFC 8414 3).
sent-problem-other-issuer = Die Antwort ist von einem anderen Aussteller als dem gefragten (RFC 8414 3.3, RFC 9207 2.4). Nichts darin wurde benutzt.
sent-problem-refused = Kein Token: Der Aussteller antwortete { $about }.
sent-problem-bad-answer = In der Antwort des Ausstellers steht kein lesbares Token.
sent-problem-bound = Dieses Token ist an einen Schlüssel oder ein Zertifikat gebunden, das hier nicht liegt: Von hier kann es nicht gesendet werden.
sent-problem-id-token = Das ID-Token ist nicht, was es sein muss (OpenID Connect Core 3.1.3.7). Nichts wurde behalten.
sent-problem-no-id-token = Es gibt kein ID-Token: Der Scope openid fordert eins an.
sent-problem-changed = Die Einstellungen haben sich geändert, während Sie weg waren. Versuchen Sie es noch einmal.
sent-problem-somebody-elses = Das gehört jemand anderem, der jederzeit ändern könnte, wohin Ihre Geheimnisse gehen. Machen Sie eine eigene Kopie und senden Sie die.
sent-problem-right-missing = Das dürfen Sie in diesem Arbeitsbereich nicht.
sent-problem-full = Es ist kein Platz für mehr.
sent-problem-gone = Das wurde nicht gefunden.

# Erster Start
setup-title = Administrator anlegen
setup-lead = Dieser Server ist neu. Wer diesen Link hat, richtet ihn ein; der Link gilt einmal.
setup-password-again = Passwort wiederholen
setup-password-hint = Mindestens { $minimum } Zeichen. Ein Satz ist leichter zu merken als ein Rätsel.
setup-button = Administrator anlegen
setup-error-username = Dieser Benutzername geht nicht. Bitte wählen Sie einen anderen.
setup-error-differ = Die beiden Passwörter sind verschieden. Bitte geben Sie sie noch einmal ein.
setup-error-short = Das Passwort ist zu kurz: Es braucht mindestens { $minimum } Zeichen.
setup-error-long = Das Passwort ist zu lang.
setup-error-common = Dieses Passwort probieren Angreifer als Erstes. Bitte wählen Sie ein anderes.
setup-done-title = Fertig
setup-done-lead = Den Administrator { $username } gibt es jetzt, der Link gilt nicht mehr.

# Antwort an eine App
form-post-title = Einen Moment
form-post-lead = Es geht zurück zur App. Falls nichts geschieht, drücken Sie den Knopf.

# Fehler
error-back = Zurück
error-for-developers = Für Entwickler
error-code = Fehler
error-detail = Einzelheit
error-request = Anfrage
error-invalid-request = Diese Anfrage geht nicht
    .person = Die App hat Sie mit einer Anfrage hierher geschickt, die sich nicht beantworten lässt. Gehen Sie zurück zur App und versuchen Sie es erneut; falls es wieder geschieht, sagen Sie es den Leuten, die sie herstellen.
    .developer = Die Autorisierungsanfrage ist fehlerhaft. Vergleichen Sie ihre Parameter mit dem Fehler unten.
error-unknown-client = Diese App ist hier nicht bekannt
    .person = Die App, die Sie hierher geschickt hat, ist nicht registriert. Sie hat nichts von Ihnen erfahren.
    .developer = Kein Client dieses Mandanten hat diese client_id. Prüfen Sie client_id und Aussteller.
error-redirect-mismatch = Wir haben diese Anfrage angehalten
    .person = Die App wollte Sie an eine Adresse schicken, die für sie nicht registriert ist. Zu Ihrer Sicherheit haben wir das nicht getan. Sie hat nichts von Ihnen erfahren.
    .developer = redirect_uri muss Zeichen für Zeichen einer der registrierten URIs des Clients gleichen.
error-expired = Diese Seite ist abgelaufen
    .person = Sie war zu lange geöffnet oder wurde schon benutzt. Gehen Sie zurück zur App und beginnen Sie neu.
    .developer = Die Interaktion oder der Link ist verbraucht oder abgelaufen. Beginnen Sie eine neue Autorisierungsanfrage.
error-forbidden = Das dürfen Sie nicht
    .person = Ihr Konto darf diese Seite nicht öffnen. Falls es das sollte, fragen Sie Ihren Administrator.
    .developer = Dem angemeldeten Konto fehlt das Recht, das diese Adresse verlangt.
error-forged-form = Bitte versuchen Sie es noch einmal
    .person = Wir konnten nicht feststellen, ob das Formular von unserer eigenen Seite kam. Gehen Sie zurück, laden Sie die Seite neu und versuchen Sie es erneut. Cookies müssen erlaubt sein.
    .developer = Das Token gegen gefälschte Formulare fehlt oder gehört zu einer anderen Sitzung.
error-not-found = Hier ist nichts
    .person = Vielleicht ist die Adresse vertippt oder veraltet.
    .developer = Unter diesem Pfad antwortet kein Endpunkt. Die Metadaten des Servers nennen alle.
error-method-not-allowed = Diese Adresse geht anders
    .person = So lässt sich die Seite nicht öffnen. Gehen Sie zurück zur App und versuchen Sie es erneut.
    .developer = Der Endpunkt antwortet nicht auf diese HTTP-Methode. Siehe die Kopfzeile Allow.
error-too-large = Diese Anfrage ist zu groß
    .person = Die App oder Ihr Browser hat mehr geschickt, als wir annehmen. Gehen Sie zurück und versuchen Sie es erneut.
    .developer = Anfragezeile, Kopfzeilen oder Inhalt überschreiten die Grenzen dieses Servers. Vorab hinterlegte Anfragen (PAR) halten Adressen kurz.
error-too-many-requests = Das war etwas schnell
    .person = Es kamen zu viele Anfragen. Bitte warten Sie einen Moment und versuchen Sie es erneut.
    .developer = Die Anfrage wurde gedrosselt. Siehe die Kopfzeile Retry-After.
error-server = Bei uns ist etwas schiefgegangen
    .person = Es liegt nicht an Ihnen. Bitte versuchen Sie es gleich noch einmal.
    .developer = Der Administrator dieses Servers findet die Ursache im Protokoll unter der Anfrage unten.
error-unavailable = Wir sind gleich zurück
    .person = Der Dienst ist ausgelastet oder wird gewartet. Bitte versuchen Sie es gleich noch einmal.
    .developer = Der Server kann gerade nicht antworten. Siehe die Kopfzeile Retry-After.

openid-openid = Wissen, wer Sie hier sind
openid-profile = Ihren Namen und Ihr Profil sehen
openid-email = Ihre E-Mail-Adresse sehen
openid-address = Ihre Anschrift sehen
openid-phone = Ihre Telefonnummer sehen
openid-offline_access = Verbunden bleiben, auch wenn Sie nicht da sind
