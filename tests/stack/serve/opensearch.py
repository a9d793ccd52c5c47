"""One OpenSearch node."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stack.java import find_java
from tests.stack.opensearch import JAVA
from tests.stack.serve.process import answers, ask, free_ports, running


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSearchServer:
    """A running node. address: of its API."""

    address: str

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer to a request, parsed; an error fails."""
        return json.loads(ask(f"{self.address}{path}", method=method, body=body))

    def refresh(self, index: str) -> None:
        """Make what was written to be found."""
        self.request("POST", f"/{index}/_refresh")

    def search(self, index: str, query: Any = None, *, size: int = 10_000) -> list[dict[str, Any]]:
        """Return the hits of a query, of everything by default: each with `_index`, `_id`, `_version`, `_source`."""
        self.refresh(index)
        body = {"query": query or {"match_all": {}}, "size": size, "version": True}
        told: list[dict[str, Any]] = self.request("POST", f"/{index}/_search", body)["hits"]["hits"]
        return told

    def delete(self, index: str) -> None:
        """Delete what a pattern names: indices, else the data streams."""
        self.request("DELETE", f"/{index}?expand_wildcards=all")


@contextmanager
def opensearch(home: Path, folder: Path) -> Iterator[OpenSearchServer]:
    """Run a node with half a gigabyte of heap until the block ends."""
    [port] = free_ports(1)
    command = [
        find_java(JAVA) / "bin" / "java",
        "-Xms512m",
        "-Xmx512m",
        "-XX:TieredStopAtLevel=1",  # it lives for minutes: quick to start matters more than quick to run
        "-Djava.awt.headless=true",
        "-Dio.netty.noUnsafe=true",
        "-Dlog4j2.disable.jmx=true",
        "-Dopensearch.set.netty.runtime.available.processors=false",
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        f"{home / 'home' / 'lib'}/*:{home / 'classes'}",
        "OneNode",
        home / "home",
        folder,
        str(port),
    ]
    address = f"http://127.0.0.1:{port}"
    with running(command, folder=folder, ready=lambda: answers(f"{address}/_cluster/health?wait_for_status=yellow")):
        yield OpenSearchServer(address=address)
