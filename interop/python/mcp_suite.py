"""PyPI mcp, the Python SDK: its client gets into an MCP server of which it knows the address alone."""

import logging
import time
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2
import requests
from common import DEMO, ISSUER, REDIRECT_URI, TIMEOUT, Person, check, equal, finish
from mcp import Client
from mcp.client.auth import OAuthClientProvider, OAuthFlowError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata, OAuthToken

SERVER = DEMO["server"]
BOTH = {"notes:read", "notes:write"}

# The SDK logs what the checks provoke.
logging.disable(logging.CRITICAL)


class Storage:
    """What an application keeps for the SDK, in memory."""

    def __init__(self, tokens=None):
        self.tokens, self.client = tokens, None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Application:
    """A program and the person in front of it, who goes to whatever page the SDK opens."""

    def __init__(self, document=None, tokens=None, decision="allow"):
        self.document, self.storage, self.decision = document, Storage(tokens), decision
        self.person, self.pages, self.back = Person(), [], {}

    def provider(self):
        metadata = OAuthClientMetadata(
            client_name="Interop",
            redirect_uris=[REDIRECT_URI],
            grant_types=["authorization_code", "refresh_token"],
            token_endpoint_auth_method="none",
        )
        return OAuthClientProvider(
            SERVER, metadata, self.storage, self._go, self._come_back, client_metadata_url=self.document
        )

    async def _go(self, url):
        self.pages.append({name: values[0] for name, values in parse_qs(urlsplit(url).query).items()})
        assert url.startswith(f"{ISSUER}/authorize?"), url
        back = await anyio.to_thread.run_sync(self.person.authorize, url, self.decision)
        self.back = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}

    async def _come_back(self):
        # The SDK compares `state` and `iss`.
        return AuthorizationCodeResult(code=self.back.get("code", ""), state=self.back["state"], iss=self.back["iss"])

    def run(self, body):
        """Connects as a program that was started again, and does something with the tools."""

        async def connected():
            provider = self.provider()
            async with httpx2.AsyncClient(auth=provider, timeout=TIMEOUT) as http:
                async with Client(streamable_http_client(SERVER, http_client=http)) as client:
                    return await body(client, provider)

        return anyio.run(connected)

    def call(self, tool, **arguments):
        return self.run(lambda client, _: called(client, tool, arguments))

    def revoke(self, token):
        form = {"client_id": self.storage.client.client_id, "token": token}
        equal(requests.post(f"{ISSUER}/revoke", form, timeout=TIMEOUT).status_code, 200)


async def called(client, tool, arguments):
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    return result.content[0].text


def scopes(text):
    return set(text.split())


def raised(error, kind):
    """The error of this kind in a group of groups."""
    if isinstance(error, kind):
        return error
    return next((found for one in getattr(error, "exceptions", ()) if (found := raised(one, kind))), None)


def gets_in(how, document):
    application = Application(document)
    storage = application.storage

    @check(f"{how}: the address of the MCP server is enough, and the tools are there")
    def _():
        async def tools(client, _):
            return sorted(tool.name for tool in (await client.list_tools()).tools)

        equal(application.run(tools), ["add_note", "list_notes"])
        (page,) = application.pages
        equal((page["resource"], page["code_challenge_method"]), (SERVER, "S256"))
        equal(scopes(page["scope"]) - {"offline_access"}, {"notes:read"})
        equal(page["client_id"], document or storage.client.client_id)
        equal(application.back["iss"], ISSUER)

    @check(f"{how}: a tool acts for the user, and he is not asked again")
    def _():
        application.call("list_notes")
        equal(len(application.pages), 1)

    @check(f"{how}: an access token that has ended is refreshed, and the refresh token rotated")
    def _():
        # In one run: a program that was started again has forgotten where to refresh, and goes through again.
        other = Application(document)

        async def later(client, provider):
            await called(client, "list_notes", {})
            before = other.storage.tokens
            # Its time is over for the SDK, and it is for Grantor.
            other.revoke(before.access_token)
            provider.context.token_expiry_time = time.time() - 1
            await called(client, "list_notes", {})
            return before

        before, after = other.run(later), other.storage.tokens
        assert after.refresh_token != before.refresh_token and after.access_token != before.access_token
        equal(len(other.pages), 1)

    @check(f"{how}: what the user takes back is asked for again")
    def _():
        application.revoke(storage.tokens.refresh_token)
        application.call("list_notes")
        equal(len(application.pages), 2)

    @check(f"{how}: a tool that needs more: the user is asked for that, and keeps what he allowed")
    def _():
        assert "notes" in application.call("add_note", text="milk")
        equal(len(application.pages), 3)
        assert BOTH <= scopes(application.pages[-1]["scope"]), application.pages[-1]["scope"]
        assert BOTH <= scopes(storage.tokens.scope), storage.tokens.scope
        assert "milk" in application.call("list_notes")

    @check(f"{how}: the user says no, and the SDK hears it from the right server")
    def _():
        other = Application(document, decision="deny")
        try:
            other.call("list_notes")
        except BaseException as error:
            assert raised(error, OAuthFlowError), repr(error)
        else:
            raise AssertionError("it got in")
        equal((other.back["error"], other.back["iss"]), ("access_denied", ISSUER))


gets_in("by its document", DEMO["document"])
gets_in("by registration", None)


@check("a token for another API of the same issuer opens nothing, and the user is asked")
def _():
    application = Application(DEMO["document"], OAuthToken(access_token=DEMO["foreign_token"]))
    application.call("list_notes")
    equal(len(application.pages), 1)
    assert application.storage.tokens.access_token != DEMO["foreign_token"]


finish()
