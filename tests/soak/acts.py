"""What servers do instead of taking a request: chosen by a seed, each in its own protocol's words."""

import random
import socket
import struct
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TIMEOUT = 0.4  # seconds, of the destinations

HTML = {"Content-Type": "text/html"}
PAGE = b"<html><body>Welcome</body></html>"


class Manner(StrEnum):
    WHOLE = "whole"
    HANG = "hang"
    RESET = "reset"
    SLOW = "slow"


@dataclass(frozen=True)
class Act:
    """One answer. status: 0 for the server's own. taken: it does its work before it answers.

    partial: it takes some of the items.
    """

    kind: str
    status: int = 0
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = Manner.WHOLE
    taken: bool = False
    partial: bool = False


OWN = Act("200", taken=True)

# For how many of a hundred requests the server is itself.
WELL = 55

MANNERS = (
    Act("hang", manner=Manner.HANG),
    Act("hang", manner=Manner.HANG, taken=True),
    Act("reset mid-body", manner=Manner.RESET),
    Act("reset mid-body", manner=Manner.RESET, taken=True),
    Act("slow body", manner=Manner.SLOW, taken=True),
    Act("200 with HTML", 200, PAGE, HTML),
    Act("partial success", partial=True),
)

Say = Callable[[int, str], tuple[bytes, Mapping[str, str]]]


def refusals(say: Say, secret: str) -> list[Act]:
    """Return the refusals of a protocol; `say`: its words for a status and a reason, and their headers.

    secret: some servers repeat what they were sent.
    """

    def refuse(status: int, reason: str, kind: str = "", *, taken: bool = False, **headers: str) -> Act:
        body, own = say(status, f"{reason}: {secret}")
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return Act(kind or str(status), status, body, {**own, **more}, taken=taken)

    wrong_type = {"Content-Type": "application/octet-stream"}
    return [
        refuse(301, "moved", Location="http://127.0.0.1:9/"),
        *(refuse(status, "no") for status in (400, 401, 403, 404, 408, 413, 503)),
        refuse(429, "slow down", "429 with Retry-After", Retry_After="0"),
        refuse(429, "slow down", "429 with Retry-After", Retry_After="1"),
        refuse(429, "slow down", "429 with X-RateLimit", X_RateLimit_Reset="1", X_RateLimit_Remaining="0"),
        refuse(500, "broken"),
        refuse(500, "broken", taken=True),
        refuse(503, "away", taken=True),
        Act("wrong content type", 200, b"ok", wrong_type),
    ]


def is_cursed(identity: object) -> bool:
    """Tell whether a server refuses an item each time, for what it is."""
    return zlib.crc32(repr(identity).encode()) % 97 == 0


@dataclass
class Script:
    """Draws what a server does. healed: it is itself. away: it takes nothing. faults: bugs of the server's own."""

    acts: Sequence[Act]
    draw: random.Random
    secret: str
    healed: bool = True
    away: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.RLock = field(default_factory=threading.RLock)
    requests: int = 0
    faults: list[str] = field(default_factory=list)

    def next(self, well: int = WELL) -> Act:
        with self.lock:
            self.requests += 1
            if self.healed:
                act = OWN
            elif self.away:
                act = self.draw.choice([one for one in self.acts if not one.taken and not one.partial])
            else:
                act = OWN if self.draw.randrange(100) < well else self.draw.choice(self.acts)
            self.counts[act.kind] += 1
        return act

    def change(self, act: Act) -> Act:
        """Do otherwise than was drawn."""
        with self.lock:
            self.counts[act.kind] += 1
        return act


class Player(BaseHTTPRequestHandler):
    """Answers over HTTP as an act says."""

    protocol_version = "HTTP/1.1"
    script: Script

    def read_body(self) -> bytes | None:
        """Return the whole body, None where who sent it was killed meanwhile."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        self.close_connection = len(body) < length
        return body if len(body) == length else None

    def play(self, act: Act, own: Callable[[], tuple[int, bytes, Mapping[str, str]]]) -> None:
        """Answer; `own`: does the server's work and returns its own answer."""
        status, body, headers = act.status, act.body, act.headers
        if act.taken or act.partial:
            told = own()
            if not act.status:
                status, body, headers = told
        match act.manner:
            case Manner.WHOLE:
                self.reply(status, body, headers)
            case Manner.HANG:
                time.sleep(TIMEOUT * 1.5)
                self.close_connection = True
            case Manner.RESET:
                self.begin(200, len(body) + 64, headers)
                self.wfile.write(body + b"{")
                self.wfile.flush()
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
            case Manner.SLOW:
                if not body:
                    time.sleep(self.script.draw.uniform(0, TIMEOUT * 1.2))
                self.begin(status, len(body), headers)
                for place in range(0, len(body), max(len(body) // 8, 1)):
                    self.wfile.write(body[place : place + max(len(body) // 8, 1)])
                    self.wfile.flush()
                    time.sleep(self.script.draw.uniform(0, TIMEOUT / 4))

    def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.begin(status, len(body), headers)
        self.wfile.write(body)

    def begin(self, status: int, length: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    script: Script

    def handle_error(self, *_: object) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):  # of a client that was killed
            self.script.faults.append(repr(error))


@contextmanager
def serving(handler: type[Player]) -> Iterator[str]:
    """Serve on a free port of the loopback interface; yield the address."""
    server = Server(("127.0.0.1", 0), handler)
    server.script = handler.script
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
