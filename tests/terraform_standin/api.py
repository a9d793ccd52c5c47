"""Requests to the API that a provider speaks to."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_WITHIN: Final = 30.0
_NOT_FOUND: Final = 404


class ApiError(Exception):
    """The API refuses a request, or is not there; the message is what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """An API at an address. headers: those of every request, secrets among them, which no message repeats."""

    address: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer to a request, parsed.

        Raises:
            ApiError: it is no success, or there is none.

        """
        told = self.look(method, path, body)
        if told is None:
            raise ApiError(f"{method} {path}: there is no such thing")
        return told

    def look(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer to a request, parsed; None where what it asks for is not there.

        Raises:
            ApiError: it is neither a success nor `not found`, or there is none.

        """
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310  # whoever configures a provider chooses whom it asks
            f"{self.address.rstrip('/')}{path}",
            data=content,
            headers={**self.headers, "Content-Type": "application/json"},
            method=method,
        )
        try:
            with _OPENER.open(request, timeout=_WITHIN) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code == _NOT_FOUND:
                return None
            raise ApiError(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from error
        except OSError as error:
            raise ApiError(f"{method} {path}: {error}") from error
