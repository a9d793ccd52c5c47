from pathlib import Path

import pytest

from mlvitals.clock import DAY, HOUR, MINUTE
from mlvitals.config import load
from mlvitals.errors import ConfigError
from mlvitals.sources.listing import list_files

EXAMPLE = Path(__file__).parents[2] / "examples" / "kc_house" / "mlvitals.yaml"

# The interface's own example, reduced to what this version supports.
INTERFACE = """
service: {name: fraud-monitoring, environment: prod, tags: {team: risk}}
defaults:
  windows: {size: 1h, lateness: 10m}
  labels: {delay: 2d, horizon: 60d, maturities: [1d, 7d, 45d]}
models:
  - name: card-fraud
    owner: risk-ml
    versions: {"2018.06.1": {training: ref/2018.06.1.reference}}
    operating: {path: ref/card-fraud.reference}
    features:
      include: ["*"]
      exclude: [customer_id]
      kinds: {postcode: categorical}
      aliases: {amt: amount}
      sensitive: [email_domain]
    segments: [channel]
    performance: {metrics: [roc_auc, precision, recall], positive: "1"}
    deduplicate: true
sources:
  - {type: file, path: "events-*.jsonl.gz", role: both, format: {type: mlvitals}}
budget: {export: lean}
state: {path: .mlvitals/state.db}
sinks:
  - {type: local}
  - {type: otlp, endpoint: "http://localhost:4318", protocol: http/protobuf, attributes: otel}
  - {type: stdout}
"""


def test_the_interface_example_is_read_as_it_says(workplace):
    config = load(workplace.write(INTERFACE), {})
    [model] = config.models
    assert (config.service.name, config.service.environment, config.service.tags) == (
        "fraud-monitoring",
        "prod",
        {"team": "risk"},
    )
    assert (model.name, model.owner, model.segments) == ("card-fraud", "risk-ml", ("channel",))
    assert model.versions["2018.06.1"].training == workplace.folder / "ref/2018.06.1.reference"
    assert model.operating is not None
    assert model.labels is not None
    assert model.operating.path == workplace.folder / "ref/card-fraud.reference"
    assert (model.windows.size, model.windows.size.window.length) == ("1h", HOUR)
    assert model.windows.lateness.microseconds == 10 * MINUTE
    assert model.labels.maturities == ("1d", "7d", "45d")
    assert [m.microseconds for m in model.labels.maturities] == [DAY, 7 * DAY, 45 * DAY]
    assert (model.labels.delay, model.labels.horizon) == ("2d", "60d")
    assert (model.features.exclude, model.features.sensitive) == (("customer_id",), ("email_domain",))
    assert model.features.kinds == {"postcode": "categorical"}
    assert model.features.aliases == {"amt": "amount"}
    assert model.performance.metrics == ("roc_auc", "precision", "recall")
    assert model.performance.positive == "1"
    assert model.deduplicate is True
    assert [sink.name for sink in config.sinks] == ["local", "otlp", "stdout"]
    assert config.state.path == workplace.folder / ".mlvitals/state.db"
    assert config.base == workplace.folder


def test_the_shipped_example_is_a_configuration():
    config = load(EXAMPLE, {})
    [model] = config.models
    assert model.labels is not None
    assert (model.name, model.windows.size, model.labels.maturities) == ("house-price", "1w", ("7d", "30d", "90d"))
    assert [source.role for source in config.sources] == ["predictions", "labels"]


def test_what_is_left_out_has_its_default(workplace):
    config = workplace.load()
    [model] = config.models
    assert (model.windows.size, model.windows.lateness, model.windows.idle) == ("1h", "10m", "5m")
    assert model.labels is None
    assert model.deduplicate is False
    assert model.features.include == ("*",)
    assert [sink.name for sink in config.sinks] == ["local"]
    assert config.budget.export == "lean"
    assert config.state.path == workplace.folder / ".mlvitals/state.db"
    assert config.state.key.path == workplace.folder / ".mlvitals/state.db.key"


def test_labels_default_to_the_first_and_the_last_maturity_and_make_ids_remembered(workplace):
    config = workplace.load(models="[{name: a, operating: {first: 7d}, labels: {maturities: [24h, 1w, 45d]}}]")
    [model] = config.models
    assert (model.labels.delay, model.labels.horizon) == ("24h", "45d")
    assert model.labels.maturities == ("24h", "1w", "45d")
    assert model.deduplicate is True


@pytest.mark.parametrize(("own", "expected"), [("deduplicate: false", False), ("deduplicate: true", True)])
def test_deduplicate_is_what_the_config_says_where_it_says_something(own, expected, workplace):
    [model] = workplace.load(
        models=f"[{{name: a, operating: {{first: 7d}}, labels: {{maturities: [1d]}}, {own}}}]"
    ).models
    assert model.deduplicate is expected


