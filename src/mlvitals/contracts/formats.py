"""What every format keeps, whatever bytes it is given."""

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Final, Protocol

from mlvitals.contracts.events import Content, content_of
from mlvitals.contracts.require import require
from mlvitals.errors import InputError
from mlvitals.events import EventBatch, RawBatch
from mlvitals.formats import Cut, DecodePlan, Format

_PLACE: Final = Path("sample")
_CUTS_TRIED: Final = 64
_DAMAGES: Final = 100
_HOSTILE: Final = (
    b"\x00",
    b"\xff\xfe",
    b"\n",
    b"\r",
    b'"',
    b"{",
    b"}" * 9,
    b"[" * 999,
    b"\\",
    b",",
    b"\xed\xa0\x80",
    b"1e999",
)


class FormatConfig(Protocol):
    """The configuration of a format."""

    def open(self, plan: DecodePlan) -> Format:
        """Return the format."""
        ...


Demand = Callable[[FormatConfig, Sequence[bytes], DecodePlan], None]


def check_format(config: FormatConfig, samples: Sequence[bytes], plan: DecodePlan | None = None) -> None:
    """Hold a format against its contract.

    Args:
        config: its configuration.
        samples: whole files that it reads; short ones, as they are read some hundred times.
        plan: what is wanted of them; everything where it is left out, of a model `m` where a row names none.

    Raises:
        AssertionError: it breaks the contract; the message says how.

    """
    for demand in FORMAT_DEMANDS:
        demand(config, samples, plan or DecodePlan(model="m"))


def read_the_samples(config: FormatConfig, samples: Sequence[bytes], plan: DecodePlan) -> None:
    """Demand that each sample holds a row that is parsed, and that every row has one disposition."""
    require(len(samples) > 0, "without a sample nothing is proven")
    for number, sample in enumerate(samples):
        parsed = _whole(config, sample, plan).dispositions.get("parsed", 0)
        require(parsed > 0, f"sample {number}: no row of it is parsed")


def say_the_same_again(config: FormatConfig, samples: Sequence[bytes], plan: DecodePlan) -> None:
    """Demand that the same bytes say the same, with the same reasons for what is bad."""
    for number, sample in enumerate(samples):
        first, second = ([batch.account for batch in _batches(config.open(plan), sample)] for _ in range(2))
        require(first == second, f"sample {number}: read twice, it has two accounts: {first} and {second}")
        same = _whole(config, sample, plan) == _whole(config, sample, plan)
        require(same, f"sample {number}: read twice, it says two things")


def read_on_from_any_cut(config: FormatConfig, samples: Sequence[bytes], plan: DecodePlan) -> None:
    """Demand that from each cut's end the rest is cut as it was."""
    for number, sample in enumerate(samples):
        reader = config.open(plan)
        cuts = list(reader.cut(BytesIO(sample), _PLACE, 0, complete=True))
        for place, cut in enumerate(cuts):
            rest = list(reader.cut(BytesIO(sample), _PLACE, cut.offset, cut.next_line, complete=True))
            same = [one.offset for one in rest] == [one.offset for one in cuts[place + 1 :]]
            require(same, f"sample {number}: from the end of cut {place} the rest is cut otherwise")
            said, known = (content_of(_decode(reader, one) for one in some) for some in (rest, cuts[place + 1 :]))
            require(said == known, f"sample {number}: from the end of cut {place} the rest says something else")


def say_the_same_however_a_file_grows(config: FormatConfig, samples: Sequence[bytes], plan: DecodePlan) -> None:
    """Demand that a file that was read as it grew says what it says at once, where the format lets files grow."""
    for number, sample in enumerate(samples):
        reader, whole = config.open(plan), _whole(config, sample, plan)
        if not reader.appends:
            continue
        for size in sorted({len(sample) * step // _CUTS_TRIED for step in range(_CUTS_TRIED + 1)}):
            batches, offset, line = list[EventBatch](), 0, 1
            for data, complete in ((sample[:size], False), (sample, False), (sample, True)):
                for cut in reader.cut(BytesIO(data), _PLACE, offset, line, complete=complete):
                    offset, line = cut.offset, cut.next_line
                    batches.append(_decode(reader, cut))
            same = content_of(batches) == whole
            require(same, f"sample {number}: read first up to byte {size}, then to its end, it says something else")


def survive_hostile_bytes(config: FormatConfig, samples: Sequence[bytes], plan: DecodePlan) -> None:
    """Demand that damage raises nothing but that a file is not of this format at all, and that rows are still counted.

    Each sample is damaged in a hundred ways, the same in every run: bytes of hostile meaning are put in, overwritten
    or cut out.
    """
    for number, sample in enumerate(samples):
        chance = Random(number)  # noqa: S311  # no secret
        for _ in range(_DAMAGES):
            damaged = _damage(sample, chance)
            try:
                content_of(_batches(config.open(plan), damaged))
            except InputError:
                continue
            except AssertionError:
                raise
            except Exception as error:
                told = f"{type(error).__name__}: {error}"
                raise AssertionError(f"sample {number}, damaged, raised {told}; the bytes were {damaged!r}") from error


FORMAT_DEMANDS: Final[tuple[Demand, ...]] = (
    read_the_samples,
    say_the_same_again,
    read_on_from_any_cut,
    say_the_same_however_a_file_grows,
    survive_hostile_bytes,
)


def _decode(reader: Format, cut: Cut) -> EventBatch:
    raw = RawBatch(data=cut.data, place="sample", position=b"here", header=cut.header, first_line=cut.first_line)
    batch = reader.decode(raw)
    require(batch.position == raw.position, "a batch of events does not stand where its raw batch stood")
    return batch


def _batches(reader: Format, sample: bytes) -> Iterator[EventBatch]:
    for cut in reader.cut(BytesIO(sample), _PLACE, 0, complete=True):
        yield _decode(reader, cut)


def _whole(config: FormatConfig, sample: bytes, plan: DecodePlan) -> Content:
    return content_of(_batches(config.open(plan), sample))


def _damage(sample: bytes, chance: Random) -> bytes:
    start = chance.randrange(len(sample) + 1)
    return sample[:start] + chance.choice((b"", *_HOSTILE)) + sample[start + chance.choice((0, 1, 7)) :]
