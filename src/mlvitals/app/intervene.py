"""A person's word on the queues of a configuration's state, while nothing runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mlvitals import delivery
from mlvitals.app.kept import keeping
from mlvitals.clock import SystemClock
from mlvitals.config import Config
from mlvitals.delivery import Outbox
from mlvitals.delivery.intervention import Intervened, drop_letters, drop_waiting, put_back, try_at_once
from mlvitals.errors import ConfigError, StateError
from mlvitals.state import Store


def retry(config: Config, destination: str | None, *, dead: bool) -> list[Intervened]:
    """Have what waits tried by the next run at once, or put dead letters back; of one destination, or of all.

    Raises:
        StateError: a run holds the state, or there is none.
        ConfigError: nothing was ever enqueued for a destination of this name.

    """
    now = SystemClock().now()
    return _each(config, destination, (lambda box, name: put_back(box, name, now)) if dead else try_at_once)


def drop(config: Config, destination: str, *, dead: bool) -> list[Intervened]:
    """Drop what waits for a destination, or its dead letters.

    Raises:
        StateError: a run holds the state, or there is none.
        ConfigError: nothing was ever enqueued for a destination of this name.

    """
    return _each(config, destination, drop_letters if dead else drop_waiting)


def _each(config: Config, destination: str | None, act: Callable[[Outbox, str], Intervened]) -> list[Intervened]:
    with _outbox(config) as outbox:
        names = [queue.destination for queue in delivery.queue_statuses(outbox.store)]
        if destination is not None and destination not in names:
            raise ConfigError(
                f"nothing was ever enqueued for `{destination}`: {', '.join(names) or 'nor for any other'}"
            )
        return [act(outbox, name) for name in names if destination in {None, name}]


@contextmanager
def _outbox(config: Config) -> Iterator[Outbox]:
    """Open the outbox for changing it; it is kept where the state is."""
    with keeping(config) as kept:
        if not kept.config.state.path.exists():
            raise StateError("there is no state yet; `mlvitals run` makes it")
        with Store.open(kept.config.state.path, (delivery.MIGRATIONS,)) as store:
            yield Outbox(store)
        kept.keep()
