"""The OpenTelemetry Collector with just the components that tests use, made by its own builder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.stack.golang import GoPrograms, go_environment
from tests.stack.recipe import run

_NAME: Final = "otelcol"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """A collector of chosen components, each a Go module with its version, by kind (`receivers`, `exporters`, …)."""

    builder: GoPrograms
    components: tuple[tuple[str, tuple[str, ...]], ...]
    scheme: str = "file"  # of the configuration's address, where it names none; its provider is a component too

    def make(self, folder: Path, work: Path) -> None:
        """Build the builder, then the collector, `otelcol`, into a folder.

        Raises:
            CannotHaveError: a module is not served, or does not build.

        """
        tools, sources = work / "tools", work / "sources"
        (work / "builder").mkdir()
        self.builder.make(tools, work / "builder")
        # YAML is a superset of JSON.
        (work / "builder.yaml").write_text(json.dumps(self._manifest(sources)), "utf-8")
        run([tools / "builder", "--config=builder.yaml"], folder=work, environment=go_environment())
        (sources / _NAME).rename(folder / _NAME)

    def _manifest(self, sources: Path) -> dict[str, object]:
        distribution = {
            "module": f"mlvitals.test/{_NAME}",
            "name": _NAME,
            "description": "A collector for tests",
            "version": self.builder.version.removeprefix("v"),
            "output_path": str(sources),
        }
        components = {kind: [{"gomod": module} for module in modules] for kind, modules in self.components}
        return {"dist": distribution, "conf_resolver": {"default_uri_scheme": self.scheme}, **components}
