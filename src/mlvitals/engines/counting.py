"""Counting predictions into the cohorts of their windows, versions and segments."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals import wire
from mlvitals.engines.intake import UNKNOWN_VERSION, Rows, Times, failed, rows_by_text
from mlvitals.windows.coded import Coded
from mlvitals.windows.cohorts import CohortKey, Cohorts
from mlvitals.windows.groups import ALL, Grouping, group_rows, segment_codes
from mlvitals.windows.layout import Layout
from mlvitals.windows.predictions import Predictions
from mlvitals.windows.summarize import Columns, summarize
from mlvitals.windows.window import WindowSize


@dataclass(slots=True, kw_only=True)
class Counting:
    """Counts one model's predictions. Every call belongs into the caller's transaction.

    segments: the segment columns. layout: the layout under which a version's next window begins; version "" is none's.
    """

    cohorts: Cohorts
    size: WindowSize
    segments: Sequence[str]
    layout: Callable[[str], Layout]

    def count(self, columns: Columns, rows: Rows, starts: Times, lag: npt.NDArray[np.float64] | None) -> None:
        """Add rows to the cohorts of their windows; failed requests to their errors only.

        Args:
            columns: the batch.
            rows: those to count, ascending.
            starts: the window start of every row of the batch.
            lag: as in `summarize`.

        """
        chosen = np.zeros(columns.batch.num_rows, dtype=bool)
        chosen[rows] = True
        errors = failed(columns.batch)
        for version, of_version in rows_by_text(columns.batch, wire.MODEL_VERSION, UNKNOWN_VERSION).items():
            for layout, mine in self._by_layout(version, of_version[chosen[of_version]], starts):
                for grouping in self._groupings(columns.batch, mine[~errors[mine]], starts):
                    self._add(version, layout, grouping, summarize(columns, layout, grouping, lag))
                for grouping in self._groupings(columns.batch, mine[errors[mine]], starts):
                    counts = np.zeros((len(grouping.starts), layout.served_size), dtype=np.int64)
                    counts[:, layout.served_sections["errors"]] = np.diff(grouping.bounds)[:, None]
                    self._add(version, layout, grouping, counts)

    def count_repeats(self, batch: pa.RecordBatch, rows: Rows, starts: Times) -> None:
        """Add rows that repeat an id (ascending) to the cohorts of their windows, beside the counts."""
        for version, of_version in rows_by_text(batch, wire.MODEL_VERSION, UNKNOWN_VERSION).items():
            mine = np.intersect1d(rows, of_version, assume_unique=True)
            for grouping in self._groupings(batch, mine, starts):
                for start, segment, count in zip(
                    grouping.starts, grouping.segments, np.diff(grouping.bounds).tolist(), strict=True
                ):
                    key, layout = CohortKey(start, version, segment), self._layout_at(version, start)
                    self.cohorts.add_repeats(key, self.size.end(start), layout, count)

    def begin(self, kept: Predictions) -> None:
        """Make the cohorts of predictions whose labels may be there already, before their counts are added."""
        counted = np.flatnonzero(~kept.uncounted)
        columns = (kept.starts, kept.versions.codes, kept.segments.codes)
        for start, version, segments in sorted(set(zip(*(one[counted].tolist() for one in columns), strict=True))):
            for segment in (ALL, *json.loads(kept.segments.texts[segments] or "[]")):
                self._begin(start, kept.versions.texts[version] or "", segment)

    def _begin(self, start: int, version: str, segment: str) -> None:
        layout = self._layout_at(version, start)
        nothing = np.zeros(layout.served_size, dtype=np.int64)
        self.cohorts.add_served(CohortKey(start, version, segment), self.size.end(start), layout, nothing)

    def segments_of(self, batch: pa.RecordBatch, rows: Rows) -> Coded:
        """Return each row's segments, as a JSON array of `column=value`."""
        if not self.segments:
            return Coded.constant("[]", len(rows))
        columns = []
        for name, values in self._segment_values().items():
            codes, names = segment_codes(batch, name, values)
            columns.append([f"{name}={names[code]}" for code in codes[rows]])
        return Coded.of([json.dumps(texts) for texts in zip(*columns, strict=True)])

    def _segment_values(self) -> dict[str, tuple[str, ...]]:
        known = self.layout("").segments
        return {name: known.get(name, ()) for name in self.segments}

    def _layout_at(self, version: str, start: int) -> Layout:
        """Return the layout that a version's window is counted under: the one it began with, if it has begun."""
        cohort = self.cohorts.get(CohortKey(start, version, ALL))
        return self.layout(version) if cohort is None else cohort.summary.layout

    def _by_layout(self, version: str, rows: Rows, starts: Times) -> list[tuple[Layout, Rows]]:
        """Part a version's rows by the layout of their window: nearly always one."""
        known, codes = np.unique(starts[rows], return_inverse=True)
        layouts = [self._layout_at(version, int(start)) for start in known]
        if all(layout is layouts[0] for layout in layouts):
            return [(layouts[0], rows)] if layouts else []
        return [(layout, rows[codes == code]) for code, layout in enumerate(layouts)]

    def _groupings(self, batch: pa.RecordBatch, rows: Rows, starts: Times) -> Sequence[Grouping]:
        if not len(rows):
            return []
        groupings = [group_rows(rows, starts[rows], None)]
        for name, values in self._segment_values().items() if self.segments else ():
            codes, names = segment_codes(batch, name, values)
            groupings.append(group_rows(rows, starts[rows], (name, codes[rows], names)))
        return groupings

    def _add(self, version: str, layout: Layout, grouping: Grouping, counts: npt.NDArray[np.int64]) -> None:
        for start, segment, served in zip(grouping.starts, grouping.segments, counts, strict=True):
            self.cohorts.add_served(CohortKey(start, version, segment), self.size.end(start), layout, served)
