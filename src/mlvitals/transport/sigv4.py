"""Signing requests for AWS (Signature Version 4), by botocore's signer and its default chain of credentials."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final

from mlvitals.errors import MissingExtraError
from mlvitals.transport.http import TransportError
from mlvitals.transport.secret import Secret

Signer = Callable[[str, str, bytes, Mapping[str, str]], dict[str, str | Secret]]

# What is sent with a value of its own; everything else of a request's headers is signed as it is.
_SECRET: Final = ("Authorization", "X-Amz-Security-Token")


def signer(region: str, service: str, *, hashed: bool = True) -> Signer:
    """Return what signs a request, given as method, URL, body and headers: it returns all headers to send.

    Credentials are looked up now and again whenever they expire: the environment, shared files, a web identity, the
    container's or the instance's role. Of a URL's query names and values must be percent-encoded. hashed: the body's
    hash stands in a header, as OpenSearch Serverless demands.

    Raises:
        MissingExtraError: botocore is not installed.

    """
    try:
        from botocore.auth import SigV4Auth  # noqa: PLC0415  # an extra
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415  # as above
        from botocore.session import Session  # noqa: PLC0415  # as above
    except ImportError:
        raise MissingExtraError('`sigv4` needs botocore: pip install "mlvitals[opensearch]"') from None

    session = Session()

    def sign(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str | Secret]:
        try:
            found = session.get_credentials()
            credentials = None if found is None else found.get_frozen_credentials()
        except Exception as error:  # noqa: BLE001  # the chain runs programs and reads files of others
            # Its text may hold what a credential process said.
            raise TransportError(f"AWS credentials: {type(error).__name__}") from None
        if credentials is None or not credentials.access_key or not credentials.secret_key:
            raise TransportError("AWS credentials: none are found where botocore looks for them", lasting=True)
        told = {"X-Amz-Content-SHA256": sha256(body).hexdigest()} if hashed else {}
        request = AWSRequest(method, url, headers={**headers, **told}, data=body)
        SigV4Auth(credentials, service, region).add_auth(request)
        return {name: Secret(value) if name in _SECRET else value for name, value in request.headers.items()}

    return sign
