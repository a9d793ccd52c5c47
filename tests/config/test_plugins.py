"""What a configuration may name by its import path, and what is told of an entry that cannot be used."""

import sys
import traceback
from itertools import count

import pytest

from mlvitals.config import load
from mlvitals.errors import ConfigError
from mlvitals.formats import DecodePlan

_NUMBERS = count()

HEAD = """
import msgspec
from mlvitals.formats import MlvitalsFormat
from mlvitals.signals.spec import Export, Layer, MetricSpec, Orientation, Stage, Statistic
from mlvitals.sinks import StdoutSink
from mlvitals.sources import FileSource
"""
TAGGED = "msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field='type'"


def statistic(called="Mix", **changes):
    spec = {"name": "acme.churn.mix", "unit": "{customer}", "brief": "How mixed it is.", "attributes": ()} | changes
    fixed = "layer=Layer.MODEL, stage=Stage.WINDOW, orientation=Orientation.NEITHER, level=Export.LEAN"
    given = ", ".join(f"{key}={value!r}" for key, value in spec.items())
    return f"{called} = Statistic(spec=MetricSpec({given}, {fixed}), compute=lambda evidence: iter(()))\n"


def struct(name, tag, fields, opened, base=TAGGED):
    return f"class {name}({base}, tag={tag!r}):\n    {fields}\n    {opened}\n"


LINES = struct("Lines", "lines", "zone: str = 'UTC'", "def open(self, plan): return MlvitalsFormat().open(plan)")
SHELF = struct(
    "Shelf",
    "shelf",
    "where: str; role: str = 'both'; name: str = 'shelf'; format: MlvitalsFormat = MlvitalsFormat()",
    "def open(self, plan): return FileSource(path=self.where, format=self.format).open(plan)",
)
PIPE = struct(
    "Pipe", "pipe", "name: str = 'pipe'", "def open(self, context): return StdoutSink(name=self.name).open(context)"
)


@pytest.fixture
def load_with(tmp_path):
    """Load a configuration beside a module of its own; `MODULE` in the entries stands for that module's name."""
    module = f"acme_{next(_NUMBERS)}"

    def load_with(code, *entries, sources="[{type: file, path: a}]", sinks="[{type: local}]", environ=None):
        (tmp_path / f"{module}.py").write_text(HEAD + code, encoding="utf-8")
        named = ", ".join(f'"{entry.replace("MODULE", module)}"' for entry in entries)
        config = tmp_path / "mlvitals.yaml"
        config.write_text(
            f"plugins: [{named}]\nmodels: [{{name: m, operating: {{first: 7d}}}}]\n"
            f"sources: {sources}\nsinks: {sinks}\n",
            encoding="utf-8",
        )
        return load(config, environ or {})

    yield load_with
    sys.modules.pop(module, None)


def test_a_statistic_joins_those_that_are_measured_after_ours(load_with):
    config = load_with(statistic(), "MODULE:Mix")
    assert [one.spec.name for one in config.statistics] == ["acme.churn.mix"]
    names = list(config.signals.specs)
    assert "mlvitals.prediction.count" in names
    assert config.signals.statistics[-1] is config.statistics[0]


def test_another_configuration_does_not_know_it(load_with):
    load_with(statistic(), "MODULE:Mix")
    assert "acme.churn.mix" not in load_with("").signals.specs


def test_a_format_a_source_and_a_sink_are_known_by_their_tags(load_with):
    config = load_with(
        LINES + SHELF + PIPE,
        "MODULE:Lines",
        "MODULE:Shelf",
        "MODULE:Pipe",
        sources="[{type: file, path: a, format: {type: lines, zone: UTC}},"
        " {type: shelf, where: b, format: {type: lines}}, {type: shelf, where: c, name: other}]",
        sinks="[{type: pipe}, {type: stdout}]",
    )
    assert [type(one.format).__name__ for one in config.sources] == ["Lines", "Lines", "MlvitalsFormat"]
    assert config.sources[0].path == [str(config.base / "a")]
    assert config.sources[1].open(DecodePlan()).format.appends
    assert [sink.name for sink in config.sinks] == ["pipe", "stdout"]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            "{type: file, path: a, format: {type: line}}",
            "Invalid value 'line': choose from mlvitals, json, parquet, csv, lines - at `$.sources[0].format.type`",
        ),
        ("{type: s3, path: a}", "Invalid value 's3': choose from file, shelf - at `$.sources[0].type`"),
        (
            "{type: file, path: a, format: {type: lines, zon: X}}",
            "Object contains unknown field `zon` - at `$.sources[0].format`",
        ),
        ("{type: shelf, where: 3}", "Expected `str`, got `int` - at `$.sources[0].where`"),
        ("{type: file, path: a, role: all}", "choose from predictions, labels, both - at `$.sources[0].role`"),
    ],
)
def test_a_wrong_key_is_told_with_its_path_as_ours_are(load_with, part, message):
    with pytest.raises(ConfigError) as caught:
        load_with(LINES + SHELF, "MODULE:Lines", "MODULE:Shelf", sources=f"[{part}]")
    assert str(caught.value).endswith(message)


