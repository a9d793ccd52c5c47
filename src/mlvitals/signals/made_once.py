"""What follows from an object alone, made once and kept for as long as that object lives."""

import weakref
from collections.abc import Callable
from typing import TypeVar

Owner = TypeVar("Owner")
Made = TypeVar("Made")


def made_once(make: Callable[[Owner], Made]) -> Callable[[Owner], Made]:
    """Return the pure function so that it is called once for each object, told apart by identity.

    For comparing a layout by its content would cost more than is saved. What is made must not keep its object.
    """
    known: dict[int, tuple[weakref.ref[Owner], Made]] = {}

    def look_up(owner: Owner) -> Made:
        place = id(owner)
        found = known.get(place)
        if found is not None and found[0]() is owner:
            return found[1]
        made = make(owner)
        known[place] = weakref.ref(owner, lambda _: known.pop(place, None)), made
        return made

    return look_up
