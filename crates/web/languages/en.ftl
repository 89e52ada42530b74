# Shared
footer = Secured by Grantor
new-tab = (opens in a new tab)
username = Username
password = Password
continue = Continue
not-you = Not you?
signed-in-as = You are signed in as { $username }.
error-prefix = Error:
duration-seconds = { $count ->
    [one] 1 second
   *[other] { $count } seconds
}
duration-minutes = { $count ->
    [one] 1 minute
   *[other] { $count } minutes
}
duration-hours = { $count ->
    [one] 1 hour
   *[other] { $count } hours
}
duration-days = { $count ->
    [one] 1 day
   *[other] { $count } days
}
duration-years = { $count ->
    [one] 1 year
   *[other] { $count } years
}
date = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }

# Signing in
sign-in-title = Sign in
sign-in-to-continue = to continue to { $application }
sign-in-lead = with your { $tenant } account
sign-in-button = Sign in
sign-in-error-wrong = That username and password don’t match. Please check both and try again.
sign-in-error-throttled = Too many attempts. Please wait { $wait }, then try again.
sign-in-error-expired = This page was open for too long. Please try again.

# Choosing an account
select-title = Choose an account
select-lead = to continue to { $tenant }
select-continue = Continue as
select-another = Use another account

# Consent
consent-title = { $application } wants to access your account
consent-website = Website
consent-scopes = It will be able to:
consent-required = Always needed
consent-granted = Already allowed
consent-once = Asked every time
consent-lifetime-once = This lasts { $span } and then ends by itself.
consent-lifetime-limited = This lasts up to { $span }, even while you are away.
consent-lifetime-until-revoked = This lasts until you take it back, even while you are away.
consent-redirect = Afterwards you go to
consent-device = It is for the device that shows
consent-device-warning = Allow this only if you started it yourself, on a device that you have in front of you. Whoever sent you a link with this code would get the access.
consent-document = This app is not registered here. Its name and everything else shown about it come from
consent-local = Any program on a computer can pretend to be this app. Only go on if you have just started it yourself.
consent-deny = Deny
consent-allow = Allow
consent-revocable = You can take it back at any time under “Your apps”.
consent-policy = Privacy policy
consent-terms = Terms of service

# Devices
device-title = Connect a device
device-lead = Enter the code that your device shows.
device-compare = Does your device show this code? Continue only if it does.
device-code = Code
device-continue = Continue
device-warning = Never enter a code that somebody sent you.
device-error-unknown = No device shows this code, or it has expired. Check it, or start again on the device.
device-allowed-title = Your device is connected
device-allowed-lead = { $application } goes on by itself. You may close this page.
device-denied-title = Your device was not connected
device-denied-lead = { $application } got no access. You may close this page.

# Signing out
sign-out-title = Sign out?
sign-out-asked = { $application } asks to sign you out.
sign-out-lead = You will have to sign in again to use your apps.
sign-out-stay = Stay signed in
sign-out-button = Sign out
signed-out-title = You are signed out
signed-out-lead = You have left { $tenant } in this browser. On a shared device, close the browser as well.
signed-out-return = Back to { $application }
signed-out-return-unnamed = Back to the app
signed-out-again = Sign in again

# Your apps
apps-title = Your apps
apps-lead = These apps can reach your account. Remove the ones you no longer use.
apps-revoked = { $application } no longer has access.
apps-first = Allowed since
apps-last = Last used
apps-never = Never
apps-grants = Permissions given
apps-may = What it can do
apps-remove = Remove access
apps-remove-explained = { $application } loses access at once and has to ask you again.
apps-remove-button = Remove { $application }
apps-empty = No apps yet
apps-empty-lead = When you allow an app to reach your account, it shows up here.
apps-home = Back to { $tenant }

# Home
home-title = Welcome
home-lead = Sign in once, and decide which apps reach your account.
home-issuer = Issuer
home-metadata = For developers
home-metadata-link = Server metadata