REFUSED = {
    "no import path": ("", "MODULE", "not an import path such as `acme.signals:CHURN_MIX`"),
    "a path of a file": ("", "./acme.py:Mix", "not an import path"),
    "no such module": ("", "nowhere.at_all:Mix", "there is no module `nowhere`, neither installed nor in "),
    "a module that needs another": ("import nowhere\n", "MODULE:Mix", "needs `nowhere`, which is not installed"),
    "a bug": ("spam()\n", "MODULE:Mix", "cannot be imported: NameError: name 'spam' is not defined"),
    "no Python": ("class:\n", "MODULE:Mix", "cannot be imported: SyntaxError: "),
    "no such name": ("", "MODULE:Mix", "` has no `Mix`"),
    "no known sort": ("Mix = 7\n", "MODULE:Mix", "neither a statistic nor the configuration"),
    "a name of ours": (statistic().replace("acme.churn", "mlvitals.churn"), "MODULE:Mix", "which is ours"),
    "a short name": (statistic().replace("acme.churn.mix", "acme.mix"), "MODULE:Mix", "three or more parts"),
    "a unit in the name": (statistic().replace("churn.mix", "churn.mix_total"), "MODULE:Mix", "holds a unit"),
    "an attribute of its own": (
        statistic(attributes=("colour",)),
        "MODULE:Mix",
        "`colour` is no attribute of signals",
    ),
    "a ratio without its name": (statistic().replace("{customer}", "1"), "MODULE:Mix", "ends with `.ratio`"),
    "no open": (struct("Bare", "bare", "name: str = ''", ""), "MODULE:Bare", "it has no `open(self, plan)`"),
    "no tag": (
        struct("Bare", "bare", "name: str = ''", "def open(self, plan): ...")
        .replace(", tag='bare'", "")
        .replace(", tag_field='type'", ""),
        "MODULE:Bare",
        'declared with `tag_field="type"`',
    ),
    "unknown fields": (LINES.replace(" forbid_unknown_fields=True,", ""), "MODULE:Lines", "forbid_unknown_fields=True"),
    "a source without a name": (SHELF.replace("name: str = 'shelf'; ", ""), "MODULE:Shelf", "it has no field `name`"),
    "a type of ours": (LINES.replace("'lines'", "'csv'"), "MODULE:Lines", "the type `csv` of formats exists already"),
}


@pytest.mark.parametrize(("code", "entry", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_refused_in_one_line_with_the_path_of_the_entry(load_with, code, entry, message):
    with pytest.raises(ConfigError) as caught:
        load_with(code, entry)
    said = str(caught.value)
    assert message in said
    assert said.endswith(" - at `$.plugins[0]`")
    assert "\n" not in said


@pytest.mark.parametrize("other", ["acme.churn.mix", "acme.churn.mix.more"])
def test_two_statistics_may_not_clash(load_with, other):
    with pytest.raises(ConfigError, match=r"clashes with `acme\.churn\.mix`.* - at `\$\.plugins\[1\]`"):
        load_with(statistic() + statistic("Other", name=other), "MODULE:Mix", "MODULE:Other")


def test_the_traceback_of_a_bug_leads_to_its_line(load_with):
    with pytest.raises(ConfigError) as caught:
        load_with("def broken():\n    return spam\nbroken()\n", "MODULE:Mix")
    assert "return spam" in "".join(traceback.format_exception(caught.value))


def test_an_expanded_value_is_not_told(load_with):
    with pytest.raises(ConfigError) as caught:
        load_with("", "${NAMED}:Mix", environ={"NAMED": "hidden_module"})
    assert "hidden_module" not in str(caught.value)


@pytest.mark.parametrize("written", ["acme:Mix", "[7]", '[""]'])
def test_plugins_are_a_list_of_texts(tmp_path, written):
    config = tmp_path / "mlvitals.yaml"
    config.write_text(f"plugins: {written}\nmodels: [{{name: m, operating: {{first: 7d}}}}]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"- at `\$\.plugins"):
        load(config, {})


def test_the_import_path_is_left_as_it_was(load_with):
    before = list(sys.path)
    load_with(statistic(), "MODULE:Mix")
    with pytest.raises(ConfigError):
        load_with("", "nowhere:Mix")
    assert sys.path == before
