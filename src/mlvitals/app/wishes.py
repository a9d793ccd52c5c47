"""What signals ask of a running job."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType


@dataclass(slots=True)
class Wish:
    """Whether signals have asked to stop (and which did), or to read the configuration again."""

    stop: threading.Event = field(default_factory=threading.Event)
    number: int | None = None
    reload: threading.Event = field(default_factory=threading.Event)

    def pending(self) -> bool:
        """Tell whether the batch at hand is to be the last for now."""
        return self.stop.is_set() or self.reload.is_set()


@contextmanager
def heed_signals(*, reloading: bool = False) -> Iterator[Wish]:
    """Turn the first SIGTERM or SIGINT into a wish to stop; the second interrupts as usual.

    reloading: each SIGHUP is a wish to read the configuration again, instead of ending the process.
    """
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    stopping = (signal.SIGTERM, signal.SIGINT)
    heeded = (*stopping, signal.SIGHUP) if reloading else stopping
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in heeded}

    def stop(number: int, _frame: FrameType | None) -> None:
        wish.number = number
        wish.stop.set()
        for each in stopping:
            signal.signal(each, before[each])

    def reload(_number: int, _frame: FrameType | None) -> None:
        wish.reload.set()

    for number in stopping:
        signal.signal(number, stop)
    if reloading:
        signal.signal(signal.SIGHUP, reload)
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
