import json
import shutil
from math import log10

import pytest
import yaml

from mlvitals.signals.evidence import COST_EVIDENCE, EVIDENCE, SEGMENT_EVIDENCE
from mlvitals.signals.running import RUNNING


def lines_of(out, kind):
    """Return what was printed of one kind, but for what the pipeline tells of itself."""
    told = (line for line in map(json.loads, out.splitlines()) if line["type"] == kind)
    return [line for line in told if line.get("name") not in {spec.name for spec in RUNNING}]


def series_of(out):
    return {(point["name"], frozenset(point["attributes"].items())) for point in lines_of(out, "metric")}


@pytest.fixture
def houses(repository, tmp_path, mlvitals):
    """Return a runner of the example with a budget: what was planned, and the lines that it printed."""
    example = repository / "examples" / "kc_house"
    for file in ("events.jsonl.gz", "labels.jsonl.gz"):
        shutil.copy(example / file, tmp_path / file)
    config = tmp_path / "mlvitals.yaml"
    written = (example / "mlvitals.yaml").read_text(encoding="utf-8").replace("{type: local}", "{type: stdout}")

    def run(budget, extra=""):
        config.write_text(f"{written}\nbudget: {budget}\n{extra}", encoding="utf-8")
        built = mlvitals(
            "reference",
            "build",
            "-c",
            config,
            "--data",
            example / "reference.parquet",
            "-o",
            tmp_path / "house-price.reference",
        )
        assert built.code == 0, built.err
        planned = mlvitals("plan", "-c", config, "--format", "json")
        ran = mlvitals("run", "-c", config, "--until", "2016-01-01T00:00:00Z")
        assert ran.code == 0, ran.err
        return planned, ran.out

    return run


@pytest.mark.parametrize(("level", "times"), [("lean", 3), ("standard", 1.5), ("full", 1.5)])
def test_what_leaves_is_within_what_was_planned_and_not_far_from_it(houses, level, times):
    planned, out = houses(f"{{export: {level}, versions: 1}}")
    assert planned.code == 0
    (model,) = json.loads(planned.out)["models"]
    sent = len(series_of(out))
    assert sent <= model["series"]["at_most"] <= times * sent
    assert model["base"] <= model["series"]["ordinary"] <= model["series"]["at_most"]


def test_the_evidence_of_every_detector_was_planned_and_so_it_leaves(houses):
    _, out = houses("{export: full, versions: 1}")
    sent = {name for name, _ in series_of(out)}
    # They have neither prices nor segments.
    unsent = {one.spec.name for one in (COST_EVIDENCE, SEGMENT_EVIDENCE)}
    assert {statistic.spec.name for statistic in EVIDENCE} - sent == unsent


def test_a_budget_is_kept_the_base_stays_and_logs_carry_everything(houses):
    planned, out = houses("{series: 200, export: full, versions: 1}", "")
    (model,) = json.loads(planned.out)["models"]
    sent = series_of(out)
    assert len(sent) <= model["series"]["at_most"] <= 200
    assert {cut["kind"] for cut in model["cut"]} == {"feature"}
    names = {name for name, _ in sent}
    assert {"mlvitals.prediction.count", "mlvitals.performance.error", "mlvitals.feature.drift.worst"} <= names
    assert not any("feature" in dict(attributes) for _, attributes in sent if model["cut"][0]["name"] == "bedrooms")
    told = {
        one["attributes"].get("feature")
        for line in lines_of(out, "log")
        for one in line["body"].get("measurements", [])
    }
    assert {"bedrooms", "yr_built"} <= told


def test_where_not_even_the_base_fits_the_answer_is_no(world, mlvitals):
    world.configure(sinks=[{"type": "stdout"}], budget={"series": 1})
    world.build_reference()
    answer = mlvitals("plan", "-c", world.config)
    assert answer.code == 1
    assert "for the bases alone" in answer.out


