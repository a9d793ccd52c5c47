"""The label join against an oracle that tries every label of every prediction at every maturity."""

import math
import sqlite3
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.events.rankings import hash_rankings, spell_relevance, text_ids
from mlvitals.windows.bins import CategoryBins, NumericBins
from mlvitals.windows.coded import Coded
from mlvitals.windows.labels import LabelIndex, Labels
from mlvitals.windows.layout import Layout, OutputLayout, Task
from mlvitals.windows.outcomes import Contributions, add_outcomes, contributions
from mlvitals.windows.predictions import Predictions
from mlvitals.windows.probabilities import pack_probabilities
from mlvitals.windows.ranked import judge_rankings
from mlvitals.windows.summary import Summary
from mlvitals.windows.tables import MIGRATIONS
from mlvitals.windows.vectors import pack_vectors


class Remembered(NamedTuple):
    """A prediction; the columns that are kept of many."""

    id: bytes
    version: str
    time: int
    start: int
    uncounted: bool
    fingerprint: int
    score: float | None
    decision: str | None
    amount: float | None
    segments: str
    vectors: bytes | None = None
    propensity: float = 0.0


class Label(NamedTuple):
    """A label; the columns that are kept of many."""

    id: bytes
    time: int
    content: str
    version: str
    amount: str
    source: str


MATURITIES = np.array([5, 10, 40], dtype=np.int64)
IDS = [b"a", b"b", b"c"]
VERSIONS = ["v1", "v2"]
SPREAD = OutputLayout(Task.MULTICLASS, classes=CategoryBins(("1", "2", "0"), own=3), distribution=True)
# Of the classes 1, 2 and 0; none at all; no distribution; and one of a class besides, as single precision holds them.
SHARES: list[list[float] | None] = [
    [0.5, 0.25, 0.25],
    [1.0, 0.0, 0.0],
    None,
    [0.75, 0.75, 0.0],
    [0.125, 0.375, 0.0, 0.5],
]
PACKED = [
    pack_probabilities(
        pa.RecordBatch.from_pydict(
            {
                f"prediction.probabilities.{name}": [one]
                for name, one in zip(("1", "2", "0", "x"), row or [], strict=False)
            }
            | {"timestamp": [0]}
        ),
        SPREAD,
        np.arange(1),
    )[0]
    for row in SHARES
]
PREDICTIONS = st.builds(
    Remembered,
    id=st.sampled_from(IDS),
    version=st.sampled_from(VERSIONS),
    time=st.integers(0, 20),
    start=st.just(0),
    uncounted=st.sampled_from([False, False, True]),
    fingerprint=st.just(7),
    score=st.none() | st.sampled_from([0.0, 0.1, 0.3, 0.7, 1.0, 1.5, math.inf, -1e200]),
    decision=st.sampled_from([None, "0", "1", "2"]),
    amount=st.none(),
    segments=st.just("[]"),
    vectors=st.sampled_from(PACKED),
    propensity=st.sampled_from([0.0, 1.0, 0.5, 0.3, 1e-9]),
)
LABELS = st.builds(
    Label,
    id=st.sampled_from([*IDS, b"unknown"]),
    time=st.integers(-5, 70) | st.sampled_from([5, 10]),
    content=st.sampled_from(["0", "1", "2", "0.25", "1e200", "none"]),
    version=st.sampled_from(["", "", *VERSIONS]),
    amount=st.just(""),
    source=st.just("s"),
)
EVENTS = st.tuples(
    st.lists(PREDICTIONS, max_size=8, unique_by=lambda one: (one.id, one.version)), st.lists(LABELS, max_size=14)
)
SCORE = NumericBins((0.3, 0.7))
BINARY = Layout((), OutputLayout(Task.BINARY, score=SCORE, groups=(0, 1, 1), probability=True, weighs=True))
REGRESSION = Layout((), OutputLayout(Task.REGRESSION, score=NumericBins((0.3,))))
MANY = Layout(
    (), OutputLayout(Task.MULTICLASS, score=SCORE, classes=CategoryBins(("1", "2", "0"), own=2), probability=True)
)
DISTRIBUTED = Layout((), replace(SPREAD, score=SCORE, probability=True))
RANKED = Layout((), OutputLayout(Task.RANKING, ranked=(1, 3)))
RANKINGS = pack_vectors(
    pa.record_batch({"prediction.ranking": hash_rankings(text_ids(pa.array([["a", "b"], ["c"], [], None])))[0]}),
    RANKED.output,
    np.arange(4),
)
GRADES = [spell_relevance(grades) for grades in ({"a": 1}, {"a": 0.1, "b": 3, "x": 2}, {"c": 7}, {})]
LAYOUTS = [BINARY, REGRESSION, MANY, DISTRIBUTED]


