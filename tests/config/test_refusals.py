"""Broken configurations, and the very line that each is answered with."""

import pytest

SIZES = "1m, 2m, 5m, 10m, 15m, 30m, 1h, 2h, 3h, 4h, 6h, 8h, 12h, 1d, 1w, 1mo"
DURATION = "a whole number and one of ms, s, m, h, d, w, like `7d`"


def model(text):
    return {"models": f"[{{name: prices, operating: {{first: 7d}}, {text}}}]"}


SHAPE = [
    ({"sight": "1"}, "Object contains unknown field `sight` - at `$`"),
    ({"base": "there"}, "Object contains unknown field `base` - at `$`"),
    ({"models": None}, "no model is configured - at `$.models`"),
    ({"models": "[]"}, "no model is configured - at `$.models`"),
    ({"models": "prices"}, "Expected `array`, got `str` - at `$.models`"),
    ({"models": "[prices]"}, "Expected `object`, got `str` - at `$.models[0]`"),
    ({"models": "[{operating: {first: 7d}}]"}, "Object missing required field `name` - at `$.models[0]`"),
    ({"models": "[{name: '', operating: {first: 7d}}]"}, "Expected `str` of length >= 1 - at `$.models[0].name`"),
    (model("windos: {size: 1h}"), "Object contains unknown field `windos` - at `$.models[0]`"),
    (model("windows: {sise: 1h}"), "Object contains unknown field `sise` - at `$.models[0].windows`"),
    (
        model("features: {kinds: {zipcode: words}}"),
        (
            "Invalid enum value 'words': choose from boolean, calendar, categorical, identifier, numeric, text "
            "- at `$.models[0].features.kinds.zipcode`"
        ),
    ),
    (
        model("features: {kinds: {zipcode: text, pay.day: calender, due: dates}}"),
        (
            "Invalid enum value 'calender': choose from boolean, calendar, categorical, identifier, numeric, text "
            '- at `$.models[0].features.kinds["pay.day"]`'
        ),
    ),
    (model("tags: {team: x, 'a\"]\\b': 7}"), 'Expected `str`, got `int` - at `$.models[0].tags["a\\"]\\\\b"]`'),
    (
        {"sources": "[{type: file, path: x, format: {type: json, map: {model: m}, units: {latency_ms: h}}}]"},
        "Invalid enum value 'h': choose from ms, ns, rate, s, us - at `$.sources[0].format.units.latency_ms`",
    ),
    (model("features: {include: price}"), "Expected `array`, got `str` - at `$.models[0].features.include`"),
    (model("segments: channel"), "Expected `array`, got `str` - at `$.models[0].segments`"),
    (model("deduplicate: sometimes"), "Expected `bool`, got `str` - at `$.models[0].deduplicate`"),
    (
        model("performance: {metrics: [auc]}"),
        (
            "Invalid enum value 'auc': choose from accuracy, balanced_accuracy, bias, brier, calibration_error, f1, "
            "log_loss, mae, map@1, map@10, map@100, map@20, map@3, map@5, map@50, mape, mcc, ndcg@1, ndcg@10, "
            "ndcg@100, ndcg@20, ndcg@3, ndcg@5, ndcg@50, pr_auc, precision, r2, recall, rmse, roc_auc, specificity "
            "- at `$.models[0].performance.metrics[0]`"
        ),
    ),
    (model("performance: {positive: 1}"), "Expected `str | null`, got `int` - at `$.models[0].performance.positive`"),
    (model("versions: {'7': {}}"), "Object missing required field `training` - at `$.models[0].versions.7`"),
    (
        model("versions: {7: {training: a.reference}}"),
        "the key `7` is not text: put it in quotes - at `$.models[0].versions`",
    ),
    (model("versions: {'7': {training: 7}}"), "Expected a path - at `$.models[0].versions.7.training`"),
    ({"service": "{nam: a}"}, "Object contains unknown field `nam` - at `$.service`"),
    ({"service": "{tags: {team: 7}}"}, "Expected `str`, got `int` - at `$.service.tags.team`"),
    (
        {"budget": "{export: everything}"},
        "Invalid enum value 'everything': choose from full, lean, standard - at `$.budget.export`",
    ),
    ({"state": "{path: ''}"}, "Expected a path - at `$.state.path`"),
    ({"state": "state.db"}, "Expected `object`, got `str` - at `$.state`"),
    ({"state": "{key: {}}"}, "Object missing required field `path` - at `$.state.key`"),
    ({"sources": "[{type: pipe, path: x}]"}, "Invalid value 'pipe': choose from file - at `$.sources[0].type`"),
    ({"sources": "[{path: events.jsonl}]"}, "Object missing required field `type` - at `$.sources[0]`"),
    ({"sources": "[{type: file}]"}, "Object missing required field `path` - at `$.sources[0]`"),
    ({"sources": "[{type: file, path: x, rôle: both}]"}, "Object contains unknown field `rôle` - at `$.sources[0]`"),
    (
        {"sources": "[{type: file, path: x, role: all}]"},
        "Invalid enum value 'all': choose from predictions, labels, both - at `$.sources[0].role`",
    ),
    (
        {"sources": "[{type: file, path: x, format: {type: xml}}]"},
        "Invalid value 'xml': choose from mlvitals, json, parquet, csv - at `$.sources[0].format.type`",
    ),
    ({"sinks": "[{type: local, sight: 1}]"}, "Object contains unknown field `sight` - at `$.sinks[0]`"),
    (
        {"sinks": "[{type: carrier_pigeon}]"},
        (
            "Invalid value 'carrier_pigeon': choose from datadog, local, opensearch, otlp, prometheus, stdout "
            "- at `$.sinks[0].type`"
        ),
    ),
    ({"defaults": "prices"}, "Expected `object` - at `$.defaults`"),
]

