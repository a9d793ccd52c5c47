"""TLS towards a server: verified always, version 1.2 at least, its files read again when they are exchanged."""

import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mlvitals.errors import ConfigError

# OpenSSL itself heeds SSL_CERT_FILE and SSL_CERT_DIR; this one is what images behind inspecting proxies set.
_BUNDLE_VARIABLE: Final = "REQUESTS_CA_BUNDLE"
_OPENSSL_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")

_Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """What vouches for the server, and who we are.

    ca_file: PEM certificates that are trusted in place of the system's. cert_file, key_file: the certificate that we
    show, and its unencrypted key where that stands apart.
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @classmethod
    def of(
        cls, ca_file: Path | None, cert_file: Path | None, key_file: Path | None, environ: Mapping[str, str]
    ) -> "TlsFiles":
        """Return the files given, the environment's bundle where no `ca_file` is.

        Raises:
            ConfigError: one of them is not there.

        """
        if ca_file is None and not any(environ.get(name) for name in _OPENSSL_VARIABLES):
            named = environ.get(_BUNDLE_VARIABLE)
            ca_file = Path(named) if named else None
        files = cls(ca_file=ca_file, cert_file=cert_file, key_file=key_file)
        for file in files.all:
            if not file.exists():
                raise ConfigError(f"{file}: there is no such file")
        return files

    @property
    def all(self) -> tuple[Path, ...]:
        """The files that are named."""
        return tuple(file for file in (self.ca_file, self.cert_file, self.key_file) if file is not None)

    def stamp(self) -> _Stamp:
        """Return what changes when a file is exchanged.

        Raises:
            OSError: one is not there.

        """
        found = (file.stat() for file in self.all)
        return tuple((one.st_ino, one.st_size, one.st_mtime_ns) for one in found)


@dataclass(slots=True)
class TlsContexts:
    """The contexts made of some files, made again when these change.

    While files are being exchanged (a certificate is there, its key not yet) the contexts before stay in use.
    """

    files: TlsFiles
    changes: int = 0
    _stamp: _Stamp | None = None
    _server: ssl.SSLContext = field(init=False)
    _proxy: ssl.SSLContext = field(init=False)

    def __post_init__(self) -> None:
        try:
            self._make(self.files.stamp())
        except OSError as error:
            raise ConfigError(_explain(self.files, error)) from None

    @property
    def server(self) -> ssl.SSLContext:
        """The context for the server: it shows our certificate."""
        return self._server

    @property
    def proxy(self) -> ssl.SSLContext:
        """The context for a proxy on the way: our certificate is none of its business."""
        return self._proxy

    def refresh(self) -> None:
        """Read the files again if they have changed and are whole; `changes` counts how often that was so."""
        try:
            stamp = self.files.stamp()
            if stamp != self._stamp:
                self._make(stamp)
                self.changes += 1
        except OSError:  # an SSLError is one
            return

    def _make(self, stamp: _Stamp) -> None:
        server = proxy = _context(self.files.ca_file)  # to read all authorities of a system takes 20 ms
        if self.files.cert_file is not None:
            proxy = _context(self.files.ca_file)
            # Asked for a password OpenSSL would wait for somebody to type it.
            server.load_cert_chain(self.files.cert_file, self.files.key_file, password=_no_password())
        self._server, self._proxy, self._stamp = server, proxy, stamp


def _no_password() -> Callable[[], str]:
    return lambda: ""


def _context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is None:
        context.load_default_certs()
    elif ca_file.is_dir():
        context.load_verify_locations(capath=os.fspath(ca_file))
    else:
        context.load_verify_locations(cafile=os.fspath(ca_file))
    return context


def _explain(files: TlsFiles, error: OSError) -> str:
    """Tell which file is to blame, which OpenSSL does not."""
    if files.ca_file is not None:
        try:
            _context(files.ca_file)
        except ssl.SSLError:
            return f"{files.ca_file}: holds no PEM certificate"
        except OSError as trouble:
            return f"{files.ca_file}: {trouble.strerror}"
    if not isinstance(error, ssl.SSLError):
        return f"{error.filename or files.cert_file}: {error.strerror}"
    pair = files.cert_file if files.key_file is None else f"{files.cert_file} and {files.key_file}"
    reason = {"KEY_VALUES_MISMATCH": "the key is not the certificate's"}.get(error.reason or "")
    return f"{pair}: {reason or 'no PEM certificate with its key, unencrypted'}"
