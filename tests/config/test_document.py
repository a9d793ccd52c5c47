import pytest

from mlvitals.config import load
from mlvitals.config.document import read_document
from mlvitals.errors import ConfigError

HEAD = "models: [{name: prices, operating: {first: 7d}}]\nsources: [{type: file, path: events.jsonl}]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", ":3: the key `a` stands twice, first on line 1"),
        ("service:\n  name: a\n  tags: {x: 1, x: 2}\n", ":3: the key `x` stands twice, first on line 3"),
        ("a: [1, 2\n", ":2: did not find expected ',' or ']'"),
        ("a: b: c\n", ":1: mapping values are not allowed in this context"),
        ("a: *nowhere\n", ":1: found undefined alias"),
        ("a: !!python/object:os.system {}\n", ":1: could not determine a constructor"),
        ("a: !!timestamp x\n", ":1: could not determine a constructor"),
        ("a: !!int x\n", ": a value does not fit the tag in front of it"),
        ("a: !!bool x\n", ": a value does not fit the tag in front of it"),
        ("a: &a [*a]\n", ": the document contains itself"),
        ("? [a]\n: 1\n", ":1: a key must be text"),
        ("", ": the document must be a mapping, as `models: …` - at `$`"),
        ("- a\n", ": the document must be a mapping, as `models: …` - at `$`"),
        ("a: {7: b}\n", ": the key `7` is not text: put it in quotes - at `$.a`"),
        ("a: [{true: b}]\n", ": the key `True` is not text: put it in quotes - at `$.a[0]`"),
    ],
)
def test_text_that_is_no_document_is_answered_with_its_place(text, message, workplace):
    path = workplace.write(text)
    with pytest.raises(ConfigError) as refused:
        load(path, {})
    assert str(refused.value).startswith(f"{path}{message}")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "mlvitals.yaml"
    path.write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(ConfigError, match="not YAML text"):
        read_document(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: No such file or directory"):
        read_document(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("2014-09-01", "2014-09-01"),
        ("12:30", "12:30"),
        ("0o7", "0o7"),
        ("007", "007"),
        ("08", "08"),
        ("0", 0),
        ("1.", 1.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("2018.06.1", "2018.06.1"),
        ("7d", "7d"),
        ("7", 7),
        ("-7", -7),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_plain_scalars_are_read_as_yaml_1_2_reads_them(text, value, workplace):
    read = read_document(workplace.write(f"a: {text}\n"))["a"]
    assert (type(read), read) == (type(value), value)


def test_anchors_and_merges_work(workplace):
    document = read_document(workplace.write("a: &base {x: 1, y: 2}\nb: {<<: *base, y: 3}\n"))
    assert document["b"] == {"x": 1, "y": 3}


def test_a_folder_is_the_sum_of_its_files(workplace):
    workplace.write(HEAD + "service: {name: a, tags: {team: risk}}\n", "conf/1-base.yaml")
    workplace.write("models: [{name: fraud, operating: {first: 1d}}]\nservice: {environment: prod}\n", "conf/2.yaml")
    workplace.write("service: {tags: {tier: gold}, name: a}\n", "conf/3.yaml")
    workplace.write("not: read\n", "conf/notes.txt")
    config = load(workplace.folder / "conf", {})
    assert [model.name for model in config.models] == ["prices", "fraud"]
    assert (config.service.environment, config.service.tags) == ("prod", {"team": "risk", "tier": "gold"})
    assert config.base == workplace.folder / "conf"
    assert config.state.path == workplace.folder / "conf/.mlvitals/state.db"


def test_files_that_contradict_each_other_are_refused(workplace):
    workplace.write(HEAD + "state: {path: a.db}\n", "conf/1.yaml")
    second = workplace.write("state: {path: b.db}\n", "conf/2.yaml")
    with pytest.raises(ConfigError) as refused:
        load(workplace.folder / "conf", {})
    assert str(refused.value) == f"{second}: another file of the folder gives `path` another value - at `$.state.path`"


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"the folder holds no \*\.yaml file"):
        load(tmp_path, {})