MEANING = [
    (
        model("windows: {size: 60}"),
        "`60` has no unit: write a window size like `10m`, `1h` or `1d` - at `$.models[0].windows.size`",
    ),
    (
        model("windows: {lateness: 1.5}"),
        "`1.5` has no unit: write a duration like `30s`, `10m` or `7d` - at `$.models[0].windows.lateness`",
    ),
    (model("windows: {size: true}"), "Expected a window size like `10m`, `1h` or `1d` - at `$.models[0].windows.size`"),
    (
        model("windows: {size: 7d}"),
        f"`7d` is not a window size: use one of {SIZES} - at `$.models[0].windows.size`",
    ),
    (
        model("windows: {lateness: -5m}"),
        f"`-5m` is not a duration: write {DURATION} - at `$.models[0].windows.lateness`",
    ),
    (model("labels: {}"), "Object missing required field `maturities` - at `$.models[0].labels`"),
    (model("labels: {maturities: []}"), "Expected `array` of length >= 1 - at `$.models[0].labels.maturities`"),
    (model("labels: {maturities: 7d}"), "Expected `array`, got `str` - at `$.models[0].labels.maturities`"),
    (
        model("labels: {maturities: [7]}"),
        "`7` has no unit: write a duration like `30s`, `10m` or `7d` - at `$.models[0].labels.maturities[0]`",
    ),
    (model("labels: {maturities: [0d, 7d]}"), "maturity `0d` must be longer than nothing - at `$.models[0].labels`"),
    (model("labels: {maturities: [7d, 1w]}"), "maturities `7d` and `1w` are the same age - at `$.models[0].labels`"),
    (
        model("labels: {maturities: [7d, 1d]}"),
        "maturities must ascend: `1d` stands after `7d` - at `$.models[0].labels`",
    ),
    (
        model("labels: {maturities: [7d, 45d], horizon: 30d}"),
        "horizon `30d` ends before the largest maturity, `45d` - at `$.models[0].labels`",
    ),
    (
        model("labels: {maturities: [7d], only: positive}"),
        "`labels.only: positive` needs `performance.positive`, the class that labels come of - at `$.models[0]`",
    ),
    ({"models": "[{name: prices, operating: {}}]"}, "give either `path` or `first` - at `$.models[0].operating`"),
    (
        {"models": "[{name: prices, operating: {path: a, first: 7d}}]"},
        "give either `path` or `first` - at `$.models[0].operating`",
    ),
    (
        {"models": "[{name: prices, operating: {first: 0d}}]"},
        "`first` must be longer than nothing - at `$.models[0].operating`",
    ),
    (
        {"models": "[{name: prices}]"},
        "a model needs something to compare with: give `operating`, or `versions` with `training` - at `$.models[0]`",
    ),
    (
        {"models": "[{name: a, operating: {first: 7d}, segments: [email], features: {sensitive: [email]}}]"},
        "`email` is sensitive: as a segment its values would leave - at `$.models[0]`",
    ),
    (
        {"models": "[{name: a, operating: {first: 7d}}, {name: a, operating: {first: 7d}}]"},
        "the model `a` stands twice, first at index 0 - at `$.models[1].name`",
    ),
    (
        {"models": "[{name: a, match: b, operating: {first: 7d}}]"},
        "give either `name` or `match` - at `$.models[0]`",
    ),
    ({"models": "[{match: '', operating: {first: 7d}}]"}, "Expected a name with `*` - at `$.models[0].match`"),
    (
        {"models": "[{match: 'a*', windows: {sise: 1h}, operating: {first: 7d}}]"},
        "Object contains unknown field `sise` - at `$.models[0].windows`",
    ),
    (model("tags: {team: 7}"), "Expected `str`, got `int` - at `$.models[0].tags.team`"),
    (model("groups: {a: {}}"), "Object missing required field `features` - at `$.models[0].groups.a`"),
    (
        model("groups: {a: {features: [x, 'y*']}, b: {features: ['z*', 'y*']}}"),
        "`y*` is in two groups, `a` and `b` - at `$.models[0]`",
    ),
    (
        {"sinks": "[{type: stdout}, {type: local}, {type: stdout}]"},
        "the sink `stdout` stands twice, first at index 0 - at `$.sinks[2].name`",
    ),
    (
        {"sources": "[{type: file, path: a, role: predictions}, {type: file, path: a, role: labels}]"},
        "the source `file:a` stands twice, first at index 0 - at `$.sources[1].name`",
    ),
    (
        {"sources": "[{type: file, path: []}]"},
        "`path` must name at least one file, glob or directory - at `$.sources[0]`",
    ),
    ({"sources": None}, "no source carries predictions - at `$.sources`"),
    (
        model("labels: {maturities: [7d]}") | {"sources": "[{type: file, path: labels.jsonl, role: labels}]"},
        "no source carries predictions - at `$.sources`",
    ),
    (
        {"sources": "[{type: file, path: a, role: predictions}, {type: file, path: b, role: labels}]"},
        "a source carries labels, but no model has `labels` - at `$.sources[1].role`",
    ),
]

