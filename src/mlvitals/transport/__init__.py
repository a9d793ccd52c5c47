"""The only code that opens sockets."""

from mlvitals.transport.http import Answer, HttpTransport, TransportError

__all__ = ["Answer", "HttpTransport", "TransportError"]