def words(ids):
    data = b"".join(one.rjust(16, one[:1]) for one in ids)
    return np.frombuffer(data, ">u8").astype(np.uint64).reshape(-1, 2)


class Index:
    """The index of a model, or of several over one state, with a row for each event."""

    def __init__(self, silence=None):
        self.silence = silence
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        for statement in (statement for step in MIGRATIONS.steps for statement in step):
            self.connection.execute(statement)
        self.models = {}

    def of(self, model):
        return self.models.setdefault(model, LabelIndex(self.connection, model, self.silence))

    def remember(self, model, rows):
        def numbers(values, kind):
            return np.array([np.nan if one is None else one for one in values], dtype=kind)

        index, columns = self.of(model), list(zip(*rows, strict=True)) if rows else [()] * 12
        ids = words(columns[0])
        predictions = Predictions(
            ids=ids,
            versions=Coded.of(columns[1]),
            times=numbers(columns[2], np.int64),
            starts=numbers(columns[3], np.int64),
            uncounted=numbers(columns[4], np.bool_),
            fingerprints=numbers(columns[5], np.int64),
            scores=numbers(columns[6], np.float64),
            decisions=Coded.of(columns[7]),
            amounts=numbers(columns[8], np.float64),
            segments=Coded.of(columns[9]),
            vectors=columns[10],
            propensities=numbers(columns[11], np.float64),
        )
        return index.remember(index.look(ids), predictions)

    def add(self, model, rows):
        index, columns = self.of(model), list(zip(*rows, strict=True)) if rows else [()] * 6
        ids, times = words(columns[0]), np.array(columns[1], dtype=np.int64)
        return index.add(index.look(ids), Labels(ids, times, *map(Coded.of, columns[2:])))

    def add_labels(self, model, rows):
        return self.add(model, rows).duplicates

    def pairs(self, model, ids):
        index = self.of(model)
        return index.pairs(index.look(words(ids)))

    def forget(self, model, before):
        self.of(model).forget(before)

    def fingerprints(self, model, ids):
        look = self.of(model).look(words(ids))
        return sorted(look.predictions.rows["fingerprint"].tolist())


def new_index(silence=None):
    return Index(silence)


def join(layout, steps, silence=None):
    """Give events to an index, some at a time, and count what each step changes."""
    index = new_index(silence)
    outcomes = Summary.empty(layout, len(MATURITIES)).outcomes
    for events in steps:
        ids = [event.id for event in events]
        before = index.pairs("m", ids)
        index.remember("m", [event for event in events if isinstance(event, Remembered)])
        index.add_labels("m", [event for event in events if isinstance(event, Label)])
        after = index.pairs("m", ids)
        for pairs, sign in ((before, -1), (after, 1)):
            what = contributions(pairs, MATURITIES)
            add_outcomes(outcomes, layout, pairs, Contributions(what.rows, what.buckets, sign * what.signs))
    return outcomes


def winners(predictions, labels, maturity):
    """For each prediction the label that counts at a maturity, tried one by one."""
    for prediction in predictions:
        if prediction.uncounted:
            continue
        candidates = [
            (label.time, label.content)
            for label in labels
            if label.id == prediction.id
            and label.version in ("", prediction.version)
            and label.time - prediction.time <= maturity
        ]
        if candidates:
            yield prediction, max(candidates)[1]


def as_number(text):
    try:
        return float(text)
    except ValueError:
        return math.nan


def expect_confusion(layout, won):
    """Predicted and true classes, by their names in the layout."""
    classes = layout.outcome_classes
    rest = "__negative__" if layout.output.task is Task.BINARY else "__other__"
    pairs = Counter(
        (
            "__missing__" if one.decision is None else one.decision if one.decision in classes else rest,
            content if content in classes else rest,
        )
        for one, content in won
    )
    return [[pairs[predicted, true] for true in classes] for predicted in classes]


