"""The errors a person may see: each names the place and the cause in one line."""


class MlvitalsError(Exception):
    """Base of every error that the command line prints as one line; `exit_code` is the process's answer."""

    exit_code = 1


class ConfigError(MlvitalsError):
    """Wrong usage or configuration: the message ends with the path of the offending key."""

    exit_code = 2


class InputError(MlvitalsError):
    """An input that cannot be read or decided: the message names the file and the place in it."""

    exit_code = 3


class StateError(MlvitalsError):
    """The state database cannot be used as asked: locked, newer than this program, or of another configuration."""

    exit_code = 3


class MissingExtraError(MlvitalsError):
    """A package that only some commands need is not installed: the message names the extra that brings it."""

    exit_code = 2
