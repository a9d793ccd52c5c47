"""What the configurations of all destinations refuse alike, without repeating what may be secret."""

from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from mlvitals.clock import parse_duration


def require_address(key: str, text: str, *, form: str = "an http:// or https:// address", secrets: str) -> SplitResult:
    """Return the parts of an address that can be asked.

    form: what is asked for. secrets: the keys into which secrets belong.

    Raises:
        ValueError: it is no such address, or has parts in which secrets stand.

    """
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"`{key}` must be {form}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"`{key}` must hold no user, password, query or fragment: put secrets into {secrets}")
    return parts


def require_timeout(timeout: str) -> None:
    """Refuse a duration in which nothing can be answered.

    Raises:
        ValueError: it is none.

    """
    if parse_duration(timeout) == 0:
        raise ValueError("`timeout` must be longer than nothing")


def require_certificate(cert_file: Path | None, key_file: Path | None) -> None:
    """Refuse a key without what it belongs to.

    Raises:
        ValueError: there is such a key.

    """
    if key_file is not None and cert_file is None:
        raise ValueError("`key_file` needs `cert_file`")
