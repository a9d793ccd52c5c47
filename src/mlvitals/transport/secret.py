"""A secret of the configuration: read where it is needed, shown nowhere."""

from pathlib import Path

from mlvitals.errors import ConfigError


class Secret:
    """A value that must not be told: given as it is, or as a file that may be exchanged while the job runs."""

    __slots__ = ("_file", "_value")

    def __init__(self, value: str = "", *, file: Path | None = None) -> None:
        self._value = value
        self._file = file

    def read(self) -> str:
        """Return the value; that of a file as it is now, without the line's end.

        Raises:
            ConfigError: the file cannot be read; the message names it.

        """
        if self._file is None:
            return self._value
        try:
            return self._file.read_text("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise ConfigError(f"{self._file}: not UTF-8 text") from None  # the cause would show the bytes
        except OSError as error:
            raise ConfigError(f"{self._file}: {error.strerror}") from error

    def __repr__(self) -> str:
        """Show that there is one."""
        return "Secret(***)" if self._file is None else f"Secret(file={str(self._file)!r})"

    def __eq__(self, other: object) -> bool:
        """Compare what is configured."""
        return isinstance(other, Secret) and (self._value, self._file) == (other._value, other._file)

    def __hash__(self) -> int:
        return hash((self._value, self._file))
