"""A secret of the configuration: read where it is needed, shown nowhere."""

from collections.abc import Callable
from pathlib import Path

from mlvitals.errors import ConfigError


class Secret:
    """A value that must not be told: given as it is, or as a file that may be exchanged while the job runs.

    Neither copies nor messages hold it: whoever needs the value reads it, late and each time.
    """

    __slots__ = ("_file", "_form", "_value")

    def __init__(self, value: str = "", *, file: Path | None = None) -> None:
        self._value = value
        self._file = file
        self._form: tuple[Callable[[str], str], ...] = ()

    def read(self) -> str:
        """Return the value; that of a file as it is now, without the line's end.

        Raises:
            ConfigError: the file cannot be read, or is empty (it is being written); the message names it.

        """
        value = self._value if self._file is None else _content(self._file)
        for form in self._form:
            value = form(value)
        return value

    def spelled(self, form: Callable[[str], str]) -> "Secret":
        """Return the secret as a protocol spells it, as `ApiKey …`: made anew of the value at each reading."""
        other = Secret(self._value, file=self._file)
        other._form = (*self._form, form)
        return other

    def __repr__(self) -> str:
        """Show that there is one."""
        return "Secret(***)" if self._file is None else f"Secret(file={str(self._file)!r})"

    def __eq__(self, other: object) -> bool:
        """Compare what is configured."""
        return isinstance(other, Secret) and (self._value, self._file, self._form) == (
            other._value,
            other._file,
            other._form,
        )

    def __hash__(self) -> int:
        return hash((self._value, self._file, self._form))

    def __reduce__(self) -> str:
        """Refuse to be written anywhere."""
        raise TypeError("a secret is not written anywhere")


def _content(file: Path) -> str:
    try:
        value = file.read_text("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not UTF-8 text") from None  # the cause would show the bytes
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    if not value:
        raise ConfigError(f"{file}: is empty")
    return value