def test_a_destination_that_keeps_documents_is_planned_by_documents_and_the_job_among_them(world, mlvitals, tmp_path):
    sinks = [{"type": "opensearch", "hosts": ["http://127.0.0.1:9"]}, {"type": "local"}, {"type": "stdout"}]
    world.configure(sinks=sinks, telemetry={"interval": "10m"})
    world.build_reference()
    prices = tmp_path / "prices.yaml"
    prices.write_text("{currency: EUR, sinks: {opensearch: {million_events: 1000000}}}", encoding="utf-8")
    answer = mlvitals("plan", "-c", world.config, "--prices", prices, "--format", "json")
    assert (answer.code, answer.err) == (0, "")
    opensearch, local, stdout = json.loads(answer.out)["destinations"]
    [of_model], [of_local] = opensearch["models"].values(), local["models"].values()
    assert opensearch["total"]["series"] == {"ordinary": 0, "at_most": 0}
    assert of_model["events_per_day"] == of_local["events_per_day"]
    assert of_local["events_per_day"]["ordinary"] > 0
    assert of_model["content_per_day"]["ordinary"] > of_local["content_per_day"]["ordinary"]
    # Each point that others draw is a document here.
    told = stdout["job"]["series"]["at_most"]
    assert opensearch["job"]["events_per_day"] == {"ordinary": told * 144, "at_most": told * 144}
    assert opensearch["job"]["content_per_day"]["ordinary"] > told * 144 * 100
    assert local["job"]["events_per_day"]["at_most"] == 0
    month = float(opensearch["money"]["million_events"]["at_most"])
    assert month == pytest.approx(opensearch["total"]["events_per_day"]["at_most"] * 1461 / 48, rel=0.01)


def test_money_is_told_only_at_prices_that_a_person_gave(world, mlvitals, tmp_path):
    world.configure(sinks=[{"type": "stdout"}, {"type": "local"}])
    world.build_reference()
    plain = mlvitals("plan", "-c", world.config)
    assert (plain.code, plain.err) == (0, "")
    assert "a month" not in plain.out
    prices = tmp_path / "prices.yaml"
    prices.write_text("{currency: EUR, sinks: {stdout: {series: 0.05}}}", encoding="utf-8")
    told = mlvitals("plan", "-c", world.config, "--prices", prices, "--format", "json")
    stdout, local = json.loads(told.out)["destinations"]
    series = stdout["total"]["series"]
    assert stdout["money"]["total"]["at_most"] == f"{series['at_most'] * 5 / 100:.2f}"
    assert stdout["currency"] == "EUR"
    assert local["money"] == {}
    assert local["total"]["series"]["at_most"] == 0
    assert local["total"]["content_per_day"]["ordinary"] > 0


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        (
            "{currency: EUR, sinks: {nobody: {series: 1}}}",
            "there is no sink `nobody`: choose from local - at `$.sinks`",
        ),
        ("{currency: EUR, sinks: {local: {series: -1}}}", "`series` is not a price: -1"),
        ("{currency: EUR, sinks: {local: {gigabyte_month: 1}}}", "`gigabyte_month` and `keep` need each other"),
        ("{sinks: {}}", "missing required field `currency`"),
    ],
)
def test_a_wrong_price_is_one_line(world, mlvitals, tmp_path, prices, said):
    world.configure()
    (tmp_path / "prices.yaml").write_text(prices, encoding="utf-8")
    answer = mlvitals("plan", "-c", world.config, "--prices", tmp_path / "prices.yaml")
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


def test_models_that_learn_and_patterns_are_told_as_unknown_and_a_missing_reference_as_a_fault(world, mlvitals):
    world.configure(
        models=[
            {"name": "learning", "operating": {"first": "7d"}},
            {"name": "gone", "operating": {"path": "gone.reference"}},
            {"match": "card-*", "operating": {"first": "7d"}},
        ],
        sources=[{"type": "file", "path": "events*"}],
    )
    answer = mlvitals("plan", "-c", world.config)
    assert answer.code == 1
    assert "model learning: its reference is not known yet" in answer.out
    assert "FAULT gone: " in answer.out
    assert "models card-*: unknown until they come" in answer.out