# Playground
playground-title = Playground
playground-lead = Every step of a flow, with the exact request and the exact answer.
playground-lead-straight = Requests go from this browser straight to this server.
playground-lead-relay = Requests go from this browser straight to this server; those to another one go through this one, which writes down where they went and nothing of what is in them.
playground-noscript = This page works with JavaScript only: what it does happens in your browser.
playground-flow = Flow
playground-flow-code = Authorization code with PKCE
playground-flow-code-hint = A user allows an application to act for them.
playground-flow-client = Client credentials
playground-flow-client-hint = An application acts for itself.
playground-flow-refresh = Refresh token
playground-flow-refresh-hint = A new access token without asking the user again.
playground-flow-device = Device code
playground-flow-device-hint = A television or a terminal, allowed on another device.
playground-flow-assertion = JWT bearer
playground-flow-assertion-hint = A token of another issuer, exchanged for one of this server.
playground-flow-exchange = Token exchange
playground-flow-exchange-hint = A token of this server, exchanged for a narrower one.
playground-flow-implicit = Implicit (explained)
playground-flow-implicit-hint = The token through the address bar. Not any more.
playground-flow-password = Password (explained)
playground-flow-password-hint = The application is told the password. Never.
playground-client = Client
playground-client-id = Client ID
playground-client-secret = Client secret
playground-client-secret-hint = Only if the client has one. It stays in the memory of this page and is forgotten when you leave it.
playground-redirect = The client needs this redirect URI:
playground-scope = Scopes
playground-scope-hint = Separated by spaces. Fewer is better: ask for what is needed.
playground-refresh-token = Refresh token
playground-checks = Who checks the answers?
playground-checks-page = The page
playground-checks-me = I do
playground-begin = Start the flow
playground-again = Start over
lesson-title = Start here: ten minutes with an access token
lesson-lead = An access token is like the key card of a hotel: a program shows it at a door, and the door opens, without anybody’s password. Here the program is this page, and the door is an API: an address that answers programs. There are seven things to do with it; each ticks itself off.
lesson-demo = All that the page asks for is filled in. When the server asks who you are: your name is alice, and the password stands in the terminal in which you started the demo.
lesson-get = Get one
lesson-get-text = The program sends you to the server, which alone sees your password. There you allow what it asks for. It comes back with a code, and changes it for a token.
lesson-look = Look into it
lesson-look-text = It says who made it, for which API, what it allows and until when. A new tab explains it word by word; then come back to this one.
lesson-use = Use it
lesson-use-text = The token goes along with a request to the API, which looks at it and answers.
lesson-refresh = Refresh it
lesson-refresh-text = It lives for minutes. With it came another one, the refresh token, which gets a new one from the server without asking you again.
lesson-steal = Steal it
lesson-steal-text = Be the thief who found it in a log and has nothing else. He shows it to the API, and is let in.
lesson-revoke = Revoke it
lesson-revoke-text = Take it back at the server. From then on the API turns away whoever shows it, thief and owner alike.
lesson-protect = Protect it
lesson-protect-text = Start over, with the token bound to a key that cannot leave this browser (DPoP). Then steal it again: without the key it opens nothing.
lesson-begin = Begin
playground-callback-title = One moment
playground-callback-lead = The answer is on its way to the playground.
playground-callback-link = Open the playground

# Playground: other servers
playground-issuer = Issuer
playground-issuer-own = This server
playground-issuer-alone = This server passes requests on to no other; its administrator can list some.
playground-issuer-hint = Another one can be typed if the administrator of this server listed it. Requests to it go through this server.
playground-issuer-loopback = At this demo also any server on this machine, such as http://localhost:9000. Requests to it go through this server.
playground-issuer-use = Read its metadata
playground-resource = Start from an API
playground-resource-url = URL of the API
playground-resource-hint = It is asked without a token. Its refusal says where its metadata is, and that says which server gives tokens for it.
playground-resource-ask = Ask without a token
playground-hand = Endpoints by hand
playground-hand-hint = For a server that publishes no metadata. The issuer above counts as its name.
playground-hand-use = Use these endpoints

# Token inspector
inspector-title = Token inspector
inspector-lead = What a token is and what it says. It is decoded in this browser and sent nowhere unless you ask for it.
inspector-token = Token
inspector-clear = Clear

