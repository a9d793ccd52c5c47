"""Where snapshots of the state are kept: an object of S3 or of what speaks like it, or a file of a folder."""

import fcntl
import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from mlvitals.errors import ConfigError, MissingExtraError, StateError
from mlvitals.state.backup import copy_private
from mlvitals.state.snapshot import SnapshotRacedError, SnapshotStore, version_of

_TRIES: Final = 5
_FIRST_PAUSE: Final = 0.2
_CONNECT_SECONDS: Final = 10.0
_READ_SECONDS: Final = 60.0
_TOKEN: Final = "mlvitals-write"  # noqa: S105  # the name of the object's metadata that tells who wrote it
_NEVER: Final = '"00000000000000000000000000000000"'  # an ETag of nothing
_CODE: Final = re.compile(r"[A-Za-z0-9]{1,60}")

# Not done, or not known to be: refused for now, raced, or the object that was to be replaced is gone.
_LOOK_AGAIN: Final = frozenset({404, 409, 412, 429})


def open_snapshots(url: str, endpoint: str | None = None) -> SnapshotStore:
    """Return the place that `s3://bucket/key` or `file:///path` names.

    endpoint: the address of what speaks like S3; the environment's (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL) or Amazon's
    where it is left out. Credentials, region and certificates are looked for as Amazon's tools do.

    Raises:
        ConfigError: it names no such place.
        MissingExtraError: the client of S3 is not installed.

    """
    parts = urlsplit(url)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigError("the state's url holds no user, password, query or fragment - at `$.state.url`")
    if parts.scheme == "file" and not parts.netloc and parts.path.strip("/"):
        return FolderSnapshots(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc and parts.path.strip("/"):
        return S3Snapshots(parts.netloc, parts.path.lstrip("/"), endpoint)
    raise ConfigError("write s3://BUCKET/KEY or file:///PATH - at `$.state.url`")


class FolderSnapshots:
    """A file, replaced under a lock; its folder may be one that several machines have mounted if that locks for all."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        """The path."""
        return str(self._path)

    def fetch(self, target: Path) -> str | None:
        """Copy the file and return its version; None where there is none yet."""
        if not self._path.exists():
            return None
        copy_private(self._path, target)
        return version_of(target)

    def replace(self, source: Path, expected: str | None) -> str:
        """Put a snapshot in the place of the file."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"{error.filename}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)  # held only while a file is copied
            present = version_of(self._path) if self._path.exists() else None
            if present == version_of(source):
                return present
            if present != expected:
                raise SnapshotRacedError(_raced(self.place))
            copy_private(source, self._path)
        finally:
            os.close(lock)
        return version_of(source)


class S3Snapshots:
    """An object, replaced by conditional writes (`If-Match`, `If-None-Match`)."""

    def __init__(self, bucket: str, key: str, endpoint: str | None = None) -> None:
        try:
            import botocore.exceptions  # noqa: PLC0415  # an extra, and slow to import
            import botocore.session  # noqa: PLC0415
            from botocore.config import Config  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtraError('a state in S3 needs its client: pip install "mlvitals[s3]"') from error
        self._object = {"Bucket": bucket, "Key": key}
        self._refused: type[Exception] = botocore.exceptions.ClientError
        # The last two are how the chain of credentials fails where what it was given is old, or none.
        self._unreached = (botocore.exceptions.BotoCoreError, RuntimeError, ValueError)
        settings = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            # A write that is tried again behind our back would be refused for having been done.
            retries={"total_max_attempts": 1},
            # What only speaks like S3 often knows no other checksums; a snapshot has its own.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            session = botocore.session.get_session()
            self._client: Any = session.create_client("s3", endpoint_url=endpoint, config=settings)
        except Exception as error:  # noqa: BLE001  # the chain of credentials runs programs and reads files of others
            raise ConfigError(f"{self.place}: {type(error).__name__}: the client of S3 lacks a setting") from None

    @property
    def place(self) -> str:
        """The address."""
        return f"s3://{self._object['Bucket']}/{self._object['Key']}"

    def fetch(self, target: Path) -> str | None:
        """Write the object to a file and return its ETag; None where there is none yet."""
        try:
            answer = self._client.get_object(**self._object)
            with target.open("wb") as file:
                shutil.copyfileobj(answer["Body"], file, 1 << 20)
        except self._refused as error:
            if _code(error) == "NoSuchKey":
                return None
            raise StateError(f"{self.place}: {_said(error)}") from None
        except (*self._unreached, OSError) as error:
            raise StateError(f"{self.place}: {type(error).__name__}") from None
        return str(answer["ETag"])

    def replace(self, source: Path, expected: str | None) -> str:
        """Put a snapshot in the place of the object with this ETag, or where there is none yet."""
        token = secrets.token_hex(16)
        trouble = ""
        for number in range(_TRIES):
            if number:
                time.sleep(_FIRST_PAUSE * 2 ** (number - 1))
            trouble, version = self._write(source, expected, token)
            if version is not None:
                if expected is None and number == 0:
                    self._require_conditions(source, token)
                return version
            # Whoever lost the answer to a write may find it done.
            known, version, writer = self._look()
            if known and writer == token and version is not None:
                return version
            if known and version != expected:
                raise SnapshotRacedError(_raced(self.place))
        raise StateError(f"{self.place}: it could not be written, or nobody knows whether it was: {trouble}")

    def _write(self, source: Path, expected: str | None, token: str) -> tuple[str, str | None]:
        """Try to write once; return why that is not known to be done, or the new version."""
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}
        try:
            with source.open("rb") as body:
                answer = self._client.put_object(**self._object, **condition, Body=body, Metadata={_TOKEN: token})
        except self._refused as error:
            if _status(error) >= 500 or (_status(error) in _LOOK_AGAIN and _code(error) != "NoSuchBucket"):
                return _said(error), None
            raise StateError(f"{self.place}: {_said(error)}") from None
        except (*self._unreached, OSError) as error:
            return type(error).__name__, None
        return "", str(answer["ETag"])

    def _look(self) -> tuple[bool, str | None, str | None]:
        """Return whether it is known what is there, its version, and who wrote it."""
        try:
            answer = self._client.head_object(**self._object)
        except self._refused as error:
            return _status(error) == 404, None, None
        except self._unreached:
            return False, None, None
        return True, str(answer["ETag"]), answer["Metadata"].get(_TOKEN)

    def _require_conditions(self, source: Path, token: str) -> None:
        """Refuse a store that takes conditions and does not heed them: two jobs would overwrite each other's state."""
        for condition, expected in (("If-None-Match", None), ("If-Match", _NEVER)):
            _, version = self._write(source, expected, token)
            if version is not None:
                raise StateError(f"{self.place}: the store does not heed conditional writes ({condition})")


def _raced(place: str) -> str:
    return (
        f"{place}: another process has replaced the state meanwhile; what this run made of the one before is not kept"
    )


def _status(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _code(error: Any) -> str:
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code if _CODE.fullmatch(code) else ""


def _said(error: Any) -> str:
    """Return the status and the code of a refusal: its text may hold anything."""
    return f"HTTP {_status(error)} {_code(error)}".strip()
