"""Which proxy stands between us and a server: the one that is configured, or the environment's."""

import ssl
import urllib.request
from typing import Final
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.connection import HTTPConnection

from mlvitals.errors import ConfigError
from mlvitals.transport.secret import Secret

_DIRECT: Final = "none"
_NOT_ONE: Final = "is no proxy that can be spoken to: write http://HOST:PORT or https://HOST:PORT, or `none`"


def proxy_of(base: str, given: Secret | None) -> str | None:
    """Return the address of the proxy to ask, which may hold a password; None to go directly.

    base: the server's address. given: wins over the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, in upper
    or lower case); `none` goes directly whatever that says.

    Raises:
        ConfigError: it is none that we speak to; a SOCKS proxy is not gone around. The message does not repeat it.

    """
    if given is not None:
        text = given.read()
        return None if text == _DIRECT else _checked(text, "`proxy`")
    parts = urlsplit(base)
    known = urllib.request.getproxies()
    name = parts.scheme if known.get(parts.scheme) else "all"
    if not known.get(name) or urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return _checked(known[name], f"the environment's {name}_proxy")


def pool_through(proxy: str | None, server: ssl.SSLContext, to_proxy: ssl.SSLContext) -> urllib3.PoolManager:
    """Return a pool with one kept connection that goes through a proxy, or directly.

    server, to_proxy: how TLS is spoken with the server, and with a proxy that speaks it itself.
    """
    if proxy is None:
        return urllib3.PoolManager(num_pools=1, maxsize=1, ssl_context=server)
    found = urllib3.util.parse_url(proxy)
    # What an address cannot hold as it is stands percent-encoded in it, and the proxy knows it plainly.
    headers = urllib3.util.make_headers(proxy_basic_auth=unquote(found.auth)) if found.auth else None
    address = f"{found.scheme}://{found.netloc}"
    return urllib3.ProxyManager(
        address,
        proxy_headers=headers,
        proxy_ssl_context=to_proxy,
        num_pools=1,
        maxsize=1,
        ssl_context=server,
        # Without these a request's body waits until its head is acknowledged: 40 ms each.
        socket_options=HTTPConnection.default_socket_options,
    )


def secrets_of_proxy(proxy: str | None) -> list[str]:
    """Return what a proxy that repeats what it was sent could tell: the password, and how it is sent."""
    found = None if proxy is None else urllib3.util.parse_url(proxy)
    if found is None or not found.auth:
        return []
    user = unquote(found.auth)
    header = urllib3.util.make_headers(proxy_basic_auth=user)["proxy-authorization"]
    return [user, user.partition(":")[2], found.auth.partition(":")[2], header]


def _checked(address: str, what: str) -> str:
    address = address if "://" in address else f"http://{address}"  # as curl reads it
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
        urllib3.util.parse_url(address)
        unquote(parts.netloc).encode("latin-1")
    except (ValueError, urllib3.exceptions.HTTPError):
        usable = False
    if not usable:
        raise ConfigError(f"{what} {_NOT_ONE}")
    return address