# Token desk
desk-title = Token desk
desk-lead = Your tokens under their names. What others may use is derived from them, never the token itself.
desk-workspaces = Workspaces
desk-open = New workspace
desk-open-button = Create workspace
desk-name = Name
desk-issuer = Issuer
desk-application = Client ID
desk-user = Subject
desk-scopes = Scopes
desk-client-secret = Client secret
desk-access-token = Access token
desk-refresh-token = Refresh token
desk-id-token = ID token
desk-shared = shared
desk-life-unknown = Nobody knows when it ends.
desk-life-over = Expired
desk-life-left = Good for another
desk-renew = Renew
desk-revoke = Revoke
desk-delete = Delete
desk-rename = Rename
desk-reveal = Show token
desk-share = Share
desk-unshare = Stop sharing
desk-use = Get a token of my own
desk-use-scope = Scopes, or fewer of them
desk-use-explained = It is derived from the shared one: no more scope, five minutes at most, bound to a key of this browser. Its owner sees that you had it.
desk-use-given = Your token
desk-use-noscript = To use a shared token, this page needs JavaScript: the key that it is bound to lives in your browser.
desk-call-url = URL of an API on this server
desk-call = Call it
desk-uses = Who used it
desk-empty = Nothing here
desk-empty-lead = Tokens that you put here, and tokens that others share with you, show up here.
desk-add = Put a token here
desk-add-more = What the token does not say
desk-add-explained = A token of this server, or a JWT, says these things itself. The client secret is needed to renew the token of a client that has one; it rests encrypted.
desk-add-button = Keep it
desk-delete-expired = Delete the expired ones
desk-members = People
desk-member = Username
desk-right = They may
desk-right-view = see
desk-right-use = use
desk-right-manage = manage
desk-right-own = owns it
desk-admit = Let in
desk-dismiss = Remove
desk-sharing-is-on = Sharing is on: people in this workspace see the tokens that are shared.
desk-sharing-is-off = Sharing is off: nobody else sees anything here.
desk-sharing-forbidden = Your organisation does not allow sharing.
desk-sharing-on = Switch sharing on
desk-sharing-off = Switch sharing off
desk-close = Delete this workspace
desk-close-explained = Everything in it is deleted. Tokens that others derived stop working at once.
desk-secret-lead = Whoever holds this token can do what it allows. It is not stored by your browser; close this page when you are done.
desk-back = Back to the desk
desk-notice-done = Done.
desk-notice-revoked = Revoked at the server.
desk-notice-right-missing = You may not do that in this workspace.
desk-notice-sharing-off = Sharing is switched off.
desk-notice-not-shareable = This token cannot be shared: it must be your own, of this server, from a sign-in, and not bound to a key.
desk-notice-not-renewable = This token cannot be renewed or revoked from here.
desk-notice-full = There is no room for more.
desk-notice-unknown = That was not found.
desk-notice-changed = It was changed elsewhere meanwhile. Look at it and try again.
desk-notice-unreadable = That is no collection that is read here: Postman’s version 2.1, or Grantor’s own JSON, within its bounds.
desk-notice-refused = The server refused it. The reason is in its log.

