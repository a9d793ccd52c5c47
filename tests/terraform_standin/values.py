"""Values as Terraform sends them: MessagePack, in which what a plan cannot know yet has a mark of its own."""

from typing import Any, Final

UNKNOWN_CODE: Final = 0  # MessagePack's extension for an unknown value; with what is known about it, another one


class Unknown:
    """What is known only after it was made, such as an id that the API gives."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = Unknown()

Object = dict[str, Any]


def is_known(value: Any) -> bool:
    """Tell whether a value holds nothing that is unknown, however deep."""
    if isinstance(value, dict):
        return all(is_known(one) for one in value.values())
    if isinstance(value, list):
        return all(is_known(one) for one in value)
    return not isinstance(value, Unknown)
