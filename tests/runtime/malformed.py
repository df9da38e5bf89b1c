"""Requests that are wrong for certain, made at random from a seed."""

from __future__ import annotations

import http.client
import json
import random
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

NAMES = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
ROW = [5.1, 3.5, 1.4, 0.2]
JSON = "application/json"
#: Method, path, content type, body.
Request = tuple[str, str, str, bytes]
CLOSED = "closed"


def _wrong(chance: random.Random) -> Any:
    """Return what is no number."""
    text = "".join(chr(chance.randrange(32, 0x2FF)) for _ in range(chance.randrange(9)))
    return chance.choice([f"{text}?", [], [1], {}, {"a": 1}, True, False, None, "1", "NaN"])


def _good(chance: random.Random) -> dict[str, Any]:
    rows = [ROW] * chance.randrange(1, 4)
    return chance.choice(
        [
            {"instances": rows},
            {"dataframe_split": {"columns": NAMES, "data": rows}},
            {"dataframe_records": [dict(zip(NAMES, row, strict=True)) for row in rows]},
            {"inputs": {name: [row[i] for row in rows] for i, name in enumerate(NAMES)}},
        ]
    )


def cut(chance: random.Random) -> Request:
    """Return a body that breaks off."""
    body = json.dumps(_good(chance)).encode()
    return "POST", "/invocations", JSON, body[: chance.randrange(len(body))]


def noise(chance: random.Random) -> Request:
    """Return a body of any bytes."""
    body = b"\xff" + chance.randbytes(chance.randrange(200))
    path = chance.choice(["/invocations", "/v2/models/iris/infer", "/v1/runs"])
    kind = chance.choice([JSON, "text/csv"]) if path == "/invocations" else JSON
    return "POST", path, kind, body


def value(chance: random.Random) -> Request:
    """Return rows with a value that is no number."""
    row: list[Any] = list(ROW)
    row[chance.randrange(4)] = _wrong(chance)
    body = chance.choice(
        [{"instances": [ROW, row]}, {"dataframe_split": {"columns": NAMES, "data": [row]}}]
    )
    return "POST", "/invocations", JSON, json.dumps(body).encode()


def columns(chance: random.Random) -> Request:
    """Return rows with a column too few or too many."""
    record: dict[str, Any] = dict(zip(NAMES, ROW, strict=True))
    if chance.random() < 0.5:
        del record[chance.choice(NAMES)]
    else:
        record[f"more {chance.random()}"] = 1
    form = chance.choice(["dataframe_records", "instances"])
    return "POST", "/invocations", JSON, json.dumps({form: [record]}).encode()


def shape(chance: random.Random) -> Request:
    """Return a body of another form."""
    inner: Any = _wrong(chance)
    for _ in range(chance.randrange(60)):
        inner = [inner] if chance.random() < 0.5 else {"instances": inner}
    return "POST", "/invocations", JSON, json.dumps({"instances": {"x": inner}}).encode()


def csv(chance: random.Random) -> Request:
    """Return a CSV with a wrong value, or of another width."""
    row = [str(value) for value in ROW]
    if chance.random() < 0.5:
        row[chance.randrange(4)] = chance.choice(["x", "--1", "1,5", '"', ""])
    else:
        row = row[: chance.randrange(1, 4)]
    text = f"{','.join(NAMES)}\n{','.join(row)}\n"
    return "POST", "/invocations", "text/csv", text.encode()


def tensor(chance: random.Random) -> Request:
    """Return an inference request with one thing wrong."""
    one: dict[str, Any] = {"name": "x", "shape": [1, 4], "datatype": "FP64", "data": ROW}
    key, wrong = chance.choice(
        [
            ("shape", chance.choice([[4, 2], [-1, 4], [2**70, 4], [1, 1, 4], "x", [1.5, 4]])),
            ("datatype", chance.choice(["FP8", "", "BYTES", "BOOL", "UINT8", 1])),
            ("data", chance.choice([[], [1], [*ROW, 1], [_wrong(chance)], {}, [[1, [2], 3], 4]])),
            ("name", chance.choice([1, None, []])),
        ]
    )
    one[key] = wrong
    body = json.dumps({"inputs": [one]}).encode()
    return "POST", "/v2/models/iris/infer", JSON, body


def run(chance: random.Random) -> Request:
    """Return a request for a run that cannot be."""
    body = chance.choice(
        [
            {"parameters": {"alpha": _wrong(chance) or "x", "more": 1}},
            {"parameters": [1]},
            {"timeout_s": -1, "parameters": {}},
            {"more": 1},
            [],
        ]
    )
    return "POST", "/v1/runs", chance.choice([JSON, "text/plain"]), json.dumps(body).encode()


def place(chance: random.Random) -> Request:
    """Return a path or a method that is not there."""
    word = "".join(chance.choice("abc/%.-_~") for _ in range(chance.randrange(1, 30)))
    word = word.replace("%", "%41").replace("//", "/")
    return chance.choice(
        [
            ("GET", f"/x{word}", JSON, b""),
            ("DELETE", "/invocations", JSON, b""),
            ("GET", f"/v1/runs/x{word.replace('/', '')}", JSON, b""),
            ("POST", "/version", JSON, b"{}"),
            ("GET", f"/v2/models/x{word}", JSON, b""),
            ("POST", "/invocations", f"x/{word}", b"{}"),
        ]
    )


KINDS: list[Callable[[random.Random], Request]] = [
    *(cut, noise, value, columns, shape, csv, tensor, run, place)
]


def raw(chance: random.Random) -> bytes:
    """Return bytes that are no request."""
    good = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    return chance.choice(
        [
            b"\x00" + chance.randbytes(chance.randrange(1, 300)),
            b"GET / HTTP/9.%d\r\n\r\n" % chance.randrange(10),
            b"GET \xff%b HTTP/1.1\r\nhost: x\r\n\r\n" % chance.randbytes(4).hex().encode(),
            good + b"content-length: -%d\r\n\r\n" % chance.randrange(9),
            good + b"content-length: x\r\n\r\n",
            good + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
            good + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
            good + b"bad header\x00: \x01\r\n\r\n",
            good + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            good + b"x: " + b"a" * chance.randrange(70_000, 90_000),
        ]
    )


def send_raw(port: int, data: bytes) -> str:
    """Send bytes; return the status, or that the connection was closed without an answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            answer = sock.recv(65536)
        except ConnectionError:
            return CLOSED
    return answer[9:12].decode() if answer.startswith(b"HTTP/1.1 ") else CLOSED


def attack(port: int, count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Send so many requests; return how many got each status, and those that got none of 4xx."""
    chance = random.Random(seed)
    found: Counter[str] = Counter()
    wrong: list[str] = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in range(count):
        if number % 10 == 9:
            data = raw(chance)
            status, told = send_raw(port, data), repr(data[:200])
        else:
            request = chance.choice(KINDS)(chance)
            method, path, kind, body = request
            connection.request(method, path, body, {"Content-Type": kind})
            answer = connection.getresponse()
            answer.read()
            status, told = str(answer.status), repr(request)[:300]
        found[status] += 1
        if status != CLOSED and not 400 <= int(status) < 500:
            wrong.append(f"{status}: {told}")
    connection.close()
    return found, wrong
