"""What the suites of Python libraries need: the running demo, a report, and a person who fills in pages."""

import json
import os
import sys
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

DEMO = json.loads(os.environ["GRANTOR_DEMO"])
ISSUER = DEMO["issuer"]
ALICE = DEMO["users"][0]
CLIENTS = {client["client_id"]: client for client in DEMO["clients"]}
NOTES = next((api for api in DEMO["apis"] if api["audience"].endswith("/notes")), None)
REDIRECT_URI = "http://127.0.0.1:5998/callback"
SCOPE = "openid profile email offline_access notes:read"
TIMEOUT = 20

_failed = 0


def check(name):
    """Makes one check at once; the decorated name becomes what it returned."""

    def run(body):
        global _failed
        try:
            value = body()
        except Exception as error:  # a failed check must not end the suite
            _failed += 1
            why = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"not ok {name}: {why}", flush=True)
            return None
        print(f"ok {name}", flush=True)
        return value

    return run


def finish():
    sys.exit(1 if _failed else 0)


def equal(left, right):
    assert left == right, f"{left!r} is not {right!r}"


def call(url, token):
    """Calls an API with a bearer token; gives the status."""
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT).status_code


class _Form(HTMLParser):
    """The first form of a page: where it goes, its inputs and its buttons."""

    def __init__(self, page):
        super().__init__()
        self.action, self.inputs, self.buttons, self._inside = None, [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form" and self.action is None:
            self.action, self._inside = attributes.get("action", ""), True
        elif self._inside and tag == "input" and attributes.get("name") and "disabled" not in attributes:
            self.inputs.append(attributes)
        elif self._inside and tag == "button" and attributes.get("name"):
            self.buttons.append((attributes["name"], attributes.get("value", "")))

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = False


class Person:
    """A browser without JavaScript and the person in front of it."""

    def __init__(self, user=ALICE):
        self.user = user
        self.session = requests.Session()

    def authorize(self, url, decision="allow", without=(), callback=REDIRECT_URI):
        """Follows an authorization request to its end; gives the address at which the client is called back."""
        method, fields = "GET", None
        for _ in range(12):
            if url.startswith(callback):
                return url
            origin = "/".join(url.split("/")[:3])
            headers = {"Origin": origin} if method == "POST" else {}
            response = self.session.request(
                method, url, data=fields, headers=headers, allow_redirects=False, timeout=TIMEOUT
            )
            if "Location" in response.headers:
                method, url, fields = "GET", urljoin(url, response.headers["Location"]), None
                continue
            form = _Form(response.text)
            if form.action is None:
                raise AssertionError(f"{response.status_code} at {url.split('?')[0]}: {response.text[:500]}")
            method, url, fields = "POST", urljoin(url, form.action), self._fill(form, decision, without)
        raise AssertionError("the pages go round in circles")

    def _fill(self, form, decision, without):
        fields = []
        for given in form.inputs:
            name, value = given["name"], given.get("value", "")
            if given.get("type") == "checkbox":
                if "checked" in given and value not in without:
                    fields.append((name, value))
            elif name in ("username", "password"):
                fields.append((name, self.user[name]))
            else:
                fields.append((name, value))
        chosen = [button for button in form.buttons if button[1] == decision] or form.buttons
        return fields + chosen[:1]
