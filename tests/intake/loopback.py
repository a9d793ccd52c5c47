"""A server on the loopback interface, for as long as a test asks it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass  # a client that gave up waiting


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], *, port: int = 0, **bound: Any) -> Iterator[int]:
    """Serve on a port (0: a free one), which is yielded; `bound` are attributes of the handler."""
    server = Server(("127.0.0.1", port), type("Bound", (handler,), bound))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
