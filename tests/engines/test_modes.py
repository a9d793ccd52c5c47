"""Every measurement of evidence says upon what it rests."""

from mlvitals.clock import DAY, MINUTE
from mlvitals.config import OperatingConfig
from mlvitals.signals.spec import Status


def evidence(bench, model):
    """Return what detectors said last, by signal: their status, and what they rest on."""
    every = [one for one in bench.latest().values() if one.model == model and one.signal.endswith(".evidence")]
    return {one.signal: (one.status, one.evidence.get("mode"), "weeks" in one.evidence) for one in every}


def test_evidence_says_its_mode_and_what_is_learnt_still_says_so(make_bench):
    learner = make_bench().make_config(name="n", operating=OperatingConfig(first=make_bench().config.windows.lateness))
    bench = make_bench(others=(learner,))
    events = [bench.prediction(f"{n}", bench.start + n * 10 * MINUTE) for n in range(30)]
    bench.feed([("s", [*events, *({**event, "model": "n"} for event in events)])], until=bench.start + DAY)
    known, learning = evidence(bench, "m"), evidence(bench, "n")
    # No reference says when labels come.
    assert known.pop("mlvitals.label.coverage.evidence") == (Status.INSUFFICIENT_DATA, "learning", False)
    assert {(mode, weeks) for _, mode, weeks in known.values()} == {("full", True)}
    assert Status.INSUFFICIENT_DATA not in {status for status, _, _ in known.values()}
    # While features are learnt, the detector of all of them speaks for them.
    assert learning == dict.fromkeys(
        (
            "mlvitals.prediction.volume.evidence",
            "mlvitals.feature.joint.evidence",
            "mlvitals.prediction.drift.evidence",
            "mlvitals.label.coverage.evidence",
        ),
        (Status.INSUFFICIENT_DATA, "learning", False),
    )
