"""All tags of a point, a log or a change event: what it is about, who speaks, and what a person says of either."""

from collections.abc import Mapping
from functools import lru_cache

from mlvitals.sinks.datadog.tagbook import TagBook
from mlvitals.telemetry import Service
from mlvitals.telemetry.naming import datadog as naming


class Tagging:
    """Tags for one destination.

    `env` and `service` are unified service tagging's. `version`, the third, is left to the person's own tags: a release
    of ours would begin every series anew. The model's version is `model_version`.
    """

    def __init__(self, service: Service, book: TagBook) -> None:
        self._service = service
        self._book = book
        self._speaker = naming.tag("service", service.name)

    def tags(self, attributes: Mapping[str, str], own: Mapping[str, str]) -> list[str]:
        """Return the tags of attributes, by their short names, and a person's own where neither is so called.

        Raises:
            ValueError: a short name is none, or an attribute no text.

        """
        tag = self._book.tag
        about = {"environment": self._service.environment, **attributes}
        spelled = {tag(short, value) for short, value in about.items()}
        spelled.add(self._speaker)
        if own or self._service.tags:
            keys = {told.partition(":")[0] for told in spelled}
            spelled |= {
                personal
                for key, personal in (_personal(*pair) for pair in {**self._service.tags, **own}.items())
                if key not in keys
            }
        spelled.discard("")
        return sorted(spelled)


@lru_cache(maxsize=1_024)
def _personal(name: str, value: str) -> tuple[str, str]:
    key = naming.tag_key(name)
    return key, naming.tag(key, value)
