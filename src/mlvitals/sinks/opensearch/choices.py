"""What a configuration may choose from."""

from enum import StrEnum


class Engine(StrEnum):
    """Whose server it is."""

    OPENSEARCH = "opensearch"
    ELASTICSEARCH = "elasticsearch"


class Templates(StrEnum):
    """Who brings templates and policies: we, before the first request; or somebody else, whom we check, or trust."""

    INSTALL = "install"
    CHECK = "check"
    OFF = "off"
