"""A strict server of S3's objects: it verifies signatures and heeds conditions, and fails at the step it is told to."""

import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from tests.intake.loopback import listening

ACCESS, SECRET, REGION = "AKIDTEST", "the/secret+of=the:tests", "eu-test-1"
BUCKET = "bucket"

Interfere = Callable[[str, int], str]
"""Told the method and how many requests with it came before; `refuse 503`, `lose` the request, or its `answer`."""


@dataclass
class ObjectServer:
    """One bucket. log: method and status of every answer, 0 where none was given. faults: what clients did wrong."""

    objects: dict[str, tuple[bytes, str, dict[str, str]]] = field(default_factory=dict)
    log: list[tuple[str, int]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    interfere: Interfere = lambda _method, _count: ""
    heeds: frozenset[str] = frozenset({"If-Match", "If-None-Match"})
    url: str = ""
    turn: threading.RLock = field(default_factory=threading.RLock)

    @property
    def environ(self) -> dict[str, str]:
        """What Amazon's client looks for."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    told: ObjectServer

    def do_PUT(self):
        self.take(self.put)

    def do_GET(self):
        self.take(self.get)

    def do_HEAD(self):
        self.take(self.get)

    def take(self, act):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.fault(body)
        if fault:
            self.told.faults.append(fault)
            self.say(403, "SignatureDoesNotMatch")
            return
        count = sum(method == self.command for method, _ in self.told.log)
        wish = self.told.interfere(self.command, count)
        if wish == "lose":
            self.told.log.append((self.command, 0))
            self.close_connection = True
        elif wish.startswith("refuse"):
            self.say(int(wish.split()[1]), "Scripted")
        else:
            with self.told.turn:
                act(body, lost=wish == "answer")

    def put(self, body, *, lost):
        present = self.told.objects.get(self.path)
        conditions = {name: self.headers[name] for name in self.told.heeds if name in self.headers}
        if conditions.get("If-None-Match") == "*" and present is not None:
            self.say(412, "PreconditionFailed")
            return
        if "If-Match" in conditions and (present is None or present[1] != conditions["If-Match"]):
            self.say(404 if present is None else 412, "NoSuchKey" if present is None else "PreconditionFailed")
            return
        prefix = "x-amz-meta-"
        metadata = {name.lower(): value for name, value in self.headers.items() if name.lower().startswith(prefix)}
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        self.told.objects[self.path] = (body, etag, metadata)
        if lost:
            self.told.log.append((self.command, 0))
            self.close_connection = True
        else:
            self.say(200, headers={"ETag": etag})

    def get(self, _body, *, lost):
        del lost
        if not self.path.startswith(f"/{BUCKET}/"):
            self.say(404, "NoSuchBucket")
        elif self.path not in self.told.objects:
            self.say(404, "NoSuchKey")
        else:
            body, etag, metadata = self.told.objects[self.path]
            self.say(200, headers={"ETag": etag, **metadata}, body=body)

    def say(self, status, code="", *, headers=None, body=b""):
        if code:
            body = f"<Error><Code>{code}</Code><Message>{code} for {SECRET}</Message></Error>".encode()
        self.told.log.append((self.command, status))
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fault(self, body):
        """Return what is wrong with the signature (version 4), if anything."""
        given = self.headers.get("Authorization", "")
        try:
            credential, signed, signature = parts(given)
        except (ValueError, KeyError):
            return f"no signature: {given}"
        date = credential.split("/")[1]
        scope = f"{date}/{REGION}/s3/aws4_request"
        digest = self.headers["x-amz-content-sha256"]
        if digest not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
            return "the body's hash is not the body's"
        address = urlsplit(self.path)
        lines = "".join(f"{name}:{' '.join(self.headers[name].split())}\n" for name in signed.split(";"))
        canonical = "\n".join([self.command, quote(unquote(address.path)), address.query, lines, signed, digest])
        text = "\n".join(
            ["AWS4-HMAC-SHA256", self.headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()]
        )
        key = f"AWS4{SECRET}".encode()
        for part in (*scope.split("/"), text):
            key = hmac.digest(key, part.encode(), "sha256")
        if credential != f"{ACCESS}/{scope}" or key.hex() != signature:
            return "the signature is not the one of the request"
        return ""

    def log_message(self, *_: Any) -> None:
        pass


def parts(authorization):
    """Return the credential, the signed headers and the signature."""
    named = dict(piece.strip().split("=", 1) for piece in authorization.removeprefix("AWS4-HMAC-SHA256").split(","))
    return named["Credential"], named["SignedHeaders"], named["Signature"]


@contextmanager
def serving() -> Iterator[ObjectServer]:
    """Serve on a free port of loopback."""
    told = ObjectServer()
    with listening(Handler, told=told) as port:
        told.url = f"http://127.0.0.1:{port}"
        yield told