def expect_errors(won):
    """Every error and label of a regression that fits into a double with its square, and their sums."""
    pairs = [(math.nan if one.score is None else one.score, as_number(content)) for one, content in won]
    usable = [
        (score - label, label)
        for score, label in pairs
        if math.isfinite((score - label) * (score - label) + label * label)
    ]
    relative = [abs(error) / abs(label) for error, label in usable if label]
    return {"measured": len(usable), "relative_rows": len(relative)}, {
        "absolute": math.fsum(abs(error) for error, _ in usable),
        "squared": math.fsum(error * error for error, _ in usable),
        "signed": math.fsum(error for error, _ in usable),
        "label": math.fsum(label for _, label in usable),
        "label_squared": float(sum(Fraction(label) ** 2 for _, label in usable)),
        "relative": math.fsum(relative),
        "relative_squared": math.fsum(one * one for one in relative),
        **expect_moments([(error, label - REGRESSION.output.middle) for error, label in usable]),
    }


def expect_moments(pairs):
    """The moments of errors and of the labels' distances from the middle of the bins."""
    return {
        "cross_first": math.fsum(error * (error * away) for error, away in pairs),
        "cross_second": math.fsum((error * away) * (error * away) for error, away in pairs),
        "label_third": math.fsum((away * away) * away for _, away in pairs),
        "label_fourth": math.fsum((away * away) * (away * away) for _, away in pairs),
    }


def told(layout, won):
    """The scores of what can be judged, each with whether what it speaks of came true."""
    for one, content in won:
        if one.score is None:
            continue
        if layout is BINARY:
            yield one.score, content == "1"
        elif one.decision is not None and {one.decision, content} & set(layout.outcome_classes):
            yield one.score, one.decision == content


def expect_probabilities(layout, won):
    inside = [(score, true) for score, true in told(layout, won) if 0 <= score <= 1]
    improbable = sum(not 0 <= score <= 1 for score, _ in told(layout, won))
    runs = [[0] * layout.output.group_count for _ in range(4)]
    for score, true in inside:
        group = layout.output.group_codes[(score >= 0.3) + (score >= 0.7)]
        for run, amount in enumerate((1, true, round(score * 2**32), round(score * score * 2**32))):
            runs[run][group] += amount
    brier = math.fsum((score - true) * (score - true) for score, true in inside)
    log_loss = -math.fsum(
        math.log(min(max(score if true else 1 - score, 2**-52), 1 - 2**-52)) for score, true in inside
    )
    squared = math.fsum(((score - true) * (score - true)) ** 2 for score, true in inside)
    sums = {"brier": brier, "brier_squared": squared, "log_loss": log_loss}
    return {"measured": len(inside), "improbable": improbable}, runs, sums


def expect_bins(won, *, positive):
    counts = [0, 0, 0]
    for one, content in won:
        if (content == "1") == positive and one.score is not None and math.isfinite(one.score):
            counts[(one.score >= 0.3) + (one.score >= 0.7)] += 1
    return counts


def expect_weights(won):
    """How many labels have a propensity, the sum of 1 ÷ it, and that of its square, by decision and true class."""
    drawn: list[list[list[float]]] = [[[], []], [[], []]]
    for one, content in won:
        if one.propensity and one.decision is not None:
            drawn[one.decision == "1"][content == "1"].append(1 / one.propensity)
    powers = ([[[weight**power for weight in cell] for cell in row] for row in drawn] for power in (0, 1, 2))
    return [[[math.fsum(cell) for cell in row] for row in rows] for rows in powers]


def expect_distributions(won):
    """The Brier scores and logarithmic losses of what is a distribution and whose truth is known, and what is none."""
    known = [(SHARES[PACKED.index(one.vectors)], content) for one, content in won if content in ("1", "2", "0")]
    improper = sum(shares == [0.75, 0.75, 0.0] for shares, _ in known)
    briers, losses = [], []
    for shares, content in known:
        if shares is not None and sum(shares) == 1:
            place = ("1", "2", "0").index(content)
            briers.append(sum((share - (index == place)) ** 2 for index, share in enumerate(shares)))
            losses.append(-math.log(min(max(shares[place], 2**-52), 1 - 2**-52)))
    squared = sum(one * one for one in briers)
    sums = {"brier": sum(briers), "brier_squared": squared, "log_loss": sum(losses)}
    return {"distributions": len(briers), "improper": improper}, sums


