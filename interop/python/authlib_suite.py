"""PyPI Authlib: its requests session for OAuth, its own code for the ID token."""

import os
import time
from urllib.parse import urlsplit

import requests
from authlib.common.security import generate_token
from authlib.common.urls import url_decode
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749.errors import MismatchingStateException
from authlib.oauth2.rfc8414 import get_well_known_url
from authlib.oidc.core import CodeIDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata
from common import ALICE, CLIENTS, ISSUER, NOTES, REDIRECT_URI, SCOPE, TIMEOUT, Person, call, check, equal, finish
from joserfc import jwt
from joserfc.jwk import KeySet

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"


@check("discovery by OpenID Connect")
def metadata():
    document = requests.get(get_well_known_url(ISSUER, external=True, suffix="openid-configuration"), timeout=TIMEOUT)
    found = OpenIDProviderMetadata(document.json())
    equal(found["issuer"], ISSUER)
    for member in ("jwks_uri", "response_types_supported", "subject_types_supported"):
        getattr(found, f"validate_{member}", lambda: None)()
    assert "S256" in found["code_challenge_methods_supported"]
    return found


@check("discovery by RFC 8414")
def _():
    document = requests.get(get_well_known_url(ISSUER, external=True), timeout=TIMEOUT).json()
    equal(document["token_endpoint"], metadata["token_endpoint"])
    equal(document["issuer"], ISSUER)


keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=TIMEOUT).json())
person = Person()


def session(client_id, **options):
    """A session as its documentation makes one."""
    client = CLIENTS[client_id]
    method = client.get("token_endpoint_auth_method") or "none"
    return OAuth2Session(
        client_id,
        client.get("client_secret"),
        token_endpoint_auth_method=method,
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        revocation_endpoint_auth_method=method,
        **options,
    )


def grant(client_id="demo-web", scope=SCOPE, who=person, decision="allow", **parameters):
    """The whole code flow: gives the session, the token, the nonce and where the client was called back."""
    oauth = session(client_id, scope=scope)
    verifier, nonce = generate_token(48), generate_token(24)
    url, state = oauth.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **parameters
    )
    callback = who.authorize(url, decision=decision)
    token = oauth.fetch_token(
        metadata["token_endpoint"],
        authorization_response=callback,
        code_verifier=verifier,
        state=state,
        timeout=TIMEOUT,
    )
    return oauth, token, nonce, callback


def refused(code, body):
    """An OAuth error with this code, as the library reports it."""
    try:
        body()
    except OAuthError as error:
        equal(error.error, code)
        return
    raise AssertionError(f"accepted, but {code} was expected")


def introspect(token):
    api = session("demo-notes-api")
    return api.introspect_token(metadata["introspection_endpoint"], token=token, timeout=TIMEOUT).json()


def refresh(token):
    return session("demo-web").refresh_token(metadata["token_endpoint"], refresh_token=token, timeout=TIMEOUT)


@check("code and PKCE, with state")
def granted():
    _, token, nonce, callback = grant()
    equal(token["token_type"].lower(), "bearer")
    assert f"iss={requests.utils.quote(ISSUER, safe='')}" in callback, callback
    return token, nonce


tokens, nonce = granted


@check("the ID token holds, by Authlib's rules")
def _():
    decoded = jwt.decode(tokens["id_token"], keys, algorithms=metadata["id_token_signing_alg_values_supported"])
    params = {"nonce": nonce, "client_id": "demo-web", "access_token": tokens["access_token"]}
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={"iss": {"values": [ISSUER]}, "sub": {"value": ALICE["sub"]}},
        params=params,
    )
    claims.validate(now=int(time.time()), leeway=5)
    assert "at_hash" in claims


@check("userinfo")
def _():
    oauth = OAuth2Session("demo-web", token=tokens)
    user = UserInfo(oauth.get(metadata["userinfo_endpoint"], timeout=TIMEOUT).json())
    equal(user.sub, ALICE["sub"])
    assert user.email


@check("the demo API takes the access token")
def _():
    equal(OAuth2Session("demo-web", token=tokens).get(NOTES["url"], timeout=TIMEOUT).status_code, 200)


