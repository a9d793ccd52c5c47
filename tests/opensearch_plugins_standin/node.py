"""What the plugins ask of the node that they would run in: searches, Painless and Mustache are the real ones."""

import json
from dataclasses import dataclass
from typing import Any

from tests.stack.serve.process import ask


@dataclass(frozen=True, slots=True)
class Node:
    """A real node by its address."""

    address: str

    def search(self, indices: list[str], query: str) -> dict[str, Any]:
        """Return the answer to a query that is written out.

        Raises:
            AssertionError: the node refuses it.

        """
        told: dict[str, Any] = json.loads(ask(f"{self.address}/{','.join(indices)}/_search", method="POST", body=query))
        return told

    def render(self, source: str, values: dict[str, Any]) -> str:
        """Return a Mustache template rendered with JSON's escapes, which are the plugins' default too."""
        # As a text within JSON: what `_render/template` returns is not always JSON by itself.
        body = {"source": source, "params": values}
        answer = ask(f"{self.address}/_render/template", method="POST", body=body)
        return answer.removeprefix('{"template_output":').removesuffix("}")

    def holds(self, source: str, context: dict[str, Any]) -> bool:
        """Return what a query-level condition says of a context."""
        stated = source if "return" in source else f"return {source};"
        script = {"source": f"def ctx = params.ctx; {stated}", "params": {"ctx": context}}
        answer = ask(f"{self.address}/_scripts/painless/_execute", method="POST", body={"script": script})
        return bool(json.loads(answer)["result"] == "true")