# Every key and type of the interface that is yet to be built.
UNSUPPORTED = [
    ({"models": "[{name: prices, operating: {last: 28d}}]"}, "last", "$.models[0].operating.last"),
    ({"defaults": "{operating: {last: 28d}}"}, "last", "$.defaults.operating.last"),
]

# What stands in `defaults` is blamed on `defaults`, what stands in the model on the model.
BLAME = [
    (
        "{windows: {size: 60}}",
        "",
        "`60` has no unit: write a window size like `10m`, `1h` or `1d` - at `$.defaults.windows.size`",
    ),
    ("{windos: {size: 1h}}", "", "Object contains unknown field `windos` - at `$.defaults`"),
    ("{windows: {sise: 1h}}", "", "Object contains unknown field `sise` - at `$.defaults.windows`"),
    ("{segments: [channel, 7]}", "", "Expected `str`, got `int` - at `$.defaults.segments[1]`"),
    ("{windows: {size: 1h}}", "windows: {sise: 1h}", "Object contains unknown field `sise` - at `$.models[0].windows`"),
    ("{windows: {lateness: 1h}}", "windows: {size: 1y}", "- at `$.models[0].windows.size`"),
    (
        "{features: {kinds: {old.days: days}}}",
        "features: {kinds: {plan: text}}",
        '- at `$.defaults.features.kinds["old.days"]`',
    ),
    (
        "{features: {kinds: {plan: text}}}",
        "features: {kinds: {old.days: days}}",
        '- at `$.models[0].features.kinds["old.days"]`',
    ),
    ("{tags: {team: 7}}", "tags: {tier: x}", "Expected `str`, got `int` - at `$.defaults.tags.team`"),
    (
        "{labels: {horizon: 60d}}",
        "labels: {delay: 1d}",
        "missing required field `maturities` - at `$.models[0].labels`",
    ),
]


@pytest.mark.parametrize(("sections", "message"), SHAPE + MEANING)
def test_a_broken_configuration_is_answered_with_one_line_and_the_path_of_its_key(sections, message, workplace):
    assert workplace.refusal(**sections) == message


@pytest.mark.parametrize(("sections", "what", "path"), UNSUPPORTED)
def test_what_this_version_cannot_do_is_refused_by_name(sections, what, path, workplace):
    assert workplace.refusal(**sections) == f"`{what}` is not supported by this version - at `{path}`"


def test_elasticsearch_is_told_how_it_is_written(workplace):
    assert workplace.refusal(sinks="[{type: local}, {type: elasticsearch}]") == (
        "`elasticsearch` is a kind of `opensearch`: write `type: opensearch, engine: elasticsearch` "
        "- at `$.sinks[1].type`"
    )


@pytest.mark.parametrize(("defaults", "own", "message"), BLAME)
def test_an_error_names_the_place_where_the_value_was_written(defaults, own, message, workplace):
    assert workplace.refusal(defaults=defaults, **model(own)).endswith(message)
