"""Options that several commands share, and how they are read."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlvitals.clock import SECOND, SystemClock, parse_duration, parse_time
from mlvitals.errors import ConfigError

if TYPE_CHECKING:
    from mlvitals.config import Config, ModelConfig


class Moment(click.ParamType[int]):
    """An RFC 3339 time with its zone, as microseconds since the epoch."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the time that a person typed."""
        if isinstance(value, int):
            return value
        try:
            return parse_time(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Deadline(click.ParamType[int]):
    """An RFC 3339 time with its zone, or a duration from now such as `6h`, as microseconds since the epoch."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the time that a person typed, or meant."""
        if isinstance(value, int):
            return value
        try:
            return parse_time(value)
        except ValueError as error:
            no_time = error
        try:
            return SystemClock().now() + parse_duration(value)
        except ValueError:
            self.fail(f"{no_time}, nor a duration from now, like 6h", param, ctx)


class Span(click.ParamType[float]):
    """A duration such as `30s` or `2m`, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the duration that a person typed."""
        if isinstance(value, float):
            return value
        try:
            return parse_duration(value) / SECOND
        except ValueError as error:
            self.fail(str(error), param, ctx)


config_option = click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("mlvitals.yaml"),
    show_default=True,
    help="The configuration: a file, or a folder of them.",
)


def load_config(path: Path) -> "Config":
    """Return the configuration in a file or folder."""
    from mlvitals.config import load  # noqa: PLC0415  # sources and sinks come with it

    return load(path, os.environ)


def pick_model(config: "Config", name: str | None) -> "ModelConfig":
    """Return the model of this name, or the only one where none is named."""
    if name is None:
        if len(config.models) == 1 and not config.patterns and not config.faults:
            return config.models[0]
        raise click.UsageError(f"name one with --model: {', '.join(model.name for model in config.models)}")
    for model in config.models:
        if model.name == name:
            return model
    for fault in config.faults:
        if fault.name == name:
            raise ConfigError(fault.message)
    if (pattern := config.pattern_of(name)) is not None:
        return pattern.bind(name)
    raise click.UsageError(f"there is no model `{name}`: {', '.join(model.name for model in config.models)}")
