"""A lock that is fair: who asked first has it first."""

import threading
from collections import deque
from types import TracebackType


class Turns:
    """Let one thread in at a time, in the order in which they came.

    Python's lock lets in whoever asks at the moment it is free, which is nearly always the thread that has just left.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            turn.acquire()
        except BaseException:  # a signal interrupts the wait: the turn may have come in the same moment
            with self._guard:
                mine = turn not in self._waiting
                if not mine:
                    self._waiting.remove(turn)
            if mine:
                self._pass_on()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
