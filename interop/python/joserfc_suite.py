"""PyPI joserfc as the oracle for what Grantor signs: access tokens and ID tokens against the published keys."""

import base64
import hashlib
import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from common import ALICE, CLIENTS, ISSUER, NOTES, REDIRECT_URI, SCOPE, TIMEOUT, Person, check, equal, finish
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

METADATA = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=TIMEOUT).json()
ALGORITHMS = METADATA["id_token_signing_alg_values_supported"]
ACCESS_ALGORITHMS = ["ES256", "ES384", "RS256", "PS256", "EdDSA", "Ed25519"]


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(client_id, **parameters):
    client = CLIENTS[client_id]
    basic = requests.auth.HTTPBasicAuth(client_id, client["client_secret"])
    response = requests.post(METADATA["token_endpoint"], data=parameters, auth=basic, timeout=TIMEOUT)
    equal(response.status_code, 200)
    return response.json()


@check("the published keys are read")
def keys():
    found = KeySet.import_key_set(requests.get(METADATA["jwks_uri"], timeout=TIMEOUT).json())
    assert found.keys and not any(key.is_private for key in found.keys)
    return found


@check("each kid is the thumbprint of its key, or at least names one key alone")
def _():
    kids = [key.kid for key in keys.keys]
    equal(len(kids), len(set(kids)))


NONCE, VERIFIER = secrets.token_urlsafe(16), secrets.token_urlsafe(48)


@check("a code flow by hand")
def tokens():
    challenge = base64url(hashlib.sha256(VERIFIER.encode()).digest())
    query = {
        "client_id": "demo-web",
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPE,
        "nonce": NONCE,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    callback = Person().authorize(f"{METADATA['authorization_endpoint']}?{urlencode(query)}")
    code = parse_qs(urlsplit(callback).query)["code"][0]
    return token(
        "demo-web", grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, code_verifier=VERIFIER
    )


@check("the ID token verifies and its claims hold")
def _():
    decoded = jwt.decode(tokens["id_token"], keys, algorithms=ALGORITHMS)
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": "demo-web"},
        sub={"essential": True, "value": ALICE["sub"]},
        nonce={"essential": True, "value": NONCE},
        exp={"essential": True},
        iat={"essential": True},
    )
    registry.validate(decoded.claims)


@check("the access token verifies and its claims hold (RFC 9068 2.2)")
def _():
    decoded = jwt.decode(tokens["access_token"], keys, algorithms=ACCESS_ALGORITHMS)
    equal(decoded.header["typ"], "at+jwt")
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        client_id={"essential": True, "value": "demo-web"},
        sub={"essential": True, "value": ALICE["sub"]},
        exp={"essential": True},
        jti={"essential": True},
    )
    registry.validate(decoded.claims)
    audience = decoded.claims["aud"]
    assert NOTES["audience"] in ([audience] if isinstance(audience, str) else audience)


@check("a changed payload does not verify")
def _():
    head, body, signature = tokens["access_token"].split(".")
    changed = body[:9] + ("A" if body[9] != "A" else "B") + body[10:]
    try:
        jwt.decode(f"{head}.{changed}.{signature}", keys, algorithms=ACCESS_ALGORITHMS)
    except BadSignatureError:
        return
    raise AssertionError("it verified")


@check("a machine's token verifies and is about the machine")
def _():
    issued = token("demo-machine", grant_type="client_credentials", scope="notes:read")
    decoded = jwt.decode(issued["access_token"], keys, algorithms=ACCESS_ALGORITHMS)
    equal(decoded.claims["sub"], "demo-machine")


finish()