def test_null_takes_a_default_away(workplace):
    defaults = "{labels: {maturities: [1d]}, owner: risk}"
    models = "[{name: a, operating: {first: 7d}, labels: null, owner: ~}, {name: b, operating: {first: 7d}}]"
    first, second = workplace.load(defaults=defaults, models=models).models
    assert (first.labels, first.owner, first.deduplicate) == (None, None, False)
    assert (second.labels.horizon, second.owner, second.deduplicate) == ("1d", "risk", True)


def test_the_keys_file_follows_the_state(workplace):
    state = workplace.load(state="{path: elsewhere/s.db}").state
    assert state.key.path == workplace.folder / "elsewhere/s.db.key"
    state = workplace.load(state="{key: {path: ids.key}}").state
    assert state.key.path == workplace.folder / "ids.key"


def test_absolute_paths_stay_absolute(workplace):
    assert workplace.load(state="{path: /var/lib/mlvitals/state.db}").state.path == Path("/var/lib/mlvitals/state.db")


def test_a_sources_paths_start_from_the_configuration(workplace):
    sources = "[{type: file, path: ['events/*.jsonl', /var/log/app.jsonl, ~/e.jsonl]}, {type: file, path: '-'}]"
    files, standard_input = workplace.load(sources=sources).sources
    home = Path("~").expanduser()
    assert files.paths == [f"{workplace.folder}/events/*.jsonl", "/var/log/app.jsonl", f"{home}/e.jsonl"]
    assert standard_input.paths == ["-"]


def test_a_source_keeps_its_name_where_the_folder_moves(workplace):
    [source] = workplace.load(sources="[{type: file, path: [a.jsonl, b.jsonl]}]").sources
    [named] = workplace.load(sources="[{type: file, path: a.jsonl, name: app}]").sources
    assert (source.name, named.name) == ("file:a.jsonl,b.jsonl", "app")


def test_a_folder_named_like_a_pattern_is_still_one_folder(tmp_path):
    folder = tmp_path / "[ab]"
    folder.mkdir()
    path = folder / "mlvitals.yaml"
    sources = "[{type: file, path: '*.jsonl'}, {type: file, path: e.jsonl}]"
    path.write_text(f"models: [{{name: m, operating: {{first: 7d}}}}]\nsources: {sources}\n", "utf-8")
    (folder / "e.jsonl").touch()
    pattern, literal = load(path, {}).sources
    assert [listed.path for listed in list_files(pattern.paths)] == [folder / "e.jsonl"]
    assert [listed.path for listed in list_files(literal.paths)] == [folder / "e.jsonl"]


def test_a_relative_config_path_gives_absolute_paths(workplace, monkeypatch):
    workplace.load()
    monkeypatch.chdir(workplace.folder)
    assert load(Path("mlvitals.yaml"), {}).state.path == workplace.folder / ".mlvitals/state.db"


def test_the_files_that_a_config_names_need_not_exist_yet(workplace):
    config = workplace.load(models="[{name: a, operating: {path: not/yet.reference}}]")
    assert not config.models[0].operating.path.exists()


@pytest.mark.parametrize(
    "size", ["1m", "2m", "5m", "10m", "15m", "30m", "1h", "2h", "3h", "4h", "6h", "8h", "12h", "1d", "1w", "1mo"]
)
def test_every_window_size_of_the_interface_is_taken(size, workplace):
    [model] = workplace.load(models=f"[{{name: a, operating: {{first: 7d}}, windows: {{size: {size}}}}}]").models
    assert model.windows.size.window.text == size


def test_secrets_do_not_show(workplace):
    sinks = '[{type: otlp, endpoint: "http://localhost:4318", headers: {authorization: "Bearer ${TOKEN}"}}]'
    config = workplace.load({"TOKEN": "s3cr3t-t0k3n"}, sinks=sinks)
    assert config.sinks[0].headers["authorization"].read() == "Bearer s3cr3t-t0k3n"
    assert "s3cr3t-t0k3n" not in repr(config)
    assert "s3cr3t-t0k3n" not in str(config)


def test_a_refused_document_gives_nothing_away_in_its_traceback(workplace):
    with pytest.raises(ConfigError) as refused:
        workplace.load({"SIZE": "s3cr3t-t0k3n"}, defaults="{windows: {size: '${SIZE}'}}")
    error = refused.value
    assert error.__suppress_context__ or error.__context__ is None
    assert "s3cr3t-t0k3n" not in str(error)