# Saved requests
requests-title = Saved requests
requests-lead = Requests in collections, with the settings by which they get their tokens, and environments that fill in their variables.
requests-no-workspace = Saved requests lie in a workspace. Create one on the token desk first.
requests-back = Back to the saved requests
requests-none = None yet.
requests-collections = Collections
requests-collection = Collection
requests-new-collection = New collection
requests-environments = Environments
requests-environment = Environment
requests-no-environment = none
requests-new-environment = New environment
requests-create = Create
requests-import = Import
requests-import-lead = A collection of Postman’s (version 2.1), or a collection or an environment in Grantor’s own JSON. Credentials in it become secret variables; scripts are left out.
requests-import-file = File
requests-import-text = The file’s text
requests-export = Export
requests-export-lead = Secrets are not in it.
requests-notes = What was left out or changed
requests-notes-none = Nothing.
requests-open = Open it
requests-download = Download
requests-text = Text
requests-copy = Make a copy of my own
requests-contents = Contents
requests-whole = The whole collection
requests-folder = Folder
requests-new-folder = New folder
requests-request = Request
requests-new-request = New request
requests-move-up = Move up
requests-move-down = Move down
requests-of-another = Somebody else put this here: you see it without its secrets, and cannot change it. A copy of your own you can.
requests-keep = Save
requests-description = Description
requests-method = Method
requests-url = URL
requests-headers = Headers
requests-headers-hint = The header with the token is added when it is sent. Write secrets as variables, or whoever sees the collection sees them.
requests-body = Body
requests-body-empty = none
requests-body-text = a text
requests-body-form = a form
requests-fields = Fields of the form
requests-token = Token
requests-token-inherited = as the folder around it
requests-token-none = none
requests-token-settings = by settings of its own
requests-in-force = In force here: { $name }
requests-settings = Settings of the token
requests-register = Where a user signs in, the client must have this redirect URI:
requests-token-name = Name of the token on the desk
requests-grant-type = Grant type
requests-server-hint = The issuer, whose metadata say the rest; or the endpoints below, and no issuer.
requests-authorization-endpoint = Authorization endpoint
requests-token-endpoint = Token endpoint
requests-device-endpoint = Device authorization endpoint
requests-authentication = Client authentication
requests-secret-variable = Variable with the client secret
requests-secret-variable-hint = A secret variable of the collection or of an environment.
requests-secret-value = Client secret, to be put into that variable
requests-resource = Resources, one a line
requests-audience = Audience
requests-use-token = What is sent
requests-header-prefix = Prefix in the header
requests-more = More settings
requests-redirect-uri = Redirect URI in exported files
requests-state = State; drawn anew each time if empty
requests-parameters = Extra parameters
requests-parameters-hint = Those of the authorization request go into the query. A row without a name is dropped.
requests-of-authorization = authorization
requests-of-token = token
requests-of-refresh = refresh
requests-in-query = query
requests-in-body = body
requests-in-header = header
requests-variables = Variables
requests-variables-hint = They stand in texts as their names between double braces. Whoever sees this sees their values. A row without a name is dropped.
requests-secrets = Secret variables
requests-secrets-hint = Their values are written and used, and never shown to anybody. An empty field leaves the value as it is.
requests-is-set = is set
requests-forget = Forget it
requests-row-name = Name { $number }
requests-row-value = Value { $number }
requests-row-new-value = New value { $number }
requests-row-request = Request { $number }
requests-row-place = Place { $number }
requests-use = Use
requests-use-hint = This server sends it, to addresses that its administrator allows.
requests-with-settings = by the settings
requests-send = Send
requests-obtain = Get a token
requests-fault-name = Not saved: a name is one line of 1 to 200 bytes.
requests-fault-method = Not saved: a method is capital letters, such as GET.
requests-fault-line = Not saved: a line is too long, or holds what no line may hold.
requests-fault-header = Not saved: one of the headers has no possible name.
requests-fault-variable = Not saved: the name of a variable is letters, digits, _, - and ., and stands once.
requests-fault-server = Not saved: the settings need an issuer or a token endpoint, and not both.
requests-fault-parameter = Not saved: an extra parameter has no possible name, or goes where it cannot go.
requests-fault-plain-secret = Not saved: the client secret’s variable must be a secret one.
requests-fault-too-much = Not saved: it is too long, or too much.
requests-fault-changed = Not saved: it was changed elsewhere meanwhile. Save again to put this in its place. Secrets must be typed again.

# Sending a saved request.
sent-title = Sent: { $name }
sent-not-title = That did not work: { $name }
sent-request = Request
sent-answer = Answer
sent-status = Status
sent-header = Header
sent-time = Time
sent-time-spent = { $own } ms here, { $other } ms there
sent-empty = The answer has no body.
sent-dots = Dots stand for secrets and the token.
sent-again = Send again
sent-back = Back to the collection
sent-leave-title = On the way to the issuer
sent-leave-lead = { $origin } asks you there. Afterwards you are back here with a token.
sent-leave-go = Go there now
sent-problem-unlisted = The administrator of this server did not list { $about }: nothing was sent to it. It stands in the configuration under playground.issuers.
sent-problem-unreachable = This server could not reach { $about }, or its answer was too slow, too large or compressed.
sent-problem-too-many = So many requests were sent for you in this hour that no more are.
sent-problem-busy = The server is busy. Try again in a moment.
sent-problem-not-passed-on = The request has a method or a header that is not sent: cookies, and whatever says who asks, stay here.
sent-problem-url = That is no URL that can be asked: it begins with https, and has neither a user nor a fragment.
sent-problem-unknown-variables = There is no variable of this name: { $about }
sent-problem-unset-secrets = This secret is not set: { $about }
sent-problem-unfillable = The variables make something too long, go round in circles, or have several lines where there is room for one.
sent-problem-grant-type = The desk cannot run { $about }. The playground does, and so does grantor login --device.
sent-problem-client-authentication = { $about } needs a key or a certificate that the desk does not have.
sent-problem-no-secret = These settings need a client secret: choose the secret variable that holds it.
sent-problem-no-client = These settings need a client ID.
sent-problem-redirect-elsewhere = These settings send the browser elsewhere afterwards. Leave their redirect URI empty, and register this one at the issuer: { $about }
sent-problem-no-endpoint = These settings need an issuer, or endpoints that are https URLs.
sent-problem-no-metadata = There are no metadata where this issuer should have them (RFC 8414 3).
sent-problem-other-issuer = The answer is from another issuer than the one that was asked (RFC 8414 3.3, RFC 9207 2.4). Nothing in it was used.
sent-problem-refused = No token: the issuer answered { $about }.
sent-problem-bad-answer = What the issuer answered has no token in it that can be read.
sent-problem-bound = This token is bound to a key or a certificate, which the desk does not have: it cannot be sent from here.
sent-problem-id-token = The ID token is not what it must be (OpenID Connect Core 3.1.3.7). Nothing was kept.
sent-problem-no-id-token = There is no ID token: the scope openid asks for one.
sent-problem-changed = The settings changed while you were away. Try again.
sent-problem-somebody-elses = This belongs to somebody else, who could change at any moment where your secrets go. Make a copy of your own and send that.
sent-problem-right-missing = You may not do that in this workspace.
sent-problem-full = There is no room for more.
sent-problem-gone = That was not found.

