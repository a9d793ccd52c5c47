"""The main job, for as long as it is left alone."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from mlvitals.app.kept import require_disk
from mlvitals.app.run import PARTING_SECONDS, Progress, RunReport, absent, part, problems
from mlvitals.app.watch import Watch, watched_pipeline
from mlvitals.app.wishes import Wish, heed_signals
from mlvitals.config import Config
from mlvitals.delivery import DrainReport
from mlvitals.errors import ConfigError, MlvitalsError
from mlvitals.state import is_full

FULL_DISK_SECONDS: Final = 5.0  # until it is tried again whether the disk takes more

_POLL_SECONDS: Final = 1.0

Tell = Callable[[str], None]


def run_until_stopped(
    config: Config,
    *,
    progress: Progress,
    tell: Tell = lambda _: None,
    poll: float = _POLL_SECONDS,
    again: Callable[[], Config] | None = None,
) -> RunReport:
    """Follow the sources until a signal asks to stop (SIGTERM, SIGINT), then finish the batch at hand and deliver.

    With `again`, which reads the configuration anew, SIGHUP asks for it: what it says holds from the next batch on,
    over the same state, or one line says why the old one goes on.

    `tell` is given one line for each trouble of a model, a source or a destination as it begins, and one as a
    destination is well again.

    Raises:
        ConfigError: the state is not on a disk, and would be kept only at the end.

    """
    require_disk(config)
    with heed_signals(reloading=again is not None) as wish:
        following = _Following(wish, progress, tell, poll, again)
        serving: Config | None = None
        wanted: Config | None = config
        while wanted is not None:
            with ExitStack() as stack:
                serving, watch = following.open(stack, wanted, serving)
                wanted = following.serve(serving, watch)
        following.report.signal = wish.number
    following.report.drains = list(following.drains.values())
    return following.report


@dataclass(slots=True)
class _Following:
    """A job that goes on while its configuration changes."""

    wish: Wish
    progress: Progress
    tell: Tell
    poll: float
    again: Callable[[], Config] | None
    report: RunReport = field(default_factory=RunReport)
    drains: dict[str, DrainReport] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    troubled: set[str] = field(default_factory=set)  # destinations
    full: list[str] = field(default_factory=list)  # why nothing is read

    def open(self, stack: ExitStack, wanted: Config, before: Config | None) -> tuple[Config, Watch]:
        """Open the pipeline of the configuration that is wanted; where that fails, that of the one before."""
        try:
            return wanted, stack.enter_context(watched_pipeline(wanted, self.tell))
        except MlvitalsError as error:
            if before is None:
                raise
            self.tell(f"the configuration cannot be used, the one before goes on: {error}")
            return before, stack.enter_context(watched_pipeline(before, self.tell))

    def serve(self, config: Config, watch: Watch) -> Config | None:
        """Follow the sources; return the configuration to go on with, None once a signal has asked to stop."""
        pipeline = watch.pipeline
        self._tell_news([*pipeline.problems, *absent(pipeline)])
        while not self.wish.stop.is_set():
            rest = self._read(watch)
            watch.come_round(self.full)
            drains = [drain for drain in pipeline.deliveries.reports() if drain.trouble]
            self._tell_news([*self.full, *pipeline.problems, *problems(pipeline), *map(_trouble, drains)])
            self._tell_who_is_well({drain.destination for drain in drains})
            wanted = self._read_again(config)
            if wanted is not None:
                pipeline.deliveries.stop()
                self._add(pipeline.deliveries.reports())
                return wanted
            if not self.wish.pending():
                self.wish.stop.wait(rest)
        self._add(part(pipeline, PARTING_SECONDS, self.wish))
        return None

    def _read(self, watch: Watch) -> float:
        """Read what there is, unless the disk takes no more; return the seconds to rest before reading on.

        While it is full nothing is read, so that the sources wait; what is delivered meanwhile makes room.
        """
        pipeline = watch.pipeline

        def progress(rows: int) -> None:
            self.progress(rows)
            watch.turn()
            watch.tell()  # to read what has piled up may take hours

        try:
            if self.full:
                pipeline.begin()
            pipeline.heed()
            self.report.account += pipeline.read(complete=False, progress=progress, stop=self.wish.pending)
            if not self.wish.pending():
                pipeline.engine.advance_while_running()
            watch.tell()
        except (sqlite3.OperationalError, OSError) as error:
            if not is_full(error):
                raise
            self.full = [f"the disk took no more ({error}): nothing is read until it does, delivery goes on"]
            return FULL_DISK_SECONDS
        self.full = []
        return self.poll

    def _read_again(self, config: Config) -> Config | None:
        """Return a new configuration where one is asked for and holds."""
        if self.again is None or not self.wish.reload.is_set():
            return None
        self.wish.reload.clear()
        try:
            wanted = self.again()
        except ConfigError as error:
            self.tell(f"the configuration is refused, the one before goes on: {error}")
            return None
        if wanted.state != config.state:
            self.tell("the configuration is refused, the one before goes on: the state was exchanged - at `$.state`")
            return None
        self.tell(f"the configuration was read again: {_changes(config, wanted)}")
        return wanted

    def _add(self, drains: Iterable[DrainReport]) -> None:
        for drain in drains:
            self.drains.setdefault(drain.destination, DrainReport(destination=drain.destination)).add(drain)

    def _tell_news(self, lines: list[str]) -> None:
        for line in lines:
            if line not in self.told:
                self.tell(line)
        self.told = set(lines)

    def _tell_who_is_well(self, troubled: set[str]) -> None:
        for name in sorted(self.troubled - troubled):
            self.tell(f"sink {name}: takes what is sent again")
        self.troubled = troubled


def _changes(before: Config, after: Config) -> str:
    old, new = ({model.name: model for model in config.models} for config in (before, after))
    changed = sum(new[name] != model for name, model in old.items() if name in new)
    added, removed = len(new.keys() - old.keys()), len(old.keys() - new.keys())
    return f"{len(new)} models by name ({added} added, {removed} removed, {changed} changed)"


def _trouble(drain: DrainReport) -> str:
    until = " (held until it is mended, tried now and then)" if drain.held else ""
    return f"sink {drain.destination}: {drain.trouble}{until}"
