"""PyPI Authlib: clients that sign who they are. It signs for the token endpoint, which the profile `oidc` alone allows."""

import json
import os
import secrets
import subprocess
import time
import warnings

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from common import ALICE, DEMO, ISSUER, NOTES, REDIRECT_URI, TIMEOUT, Person, call, check, equal, finish
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
# That EdDSA has a younger name is no news for the report.
warnings.simplefilter("ignore", SecurityWarning)
METADATA = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=TIMEOUT).json()
TOKEN_ENDPOINT = METADATA["token_endpoint"]

KEYS = {
    "RS256": RSAKey.generate_key(2048, {"kid": "rs"}),
    "PS256": RSAKey.generate_key(2048, {"kid": "ps"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "es"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
}
SECRET = secrets.token_urlsafe(32)


def machine(client_id, **metadata):
    return {"client_id": client_id, "profile": "oidc", "grant_types": ["client_credentials"], **metadata}


def of_key(alg):
    jwks = {"keys": [KEYS[alg].as_dict(private=False, alg=alg, use="sig")]}
    return {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks}


CLIENTS = [
    *(machine(f"signs-{alg}", **of_key(alg)) for alg in KEYS),
    machine("macs", token_endpoint_auth_method="client_secret_jwt", client_secret=SECRET),
    {**machine("strict", **of_key("ES256")), "profile": "oauth2.1"},
    {
        "client_id": "web-signs",
        "profile": "oidc",
        "redirect_uris": [REDIRECT_URI],
        "application_type": "native",
        "grant_types": ["authorization_code", "refresh_token"],
        **of_key("ES256"),
    },
]
MACHINES = [client["client_id"] for client in CLIENTS if "client_credentials" in client["grant_types"]]
API = "https://keys.example/"


def apply():
    """Adds the clients to the running demo, and waits until it has seen them."""
    api = {
        "audience": API,
        "name": "Keys",
        "scopes": [{"name": "keys:read"}],
        "ceilings": [{"client_id": client_id, "scope": "keys:read"} for client_id in MACHINES],
        "resource_servers": ["demo-notes-api"],
    }
    manifest = json.dumps({"apis": [api], "clients": CLIENTS})
    command = [os.environ["GRANTOR_BINARY"], "apply", "-", "--data", DEMO["data"]]
    subprocess.run(command, input=manifest, text=True, check=True, capture_output=True, timeout=TIMEOUT)
    for _ in range(100):
        document = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=TIMEOUT).json()
        if "keys:read" in document["scopes_supported"]:
            return
        time.sleep(0.1)
    raise AssertionError("the demo does not see what was applied")


def session(client_id, key, method, **options):
    """A session as its documentation makes one."""
    oauth = OAuth2Session(client_id, key, token_endpoint_auth_method=method.name, **options)
    oauth.register_client_auth_method(method)
    return oauth


def for_itself(client_id, key, method):
    oauth = session(client_id, key, method, scope="keys:read")
    return oauth.fetch_token(TOKEN_ENDPOINT, grant_type="client_credentials", timeout=TIMEOUT)


def introspect(token):
    credentials = {client["client_id"]: client for client in DEMO["clients"]}["demo-notes-api"]
    api = OAuth2Session(credentials["client_id"], credentials["client_secret"])
    return api.introspect_token(METADATA["introspection_endpoint"], token=token, timeout=TIMEOUT).json()


def refused(code, body):
    """An OAuth error with this code, as the library reports it."""
    try:
        body()
    except OAuthError as error:
        equal(error.error, code)
        return
    raise AssertionError(f"accepted, but {code} was expected")


apply()
for alg, key in KEYS.items():

    @check(f"private_key_jwt with {alg}")
    def _(alg=alg, key=key):
        method = PrivateKeyJWT(TOKEN_ENDPOINT, alg=alg, headers={"kid": key.kid})
        token = for_itself(f"signs-{alg}", key, method)
        said = introspect(token["access_token"])
        equal((said["active"], said["client_id"]), (True, f"signs-{alg}"))


@check("client_secret_jwt")
def _():
    token = for_itself("macs", SECRET, ClientSecretJWT(TOKEN_ENDPOINT))
    equal(introspect(token["access_token"])["client_id"], "macs")


@check("client_secret_jwt with another secret is invalid_client")
def _():
    refused("invalid_client", lambda: for_itself("macs", secrets.token_urlsafe(32), ClientSecretJWT(TOKEN_ENDPOINT)))


@check("private_key_jwt with another key is invalid_client")
def _():
    stranger = ECKey.generate_key("P-256")
    refused("invalid_client", lambda: for_itself("signs-ES256", stranger, PrivateKeyJWT(TOKEN_ENDPOINT, alg="ES256")))


@check("each method at the client of the other is invalid_client")
def _():
    method = PrivateKeyJWT(TOKEN_ENDPOINT, alg="ES256")
    refused("invalid_client", lambda: for_itself("macs", KEYS["ES256"], method))
    refused("invalid_client", lambda: for_itself("signs-ES256", SECRET, ClientSecretJWT(TOKEN_ENDPOINT)))


@check("a secret sent as such by a client that signs with it is invalid_client")
def _():
    oauth = OAuth2Session("macs", SECRET, token_endpoint_auth_method="client_secret_basic", scope="keys:read")
    refused("invalid_client", lambda: oauth.fetch_token(TOKEN_ENDPOINT, grant_type="client_credentials"))


@check("an assertion is good once")
def _():
    method = PrivateKeyJWT(TOKEN_ENDPOINT, alg="ES256", claims={"jti": secrets.token_hex(8)})
    for_itself("signs-ES256", KEYS["ES256"], method)
    refused("invalid_client", lambda: for_itself("signs-ES256", KEYS["ES256"], method))


@check("in the profile oauth2.1 the issuer is the audience, and the token endpoint is not")
def _():
    for_itself("strict", KEYS["ES256"], PrivateKeyJWT(ISSUER, alg="ES256"))
    refused("invalid_client", lambda: for_itself("strict", KEYS["ES256"], PrivateKeyJWT(TOKEN_ENDPOINT, alg="ES256")))


@check("a code flow and a refresh, each signed")
def _():
    method = PrivateKeyJWT(TOKEN_ENDPOINT, alg="ES256")
    scope = "openid offline_access notes:read"
    options = {"redirect_uri": REDIRECT_URI, "scope": scope, "code_challenge_method": "S256"}
    oauth = session("web-signs", KEYS["ES256"], method, **options)
    verifier = secrets.token_urlsafe(48)
    url, state = oauth.create_authorization_url(METADATA["authorization_endpoint"], code_verifier=verifier)
    callback = Person().authorize(url)
    token = oauth.fetch_token(TOKEN_ENDPOINT, authorization_response=callback, code_verifier=verifier, state=state)
    equal(call(NOTES["url"], token["access_token"]), 200)
    equal(introspect(token["access_token"])["sub"], ALICE["sub"])
    second = oauth.refresh_token(TOKEN_ENDPOINT, refresh_token=token["refresh_token"], timeout=TIMEOUT)
    equal(call(NOTES["url"], second["access_token"]), 200)


finish()
