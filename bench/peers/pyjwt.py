"""PyPI PyJWT, verifying the tokens of a file: for `cargo xtask bench --only resource`.

    python3 pyjwt.py FILE

A line `round ALGORITHM MILLISECONDS` is answered with seconds for one verification, `probe TOKEN` with what it says to it.
"""

import json
import sys
from time import perf_counter

import jwt

with open(sys.argv[1], encoding="utf8") as file:
    GIVEN = json.load(file)
KEYS = {key.key_id: key for key in jwt.PyJWKSet.from_dict(GIVEN["keys"]).keys}
OPTIONS = {"require": ["iss", "aud", "exp", "iat", "sub", "client_id", "jti"]}


def verify(token, key, algorithm):
    decoded = jwt.decode_complete(
        token, key, algorithms=[algorithm], audience=GIVEN["audience"], issuer=GIVEN["issuer"], leeway=GIVEN["leeway"],
        options=OPTIONS,
    )
    if decoded["header"].get("typ") != "at+jwt" or "notes:read" not in decoded["payload"]["scope"].split(" "):
        raise ValueError


def key_of(token):
    header = jwt.get_unverified_header(token)
    return KEYS[header["kid"]], header["alg"]


def measured(algorithm, milliseconds):
    tokens = GIVEN["tokens"][algorithm]
    key, _ = key_of(tokens[0])
    verified, began = 0, perf_counter()
    end = began + int(milliseconds) / 1e3
    while perf_counter() < end:
        for token in tokens:
            verify(token, key, algorithm)
        verified += len(tokens)
    return (perf_counter() - began) / verified


def probed(token):
    try:
        verify(token, *key_of(token))
    except Exception:
        return "refused"
    return "accepted"


for line in sys.stdin:
    what, *rest = line.split()
    print(measured(*rest) if what == "round" else probed(*rest), flush=True)