def test_tags_that_the_budget_keeps_off_points_stand_on_logs(world, mlvitals):
    world.configure(
        service={"name": "s", "tags": {"team": "risk", "owner_mail": "a@example"}},
        model={"tags": {"tier": "1", "cost_center": "77"}},
        sinks=[{"type": "stdout"}],
        budget={"tags": ["team", "tier"]},
    )
    world.build_reference()
    ran = mlvitals("run", "-c", world.config, "--once")
    on = {kind: [line["tags"] for line in lines_of(ran.out, kind)] for kind in ("metric", "log")}
    assert on["metric"]
    assert all(tags == {"team": "risk", "tier": "1"} for tags in on["metric"])
    everything = {"team": "risk", "tier": "1", "owner_mail": "a@example", "cost_center": "77"}
    assert all(tags == everything for tags in on["log"])


HOURLY = {"windows": {"size": "1h"}, "labels": {"maturities": ["1d", "7d"]}}
MISSING = "mlvitals.feature.missing.ratio"


def test_the_shares_of_all_detectors_and_the_reserves_add_up_to_the_pages_a_week(world, mlvitals):
    learning = {"name": "learning", "operating": {"first": "7d"}, "weight": 2, "windows": {"size": "1mo"}}
    world.configure(decisions={"pages_per_week": 0.3, "weights": {"volume": 0}}, budget={"versions": 3}, model=HOURLY)
    world.build_reference()
    written = yaml.safe_load(world.config.read_text(encoding="utf-8"))
    world.config.write_text(yaml.safe_dump(written | {"models": [*written["models"], learning]}), encoding="utf-8")
    answer = mlvitals("plan", "-c", world.config, "--format", "json")
    assert (answer.code, answer.err) == (0, "")
    pages = json.loads(answer.out)["pages"]
    known, unknown = pages["models"]
    assert pages["shared"] == pages["pages_per_week"] == 0.3
    assert unknown["pages_per_week"] == pytest.approx(2 * known["pages_per_week"])
    for model in (known, unknown):
        together = sum(one["together"] for one in model["detectors"])
        assert together + model["reserve"] == pytest.approx(model["pages_per_week"])
        for one in model["detectors"]:
            assert one["count"] * one["each"] == pytest.approx(one["together"])
            assert one["false_pages_per_year"] <= one["together"] * 365.25 / 7 * (1 + 1e-9)
    of = {one["detector"]: one for one in known["detectors"]}
    assert of["prediction"]["count"] == 3
    assert of["performance"]["count"] == 6
    assert of["feature"]["bar"] == pytest.approx(log10(168 / of["feature"]["each"]))
    assert of["feature"]["least_windows"] == 2
    assert (of["volume"]["bar"], of["volume"]["least_windows"], of["volume"]["together"]) == (None, None, 0.0)
    assert unknown["learns"]
    assert "feature" not in {one["detector"] for one in unknown["detectors"]}


def test_the_table_tells_of_each_detector_and_what_pages_outside_of_the_budget(world, mlvitals):
    world.configure(decisions={"weights": {"errors": 0}, "page_on": [{"signal": MISSING, "model": "*"}]}, model=HOURLY)
    world.build_reference()
    answer = mlvitals("plan", "-c", world.config)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in answer.out.splitlines() if "│" in line]
    rows = [row for row in rows if len(row) == 8]
    assert [row[1] for row in rows] == [
        *("volume", "errors", "feature", "features", "prediction", "coverage", "performance"),
        "(reserve)",
        "",
    ]
    assert rows[1][5:] == ["never", "never", "0"]
    assert rows[0][6] == "2 × 1h"
    assert (rows[-1][0], rows[-1][4]) == ("(all)", "0.5")
    assert sum(float(row[4]) for row in rows[:-1]) == pytest.approx(0.5, abs=0.002)
    assert f"OUTSIDE THE BUDGET: {MISSING} (model *) pages whenever it warns" in answer.out.splitlines()


def test_what_is_not_known_of_the_pages_is_told(world, mlvitals):
    world.configure(
        models=[
            {"name": "learning", "operating": {"first": "7d"}, "weight": 0},
            {"match": "a*", "operating": {"first": "7d"}},
        ],
        sources=[{"type": "file", "path": "events*"}],
    )
    told = mlvitals("plan", "-c", world.config).out.splitlines()
    assert "model learning: its features are not known yet; they will have a share of its pages" in told
    assert "models a*: each that comes takes its share of the pages from all others" in told
    assert "No model has a `weight`: nothing pages by the budget." in told
