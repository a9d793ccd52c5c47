"""The reference: what normal looks like, as a frozen layout with its counts."""

import base64
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Self

import msgspec

from mlvitals.errors import InputError
from mlvitals.hashing import content_hash
from mlvitals.windows.groups import ALL
from mlvitals.windows.layout import Layout
from mlvitals.windows.layout_codec import decode_layout, encode_layout
from mlvitals.windows.summary import Counts, Summary, pack, unpack

_KIND: Final = b"mlvitals reference "
_MAGIC: Final = _KIND + b"5\n"
OUTCOME_BUCKETS: Final = 1  # a reference's labels have no age


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A layout, the counts of the reference under it, and where they come from.

    summary: all rows together; its single outcome row counts the labels, whenever they came.
    series: the served counts of each window, by its start: they give season and natural variance.
    segments: the rows of each segment that has any, as `column=value`, counted as those of the summary.
    window: the size of the series' windows. complete: the rows are all that was served, not a sample of it.
    provenance: what a person needs to know of its making.
    """

    model: str
    version: str
    window: str
    complete: bool
    summary: Summary
    series: Mapping[int, Counts]
    segments: Mapping[str, Summary] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)

    def of_segment(self, segment: str) -> Summary | None:
        """Return the rows of a segment, or all of them; None where the reference has none of it."""
        return self.summary if segment == ALL else self.segments.get(segment)

    @property
    def layout(self) -> Layout:
        """The layout that every window of the model is counted under."""
        return self.summary.layout

    @cached_property
    def hash(self) -> str:
        """A name for this reference's counts under their layout, 32 hex digits."""
        parts = [self.layout.hash.encode(), self.summary.served.tobytes(), self.summary.outcomes.tobytes()]
        for name, part in sorted(self.segments.items()):
            parts += [name.encode(), part.served.tobytes(), part.outcomes.tobytes()]
        return content_hash(*parts)

    @cached_property
    def series_hash(self) -> str:
        """A name for the windows of the series and their counts, 32 hex digits."""
        starts = ",".join(map(str, self.series))
        if isinstance(self.series, PackedSeries):
            return content_hash(starts.encode(), *self.series.packed)
        return content_hash(starts.encode(), *(served.tobytes() for served in self.series.values()))


class PackedSeries(Mapping[int, Counts]):
    """The counts of many windows in few bytes: thousands of windows of a minute would fill the memory as arrays."""

    def __init__(self, packed: Mapping[int, bytes], size: int) -> None:
        """Keep what `pack` gave for each window's start; `size` is the length of every array."""
        self._packed = packed
        self._size = size

    def __getitem__(self, start: int) -> Counts:
        """Return one window's counts, unpacked anew each time."""
        return unpack(self._packed[start], (self._size,))

    @property
    def packed(self) -> Iterable[bytes]:
        """The windows' counts as they are packed."""
        return self._packed.values()

    def __iter__(self) -> Iterator[int]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


class _Counts(msgspec.Struct, frozen=True, array_like=True):
    served: str
    outcomes: str

    @classmethod
    def of(cls, summary: Summary) -> Self:
        return cls(_text(pack(summary.served)), _text(pack(summary.outcomes)))

    def under(self, layout: Layout) -> Summary:
        return Summary(
            layout,
            unpack(_bytes(self.served), (layout.served_size,)),
            unpack(_bytes(self.outcomes), (OUTCOME_BUCKETS, layout.outcome_size)),
        )


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    version: str
    window: str
    complete: bool
    layout: str
    counts: _Counts
    segments: dict[str, _Counts]
    series: dict[int, str]
    provenance: dict[str, str]


def encode_reference(reference: Reference) -> bytes:
    """Return a reference's file; equal references give equal bytes."""
    document = _Document(
        model=reference.model,
        version=reference.version,
        window=reference.window,
        complete=reference.complete,
        layout=_text(encode_layout(reference.layout)),
        counts=_Counts.of(reference.summary),
        segments={name: _Counts.of(part) for name, part in sorted(reference.segments.items())},
        series={start: _text(pack(served)) for start, served in sorted(reference.series.items())},
        provenance=dict(sorted(reference.provenance.items())),
    )
    return _MAGIC + zlib.compress(msgspec.json.encode(document), 6)


def decode_reference(data: bytes, place: str) -> Reference:
    """Return the reference in a file's bytes.

    Raises:
        InputError: these are not a reference, or one of another version of the file format; names `place`.

    """
    if data.startswith(_KIND) and not data.startswith(_MAGIC):
        raise InputError(f"{place} was built by another version of mlvitals: build it again")
    if not data.startswith(_MAGIC):
        raise InputError(f"{place} is not a reference file: build one with `mlvitals reference build`")
    try:
        document = msgspec.json.decode(zlib.decompress(data[len(_MAGIC) :]), type=_Document)
        layout = decode_layout(_bytes(document.layout))
        summary = document.counts.under(layout)
        segments = {name: counts.under(layout) for name, counts in document.segments.items()}
        series = PackedSeries({start: _bytes(text) for start, text in document.series.items()}, layout.served_size)
        for _ in series.values():  # so that one that is damaged is refused here
            pass
    except (zlib.error, msgspec.DecodeError, ValueError, IndexError) as error:
        raise InputError(f"{place} is a damaged reference file: {error}") from error
    return Reference(
        model=document.model,
        version=document.version,
        window=document.window,
        complete=document.complete,
        summary=summary,
        series=series,
        segments=segments,
        provenance=document.provenance,
    )


def read_reference(path: Path) -> Reference:
    """Return the reference in a file.

    Raises:
        InputError: there is no such file, or it is not a reference.

    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot read the reference: {error.strerror}") from error
    return decode_reference(data, str(path))


def write_reference(reference: Reference, path: Path) -> None:
    """Write a reference to a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    with draft.open("wb") as file:
        file.write(encode_reference(reference))
        file.flush()
        os.fsync(file.fileno())  # else a power cut may keep the name and lose the bytes
    draft.replace(path)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
