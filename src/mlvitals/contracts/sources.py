"""What every source keeps: the same input gives the same batches, from wherever it is read on."""

from collections.abc import Callable
from typing import Final, Protocol

from mlvitals.contracts.require import require
from mlvitals.events import RawBatch
from mlvitals.formats import DecodePlan
from mlvitals.sources import Source


class SourceConfig(Protocol):
    """The configuration of a source."""

    def open(self, plan: DecodePlan) -> Source:
        """Return the source."""
        ...


Demand = Callable[[SourceConfig, DecodePlan], None]


def check_source(config: SourceConfig, plan: DecodePlan | None = None) -> None:
    """Hold a source against its contract.

    Args:
        config: its configuration; what it reads is there, gives two batches or more, and stays as it is meanwhile.
        plan: what is wanted of it; everything where it is left out.

    Raises:
        AssertionError: it breaks the contract; the message says how.

    """
    for demand in SOURCE_DEMANDS:
        demand(config, plan or DecodePlan(model="m"))


def have_a_stable_name(config: SourceConfig, plan: DecodePlan) -> None:
    """Demand a name that is not empty and the same for every opening: it keys the position in the state."""
    names = set()
    for _ in range(2):
        source = config.open(plan)
        names.add(source.name)
        source.close()
    require(len(names) == 1, f"opened twice, it has two names: {sorted(names)}")
    require("" not in names, "its name is empty")


def read_what_is_there_once(config: SourceConfig, plan: DecodePlan) -> None:
    """Demand that all is read without a problem, that it is decoded, and that a second reading finds nothing."""
    source = config.open(plan)
    problems = [*source.check()]
    raws = list(source.read(complete=True))
    problems += [*source.problems, *source.faults]
    require(not problems, f"it cannot read what it is to be checked with: {problems[:1]}")
    require(len(raws) > 1, f"it gives {len(raws)} batches: two at least are needed to read on from one")
    parsed = sum(source.format.decode(raw).account.parsed for raw in raws)
    require(parsed > 0, "nothing of what it gives is parsed")
    source.commit(raws[-1].position)
    again = list(source.read(complete=True))
    require(not again, f"nothing has come, and a second reading gives {len(again)} batches")
    source.close()


def give_the_same_batches_from_any_position(config: SourceConfig, plan: DecodePlan) -> None:
    """Demand that a new process that is restored to a batch's position reads exactly the batches after it."""
    whole = _read(config, plan, None)
    require(_same(_read(config, plan, None), whole), "read by two processes, it gives other batches")
    for number, raw in enumerate(whole):
        rest = _read(config, plan, raw.position)
        same = _same(rest, whole[number + 1 :])
        require(same, f"restored to the position of batch {number}, it gives other batches than those after it")


def go_on_after_a_part(config: SourceConfig, plan: DecodePlan) -> None:
    """Demand that a reading that was broken off can be closed, and is gone on with from the last position."""
    source = config.open(plan)
    first = next(iter(source.read(complete=True)))
    source.commit(first.position)
    source.close()
    rest = _read(config, plan, first.position)
    require(_same([first, *rest], _read(config, plan, None)), "broken off after a batch, the rest is another")


SOURCE_DEMANDS: Final[tuple[Demand, ...]] = (
    have_a_stable_name,
    read_what_is_there_once,
    give_the_same_batches_from_any_position,
    go_on_after_a_part,
)


def _read(config: SourceConfig, plan: DecodePlan, position: bytes | None) -> list[RawBatch]:
    source = config.open(plan)
    if position is not None:
        source.restore(position)
    raws = list(source.read(complete=True))
    source.close()
    return raws


def _same(left: list[RawBatch], right: list[RawBatch]) -> bool:
    """Tell whether batches are the same; positions may be spelled otherwise, as long as they lead to the same."""

    def plain(raw: RawBatch) -> tuple[object, ...]:
        data = raw.data if isinstance(raw.data, bytes) else raw.data.to_pydict()
        return data, raw.place, raw.header, raw.first_line

    return [plain(one) for one in left] == [plain(one) for one in right]