@given(EVENTS, st.sampled_from(LAYOUTS))
def test_at_each_maturity_the_last_label_within_it_counts(events, layout):
    predictions, labels = events
    outcomes = join(layout, [[*predictions, *labels]])
    summary = Summary(layout, np.zeros(layout.served_size, dtype=np.int64), outcomes)
    for bucket, maturity in enumerate(MATURITIES.tolist()):
        won = list(winners(predictions, labels, maturity))
        outcome = summary.outcome(bucket)
        assert outcome.labelled == len(won)
        if layout is REGRESSION:
            counts, sums = expect_errors(won)
            assert {name: outcome.total(name) for name in sums} == sums
        else:
            counts, runs, sums = expect_probabilities(layout, won)
            if layout is DISTRIBUTED:
                others, sums = expect_distributions(won)
                counts |= others
            assert outcome.confusion.tolist() == expect_confusion(layout, won)
            assert outcome.calibration.tolist() == runs
        assert {name: outcome.count(name) for name in counts} == counts
        if layout in (BINARY, DISTRIBUTED):
            assert outcome.total("brier") == sums["brier"]
            assert outcome.total("brier_squared") == sums["brier_squared"]
            assert outcome.total("log_loss") == pytest.approx(sums["log_loss"], rel=1e-14)
        if layout is BINARY:
            assert outcome.positives.tolist() == expect_bins(won, positive=True)
            assert outcome.negatives.tolist() == expect_bins(won, positive=False)
            for decision, acted in enumerate((False, True)):
                mine = [pair for pair in won if (pair[0].decision == "1") == acted]
                expected = [expect_bins(mine, positive=False), expect_bins(mine, positive=True)]
                assert outcome.by_decision[decision].tolist() == expected
            assert [part.tolist() for part in outcome.weighed] == expect_weights(won)


@given(EVENTS, st.sampled_from(LAYOUTS), st.randoms(use_true_random=False), st.integers(1, 6))
def test_any_order_of_arrival_leaves_the_same_cells(events, layout, random, steps):
    every = [*events[0], *events[1]]
    shuffled = random.sample(every, len(every))
    parts = [shuffled[part::steps] for part in range(steps)]
    assert join(layout, parts).tobytes() == join(layout, [every]).tobytes()


@given(EVENTS, st.randoms(use_true_random=False), st.integers(1, 6))
def test_who_has_no_label_at_the_last_maturity_is_negative_where_silence_says_so(events, random, steps):
    every = [*events[0], *events[1]]
    shuffled = random.sample(every, len(every))
    parts = [shuffled[part::steps] for part in range(steps)]
    last = int(MATURITIES[-1])
    outcomes, told = join(BINARY, parts, silence=last), join(BINARY, [every])
    assert outcomes.tobytes() == join(BINARY, [every], silence=last).tobytes()
    assert outcomes[:-1].tobytes() == told[:-1].tobytes()
    won = list(winners(events[0], events[1], last))
    heard = {id(one) for one, _ in won}
    silent = [(one, "") for one in events[0] if not one.uncounted and id(one) not in heard]
    outcome = Summary(BINARY, np.zeros(BINARY.served_size, np.int64), outcomes).outcome(len(MATURITIES) - 1)
    assert (outcome.labelled, outcome.judged) == (len(won), len(won) + len(silent))
    assert outcome.delays.sum() == len(won)
    counts, runs, sums = expect_probabilities(BINARY, won + silent)
    assert outcome.confusion.tolist() == expect_confusion(BINARY, won + silent)
    assert outcome.calibration.tolist() == runs
    assert {name: outcome.count(name) for name in counts} == counts
    assert outcome.total("brier") == sums["brier"]
    assert outcome.positives.tolist() == expect_bins(won + silent, positive=True)
    assert outcome.negatives.tolist() == expect_bins(won + silent, positive=False)