# First start
setup-title = Create the administrator
setup-lead = This server is new. Whoever holds this link sets it up; the link works once.
setup-password-again = Password again
setup-password-hint = At least { $minimum } characters. A sentence is easier to remember than a riddle.
setup-button = Create administrator
setup-error-username = This username can’t be used. Please choose another.
setup-error-differ = The two passwords differ. Please type them again.
setup-error-short = The password is too short: it needs at least { $minimum } characters.
setup-error-long = The password is too long.
setup-error-common = This password is one of the first that attackers try. Please choose another.
setup-done-title = All set
setup-done-lead = The administrator { $username } exists and the link no longer works.

# Sending a response to an app
form-post-title = One moment
form-post-lead = You are being sent back to the app. If nothing happens, press the button.

# Errors
error-back = Go back
error-for-developers = For developers
error-code = Error
error-detail = Detail
error-request = Request
error-invalid-request = This request doesn’t work
    .person = The app sent you here with a request that can’t be answered. Go back to the app and try again; if it happens again, tell the people who make it.
    .developer = The authorization request is malformed. Compare its parameters with the error below.
error-unknown-client = This app isn’t known here
    .person = The app that sent you here isn’t registered. Nothing was shared with it.
    .developer = No client has this client_id in this tenant. Check the client_id and the issuer.
error-redirect-mismatch = We stopped this request
    .person = The app asked to send you to an address that isn’t registered for it. To keep you safe, we didn’t. Nothing was shared.
    .developer = redirect_uri must equal one of the client’s registered URIs, character by character.
error-expired = This page has expired
    .person = It was open for too long or has been used already. Go back to the app and start again.
    .developer = The interaction or link is spent or past its lifetime. Start a new authorization request.
error-forbidden = You can’t do this
    .person = Your account isn’t allowed to open this page. If you think it should be, ask your administrator.
    .developer = The signed-in account lacks the permission that this address asks for.
error-forged-form = Please try that again
    .person = We couldn’t make sure that the form came from our own page. Go back, reload the page and try again. Cookies have to be allowed.
    .developer = The anti-forgery token is missing or belongs to another session.
error-not-found = There is nothing here
    .person = The address may be mistyped or out of date.
    .developer = No endpoint answers at this path. The server metadata lists all of them.
error-method-not-allowed = This address works differently
    .person = The page can’t be opened like this. Go back to the app and try again.
    .developer = The endpoint doesn’t answer to this HTTP method. See the Allow header.
error-too-large = This request is too large
    .person = The app or your browser sent more than we accept. Go back and try again.
    .developer = The request line, the headers or the body exceed this server’s limits. Pushed authorization requests keep URLs short.
error-too-many-requests = That was a bit fast
    .person = There were too many requests. Please wait a moment and try again.
    .developer = The request was throttled. See the Retry-After header.
error-server = Something went wrong on our side
    .person = It isn’t your fault. Please try again in a moment.
    .developer = The administrator of this server finds the cause in its log under the request below.
error-unavailable = We’ll be right back
    .person = The service is busy or being looked after. Please try again in a moment.
    .developer = The server can’t answer just now. See the Retry-After header.

openid-openid = Know who you are here
openid-profile = See your name and profile
openid-email = See your email address
openid-address = See your postal address
openid-phone = See your phone number
openid-offline_access = Stay connected while you are away
