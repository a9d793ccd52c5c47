"""What ships beside the code and follows from the registry: written, or compared with what is there.

Files of a backend are rendered whole, and nothing else may lie in the folders that they fill. Documents that a person
writes have a rendered part, which alone is brought up to date, where the document is there.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from mlvitals.assets import (
    datadog,
    elastic,
    grafana,
    opensearch,
    prometheus,
    readme,
    runbooks,
    signals,
    terraform_readme,
)
from mlvitals.errors import InputError

# One line for each backend: what it renders, by the path from the root of the project.
BACKENDS: Final[tuple[Callable[[], Mapping[str, bytes]], ...]] = (
    datadog.render,
    elastic.render,
    grafana.render,
    opensearch.render,
    prometheus.render,
)

DOCUMENTS: Final[Mapping[str, Callable[[str], str]]] = {
    "README.md": readme.update_readme,
    "docs/runbooks.md": runbooks.update_document,
    "docs/signals.md": signals.update_document,
}

# Terraform modules, whose READMEs have a part that is rendered from the module's own files.
MODULES: Final = "terraform/*"

# Folders that hold what is rendered and nothing else.
FILLED: Final = ("dashboards", "monitors", "terraform/*/assets")


def rendered_files() -> dict[str, bytes]:
    """Return all files that backends render, by their paths from the root of the project, in order."""
    files: dict[str, bytes] = {}
    for render in BACKENDS:
        files |= render()
    return dict(sorted(files.items()))


def write(root: Path) -> tuple[list[str], list[str]]:
    """Write what differs below a folder; return the paths of that, and of what is rendered no more, which stays there.

    Nothing is removed: the folders that are filled may be somebody's own.

    Raises:
        InputError: a document cannot be read, or lacks its rendered part.

    """
    wanted = _wanted(root)
    differing, stale = _differences(root, wanted)
    for path in differing:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(wanted[path])
    return differing, stale


def differences(root: Path) -> tuple[list[str], list[str]]:
    """Return the paths below a folder at which something is missing or differs, and those of what is rendered no more.

    Raises:
        InputError: a document cannot be read, or lacks its rendered part.

    """
    return _differences(root, _wanted(root))


def _differences(root: Path, wanted: Mapping[str, bytes]) -> tuple[list[str], list[str]]:
    differing = sorted(path for path, content in wanted.items() if not _is(root / path, content))
    return differing, sorted(path for path in _lying(root) if path not in wanted)


def _wanted(root: Path) -> dict[str, bytes]:
    return rendered_files() | dict(_documents(root))


def _documents(root: Path) -> Iterator[tuple[str, bytes]]:
    updates = dict(DOCUMENTS) | {
        f"{module.relative_to(root).as_posix()}/README.md": partial(_update_module, module)
        for module in sorted(root.glob(MODULES))
    }
    for path, update in updates.items():
        if (root / path).exists():
            try:
                yield path, update((root / path).read_text("utf-8")).encode()
            except (OSError, ValueError) as error:
                raise InputError(f"{root / path}: {error}") from error


def _update_module(module: Path, text: str) -> str:
    return terraform_readme.update_readme(text, terraform_readme.read_module(module))


def _is(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _lying(root: Path) -> Iterator[str]:
    for pattern in FILLED:
        for folder in root.glob(pattern):
            yield from (path.relative_to(root).as_posix() for path in folder.rglob("*") if path.is_file())