def test_silence_is_no_label_of_any_source():
    index = new_index(silence=40)
    index.remember("m", [prediction(), prediction(b"b")])
    index.add_labels("m", [label(b"b", time=60)])
    pairs = index.pairs("m", [b"a", b"b"])
    assert (pairs.silent.tolist(), pairs.ages.tolist()) == ([True, True, False], [40, 40, 60])
    assert pairs.labels_by_source(100) == {"s": (1, 0)}
    assert pairs.newest_by_source(100) == {"s": 60}


@given(EVENTS, st.sampled_from(LAYOUTS))
def test_a_repeated_label_changes_nothing(events, layout):
    every = [*events[0], *events[1]]
    assert join(layout, [every, events[1]]).tobytes() == join(layout, [every]).tobytes()


def as_rankings(events):
    """Return the same events of a model that ranks."""
    predictions, labels = events
    ranked = [one._replace(vectors=RANKINGS[(one.time + len(one.version)) % 4]) for one in predictions]
    return ranked, [one._replace(content=GRADES[(one.time + len(one.content)) % 4] or "") for one in labels]


@given(EVENTS, st.randoms(use_true_random=False), st.integers(1, 6))
def test_rankings_add_and_are_taken_back_to_the_bit_in_any_order(events, random, steps):
    predictions, labels = as_rankings(events)
    every = [*predictions, *labels]
    shuffled = random.sample(every, len(every))
    outcomes = join(RANKED, [shuffled[part::steps] for part in range(steps)])
    assert outcomes.tobytes() == join(RANKED, [every]).tobytes()
    summary = Summary(RANKED, np.zeros(RANKED.served_size, dtype=np.int64), outcomes)
    for bucket, maturity in enumerate(MATURITIES.tolist()):
        won = list(winners(predictions, labels, maturity))
        judged = judge_rankings([one.vectors for one, _ in won], Coded.of([said for _, said in won]), (1, 3))
        outcome = summary.outcome(bucket)
        assert (outcome.measured, outcome.count("nothing_relevant")) == (
            judged.measured.sum(),
            judged.nothing_relevant.sum(),
        )
        assert {name: outcome.total(name) for name in judged.values} == {
            name: math.fsum(values) for name, values in judged.values.items()
        }


def prediction(one=b"a", *, version="v1", start=0, time=0):
    return Remembered(one, version, time, start, False, 7, 0.9, "1", None, "[]")  # noqa: FBT003  # a tuple by position


def label(one=b"a", *, time=1, content="1", version="", source="s"):
    return Label(one, time, content, version, "", source)


def test_a_correction_takes_the_earlier_label_back():
    outcomes = join(BINARY, [[prediction(), label(content="1")], [label(time=2, content="0")]])
    labelled = outcomes[:, BINARY.outcome_sections["labelled"]].ravel().tolist()
    assert labelled == [1, 0, 0]
    summary = Summary(BINARY, np.zeros(BINARY.served_size, dtype=np.int64), outcomes)
    assert summary.outcome(0).confusion[1].tolist() == [1, 0, 0]


def test_a_label_at_exactly_a_maturity_counts_for_it():
    outcomes = join(BINARY, [[prediction(), label(time=5)], [prediction(b"b"), label(b"b", time=6)]])
    assert outcomes[:, 0].tolist() == [1, 1, 0]
    assert not join(BINARY, [[prediction(), label(time=41)]]).any()


def test_repeated_labels_are_counted_by_their_source():
    index = new_index()
    assert index.add_labels("m", [label(), label(time=2), label(source="t")]) == {"t": 1}
    assert index.add_labels("m", [label(), label(source="t")]) == {"s": 1, "t": 1}
    assert index.add_labels("other", [label()]) == {}


def test_a_prediction_that_is_known_stays_as_it_was():
    index = new_index()
    index.remember("m", [prediction()])
    index.remember("m", [prediction()._replace(fingerprint=8), prediction(version="v2")._replace(fingerprint=9)])
    assert index.fingerprints("m", [b"a", b"a", b"b"]) == [7, 9]
    assert index.fingerprints("other", [b"a"]) == []


def test_only_what_is_touched_is_joined():
    index = new_index()
    index.remember("m", [prediction(), prediction(b"b")])
    index.add_labels("m", [label(), label(b"b")])
    assert index.pairs("m", [b"b"]).times.tolist() == [1]
    assert len(index.pairs("m", []).times) == 0


