"""Writes small configurations."""

from pathlib import Path

import pytest

from mlvitals.config import Config, load
from mlvitals.errors import ConfigError

SECTIONS = {
    "models": "[{name: prices, operating: {first: 7d}}]",
    "sources": "[{type: file, path: events.jsonl}]",
}


class Workplace:
    """A folder to write configurations into, and to load them from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, text: str, name: str = "mlvitals.yaml") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def load(self, environ: dict[str, str] | None = None, **sections: str | None) -> Config:
        """Load the least configuration with sections replaced, added, or (None) left out."""
        given = {key: value for key, value in (SECTIONS | sections).items() if value is not None}
        return load(self.write("\n".join(f"{key}: {value}" for key, value in given.items())), environ or {})

    def refusal(self, environ: dict[str, str] | None = None, **sections: str | None) -> str:
        """Return the message with which such a configuration is refused, without the file's name."""
        with pytest.raises(ConfigError) as refused:
            self.load(environ, **sections)
        file, _, message = str(refused.value).partition("mlvitals.yaml")
        assert file == f"{self.folder}/"
        return message.removeprefix(": ")


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)
