"""Each entry of `models` stands for itself: patterns, names in paths, and faults that concern no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.config import load
from mlvitals.config.entries import file_part
from mlvitals.errors import ConfigError

HEAD = "sources: [{type: file, path: events.jsonl}]\n"


def test_a_models_name_stands_in_its_paths_and_in_nothing_else(workplace):
    config = workplace.load(
        defaults="{operating: {path: 'ref/{model}.reference'}, owner: '{model}'}",
        models="[{name: a, versions: {'1': {training: '{model}/1'}}}, {match: 'card-*'}]",
    )
    [named], [pattern] = config.models, config.patterns
    assert named.operating is not None
    assert named.operating.path == workplace.folder / "ref/a.reference"
    assert named.versions["1"].training == workplace.folder / "a/1"
    assert named.owner == "{model}"
    bound = pattern.bind("card-../x")
    assert bound.operating is not None
    assert (bound.name, bound.operating.path) == ("card-../x", workplace.folder / "ref/card-..%2Fx.reference")


def test_a_folder_that_is_called_like_the_placeholder_is_left_alone(workplace):
    path = workplace.write("models: [{name: a, operating: {path: 'x-{model}'}}]\n" + HEAD, "{model}/mlvitals.yaml")
    [model] = load(path, {}).models
    assert model.operating is not None
    assert model.operating.path == workplace.folder / "{model}" / "x-a"


def test_the_first_pattern_that_fits_is_the_one(workplace):
    config = workplace.load(models="[{match: 'card-?', operating: {first: 1d}}, {match: '*', operating: {first: 2d}}]")
    found = {name: config.pattern_of(name) for name in ("card-1", "card-12", "house")}
    assert {name: pattern.match for name, pattern in found.items()} == {
        "card-1": "card-?",
        "card-12": "*",
        "house": "*",
    }


@given(st.text(min_size=1), st.text(min_size=1))
def test_different_names_are_different_parts_of_a_path(one, other):
    parts = file_part(one), file_part(other)
    assert (parts[0] == parts[1]) == (one == other)
    assert not any("/" in part or "\x00" in part or part.startswith((".", "~")) for part in parts)


@pytest.mark.parametrize(
    ("entries", "faults"),
    [
        ("{name: b, windos: {}}", ["Object contains unknown field `windos` - at `$.models[1]`"]),
        ("{name: b, owner: '${NOBODY}'}", ["the environment variable `NOBODY` is not set - at `$.models[1].owner`"]),
        (
            "{name: b, operating: {last: 28d}}",
            ["`last` is not supported by this version - at `$.models[1].operating.last`"],
        ),
        ("{name: b, cost: {}}", ["Object missing required field `currency` - at `$.models[1].cost`"]),
        ("nonsense", ["Expected `object`, got `str` - at `$.models[1]`"]),
        ("{match: 'b*', labels: {}}", ["Object missing required field `maturities` - at `$.models[1].labels`"]),
        ("{name: b}, {name: b}", ["the model `b` stands twice, first at index 1 - at `$.models[2].name`"]),
    ],
)
def test_a_broken_entry_is_left_out_and_named(entries, faults, workplace):
    config = workplace.load(defaults="{operating: {first: 7d}}", models=f"[{{name: a}}, {entries}]")
    assert [model.name for model in config.models] == ["a"]
    path = workplace.folder / "mlvitals.yaml"
    assert [fault.message for fault in config.faults] == [f"{path}: {fault}" for fault in faults]


def test_a_broken_pattern_still_keeps_its_models_from_the_next_one(workplace):
    config = workplace.load(models="[{match: 'b*', windos: {}}, {match: '*', operating: {first: 7d}}]")
    with pytest.raises(ConfigError, match="unknown field `windos`"):
        config.pattern_of("b1").bind("b1")
    assert config.pattern_of("c1").bind("c1").name == "c1"


def test_a_file_of_a_folder_that_cannot_be_read_holds_up_no_other(workplace):
    workplace.write("models: [{name: a, operating: {first: 7d}}]\n" + HEAD, "conf/1.yaml")
    broken = workplace.write("models: [", "conf/2.yaml")
    workplace.write("models: [{name: c, operating: {first: 7d}}, {name: d}]\n", "conf/3.yaml")
    config = load(workplace.folder / "conf", {})
    assert [model.name for model in config.models] == ["a", "c"]
    unread, entry = config.faults
    assert unread.message.startswith(f"{broken}:")
    assert (unread.name, unread.match) == (None, None)
    assert entry.message.startswith(f"{workplace.folder}/conf/3.yaml: a model needs something to compare with")
    assert entry.message.endswith("at `$.models[1]`")


def test_a_name_in_two_files_is_told_with_both(workplace):
    for number in (1, 2):
        names = ", ".join(f"{{name: {name}, operating: {{first: 7d}}}}" for name in ("a", f"own{number}"))
        text = f"models: [{names}]\n"
        workplace.write(text + (HEAD if number == 1 else ""), f"conf/{number}.yaml")
    config = load(workplace.folder / "conf", {})
    assert [model.name for model in config.models] == ["own1", "own2"]
    [fault] = config.faults
    expected = f"{workplace.folder}/conf/2.yaml: the model `a` stands twice, first at index 0 of 1.yaml"
    assert fault.message == f"{expected} - at `$.models[0].name`"


def test_a_secret_does_not_show_in_a_fault(workplace):
    models = "[{name: a, operating: {first: 7d}}, {name: b, operating: {first: '${LENGTH}'}}]"
    [fault] = workplace.load({"LENGTH": "s3cr3t"}, models=models).faults
    assert "s3cr3t" not in fault.message
    assert "`${LENGTH}` is not a duration" in fault.message


def test_where_nothing_can_run_all_is_refused(workplace):
    message = workplace.refusal(models="[{name: a, windos: {}}, {match: 'b*', windos: {}}]")
    assert message == "Object contains unknown field `windos` - at `$.models[0]`"