def test_labels_are_within_the_horizon_of_any_prediction_or_beyond_all():
    index = new_index()
    index.remember("m", [prediction(time=0), prediction(version="v2", time=50), prediction(b"b")])
    index.add_labels("m", [label(time=60), label(time=2, source="t"), label(b"b", time=60), label(b"b", time=30)])
    assert index.pairs("m", [b"a", b"b"]).labels_by_source(20) == {"s": (1, 2), "t": (1, 0)}


def test_a_forgotten_window_takes_its_labels_with_it():
    index = new_index()
    index.remember("m", [prediction(), prediction(b"b", start=100)])
    index.add_labels("m", [label(time=101), label(b"b", time=1)])
    index.forget("m", 100)
    assert index.fingerprints("m", [b"a", b"b"]) == [7]
    assert index.add_labels("m", [label(time=101), label(b"b", time=1)]) == {"s": 1}


def test_a_label_stays_as_long_as_any_window_needs_it():
    """Else a correction would add to the later window without taking back what it corrects."""
    index = new_index()
    index.remember("m", [prediction(), prediction(version="v2", start=100)])
    index.add_labels("m", [label(), label(time=2, version="v1"), label(time=3, version="v2")])
    index.forget("m", 100)
    assert index.pairs("m", [b"a"]).times.tolist() == [1, 3]
    index.forget("m", 101)
    assert index.add_labels("m", [label(), label(time=2, version="v1"), label(time=3, version="v2")]) == {}


def test_old_labels_without_a_prediction_are_forgotten():
    index = new_index()
    labels = [label(time=1), label(b"b", time=1), label(b"b", time=9), label(b"c", time=5), label(version="v2")]
    index.remember("m", [prediction(start=5)])
    index.add_labels("m", labels)
    index.forget("m", 5)
    assert index.add_labels("m", labels) == {"s": 3}


def test_a_source_is_as_new_as_its_newest_label_within_the_horizon():
    index = new_index()
    index.remember("m", [prediction(time=0), prediction(b"b", time=50)])
    index.add_labels("m", [label(time=20), label(time=21), label(b"b", time=55, source="t"), label(b"c", time=99)])
    assert index.pairs("m", [b"a", b"b", b"c"]).newest_by_source(20) == {"s": 20, "t": 55}


@pytest.mark.parametrize("model", ["m", "other"])
def test_models_do_not_meet(model):
    index = new_index()
    index.remember("m", [prediction()])
    index.add_labels(model, [label()])
    assert len(index.pairs("m", [b"a"]).times) == (model == "m")
    assert len(index.pairs("other", [b"a"]).times) == 0


def test_ids_that_agree_in_half_of_their_hash_do_not_meet():
    index = new_index()
    ids = [b"same....one.....", b"same....other..."]
    index.remember("m", [prediction(one) for one in ids])
    index.add_labels("m", [label(ids[1])])
    assert len(index.pairs("m", [ids[0]]).times) == 0
    assert len(index.pairs("m", [*ids, *ids]).times) == 1


def test_what_an_older_version_remembered_row_by_row_is_taken_over():
    index = new_index()
    ids = [bytes(words([one]).astype(">u8").tobytes()) for one in (b"a", b"b", b"c")]
    for one in ids[:2]:
        row = ("m", one, "v1", 5, 0, 0, 7, None, "1", None, "[]", b"vector")
        index.connection.execute(f"INSERT INTO prediction VALUES ({', '.join('?' * 12)})", row)
    for one in (ids[0], ids[2]):
        index.connection.execute("INSERT INTO label VALUES ('m', ?, 9, '1', '', '', 's')", (one,))
    pairs = index.pairs("m", [b"a", b"b", b"c"])
    assert (pairs.ages.tolist(), pairs.vectors) == ([4], [b"vector"])
    assert index.connection.execute("SELECT count(*) FROM prediction").fetchone() == (0,)
    assert index.connection.execute("SELECT id FROM label").fetchall() == [(ids[2],)]
    index.add_labels("m", [label(b"b", time=9)])
    assert index.pairs("m", [b"a", b"b", b"c"]).ages.tolist() == [4, 4]