@check("introspection")
def _():
    said = introspect(tokens["access_token"])
    equal((said["active"], said["client_id"], said["sub"]), (True, "demo-web", ALICE["sub"]))
    assert "notes:read" in said["scope"].split()


@check("another state is refused by the library")
def _():
    oauth = session("demo-web", scope=SCOPE)
    url, _ = oauth.create_authorization_url(metadata["authorization_endpoint"], code_verifier=generate_token(48))
    callback = person.authorize(url)
    try:
        oauth.fetch_token(metadata["token_endpoint"], authorization_response=callback, state="another")
    except MismatchingStateException as error:
        equal(error.error, "mismatching_state")
        return
    raise AssertionError("accepted")


@check("another verifier is refused")
def _():
    oauth = session("demo-web", scope=SCOPE)
    url, state = oauth.create_authorization_url(metadata["authorization_endpoint"], code_verifier=generate_token(48))
    refused(
        "invalid_grant",
        lambda: oauth.fetch_token(
            metadata["token_endpoint"],
            authorization_response=person.authorize(url),
            code_verifier=generate_token(48),
            state=state,
        ),
    )


@check("a code works once")
def _():
    oauth = session("demo-web", scope=SCOPE)
    verifier = generate_token(48)
    url, state = oauth.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    response = {"authorization_response": person.authorize(url), "code_verifier": verifier, "state": state}
    oauth.fetch_token(metadata["token_endpoint"], **response)
    refused("invalid_grant", lambda: oauth.fetch_token(metadata["token_endpoint"], **response))


@check("refresh, twice the same inside the grace window")
def second():
    first = refresh(tokens["refresh_token"])
    assert first["refresh_token"] != tokens["refresh_token"]
    equal(refresh(tokens["refresh_token"])["refresh_token"], first["refresh_token"])
    return first


@check("an older refresh token is refused and takes the grant with it")
def _():
    third = refresh(second["refresh_token"])
    refused("invalid_grant", lambda: refresh(tokens["refresh_token"]))
    refused("invalid_grant", lambda: refresh(third["refresh_token"]))
    equal(introspect(third["access_token"]), {"active": False})


@check("client credentials")
def _():
    token = session("demo-machine", scope="notes:read").fetch_token(
        metadata["token_endpoint"], grant_type="client_credentials", timeout=TIMEOUT
    )
    said = introspect(token["access_token"])
    equal((said["active"], said["client_id"]), (True, "demo-machine"))
    equal(call(NOTES["url"], token["access_token"]), 200)


@check("a revoked access token is dead everywhere at once")
def _():
    oauth, token, _, _ = grant()
    response = oauth.revoke_token(
        metadata["revocation_endpoint"], token["access_token"], token_type_hint="access_token"
    )
    equal(response.status_code, 200)
    equal(introspect(token["access_token"]), {"active": False})
    equal(call(NOTES["url"], token["access_token"]), 401)
    equal(call(metadata["userinfo_endpoint"], token["access_token"]), 401)


@check("a revoked refresh token takes its access tokens with it")
def _():
    oauth, token, _, _ = grant()
    oauth.revoke_token(metadata["revocation_endpoint"], token["refresh_token"], token_type_hint="refresh_token")
    refused("invalid_grant", lambda: refresh(token["refresh_token"]))
    equal(introspect(token["access_token"]), {"active": False})


@check("a public client")
def _():
    _, token, _, _ = grant("demo-public")
    decoded = jwt.decode(token["id_token"], keys, algorithms=metadata["id_token_signing_alg_values_supported"])
    equal(decoded.claims["aud"], "demo-public")


@check("a denied request comes back as access_denied, with state and iss")
def _():
    oauth = session("demo-web", scope=SCOPE)
    url, state = oauth.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=generate_token(48), prompt="consent"
    )
    callback = dict(url_decode(urlsplit(Person().authorize(url, decision="deny")).query))
    equal((callback["error"], callback["state"], callback["iss"]), ("access_denied", state, ISSUER))


finish()
