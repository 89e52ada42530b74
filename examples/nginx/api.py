"""An API that knows nothing of OAuth: who calls stands in headers that the proxy in front of it sets.

    python3 api.py [PORT]

It must be reachable through that proxy alone. Standard library only.
"""

import json
import sys
from urllib.parse import unquote
from wsgiref.simple_server import make_server


def caller(environ):
    """Who calls, as the proxy says; None where it says nothing. Values are percent-encoded, lists have spaces."""
    said = {
        name[len("HTTP_X_GRANTOR_") :].lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_X_GRANTOR_")
    }
    if "subject" not in said:
        return None
    lists = {name: [unquote(one) for one in said.get(name, "").split()] for name in ("scope", "roles")}
    return {
        "subject": unquote(said["subject"]),
        "subject_type": said["subject_type"],
        "client_id": unquote(said["client_id"]),
        **lists,
    }


# What is for callers alone. That stands in the proxy's configuration too; but a path may mean one thing to the proxy and
# another here (/notes/../ is / to nginx), and whoever is not known is nobody.
FOR_CALLERS = ("/notes", "/reports")


def application(environ, start_response):
    if environ["PATH_INFO"].startswith(FOR_CALLERS) and caller(environ) is None:
        start_response("403 Forbidden", [("Content-Length", "0")])
        return []
    length = int(environ.get("CONTENT_LENGTH") or 0)
    answer = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "query": environ["QUERY_STRING"],
        "received": len(environ["wsgi.input"].read(length)),
        "caller": caller(environ),
        # For whoever wants to see what arrives.
        "headers": {name: value for name, value in environ.items() if name.startswith("HTTP_")},
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    with make_server("127.0.0.1", port, application) as server:
        print(f"http://127.0.0.1:{port}", flush=True)
        server.serve_forever()
