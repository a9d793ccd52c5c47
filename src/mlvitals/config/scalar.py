"""Values with a spelling: they keep the text of the document, for names and attributes, beside what it means."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlvitals.clock import parse_duration
from mlvitals.transport.secret import Secret

if TYPE_CHECKING:
    from mlvitals.windows.window import WindowSize


class Duration(str):
    """A span of time as it was spelled, such as `7d`."""

    __slots__ = ()

    @property
    def microseconds(self) -> int:
        """The length in microseconds.

        Raises:
            ValueError: the text is not a duration.

        """
        return parse_duration(self)


class SizeText(str):
    """A window size as it was spelled, such as `1mo`."""

    __slots__ = ()

    @property
    def window(self) -> "WindowSize":
        """The size itself.

        Raises:
            ValueError: the text is not a window size.

        """
        from mlvitals.windows.window import WindowSize  # noqa: PLC0415  # numpy is not needed to know what a config is

        return WindowSize.parse(str(self))


def decoder(base: Path) -> Callable[[type, Any], object]:
    """Return what msgspec asks to read a scalar of our own; relative paths start from `base`."""

    def decode(kind: type, value: Any) -> object:
        if kind is Duration:
            duration = Duration(_text(value, "a duration like `30s`, `10m` or `7d`"))
            _ = duration.microseconds
            return duration
        if kind is SizeText:
            size = SizeText(_text(value, "a window size like `10m`, `1h` or `1d`"))
            _ = size.window
            return size
        if kind is Path:
            if not isinstance(value, str) or not value:
                raise ValueError("Expected a path")
            return base / Path(value).expanduser()
        if kind is Secret:
            return _secret(value, base)
        raise NotImplementedError(kind)

    return decode


def _secret(value: Any, base: Path) -> Secret:
    match value:
        case str() if value:
            return Secret(value)
        case {"file": str() as path} if path and len(value) == 1:
            return Secret(file=base / Path(path).expanduser())
        case _:  # whatever was written may be the secret itself
            raise ValueError("Expected a secret as text, as `${NAME}`, or `{file: PATH}` for one that rotates")


def _text(value: Any, likeness: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"`{value}` has no unit: write {likeness}")  # noqa: TRY004  # msgspec gives a ValueError its path
    raise ValueError(f"Expected {likeness}")
