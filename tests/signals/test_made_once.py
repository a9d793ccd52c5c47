"""What follows from an object is made once, and not kept longer than the object."""

import gc
import weakref
from itertools import count

from mlvitals.signals.made_once import made_once


class Owner:
    """Something that can be forgotten."""


def test_it_is_made_once_for_each_object():
    calls = count()

    def make(_: Owner) -> int:
        return next(calls)

    look_up = made_once(make)
    one, other = Owner(), Owner()
    assert [look_up(one), look_up(one), look_up(other), look_up(one)] == [0, 0, 1, 0]


def test_what_was_made_goes_with_its_object():
    look_up = made_once(lambda _: Owner())
    owner = Owner()
    made = weakref.ref(look_up(owner))
    assert made() is not None
    del owner
    gc.collect()
    assert made() is None


def test_a_new_object_in_an_old_one_s_place_is_told_apart():
    look_up = made_once(weakref.ref)
    for _ in range(100):
        owner = Owner()
        assert look_up(owner)() is owner
        del owner
