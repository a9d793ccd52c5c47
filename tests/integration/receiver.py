"""Somebody who is told: a server that takes whatever is posted to it and remembers it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Receiver:
    """A running receiver. address: where to post. bodies: what was posted, oldest first."""

    address: str
    bodies: list[str] = field(default_factory=list)

    def told(self) -> list[Any]:
        """Return what was posted as JSON, oldest first."""
        return [json.loads(body) for body in self.bodies]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Receive until the block ends, on a free port of loopback; each request is answered with 202."""
    heard = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    heard.address = f"http://127.0.0.1:{server.server_port}/v2/enqueue"
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
