import pytest

from mlvitals.config.expand import Expansion
from mlvitals.errors import ConfigError

DURATION = "a whole number and one of ms, s, m, h, d, w, like `7d`"


@pytest.fixture
def expand(tmp_path):
    (tmp_path / "key.txt").write_text("from a file\n", "utf-8")
    environ = {"NAME": "value", "EMPTY": "", "NESTED": "${NAME}", "_A1": "x", "BYTES": "a\udcff"}
    return Expansion(tmp_path, environ).expand


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${NAME}", "value"),
        ("a ${NAME} and ${_A1}", "a value and x"),
        ("[${EMPTY}]", "[]"),
        ("${file:key.txt}", "from a file"),
        ("$${NAME}", "${NAME}"),
        ("$NAME and {NAME} cost $5", "$NAME and {NAME} cost $5"),
        ("${NESTED}", "${NAME}"),
    ],
)
def test_placeholders_become_values(text, expanded, expand):
    assert expand(text) == expanded


def test_strings_are_expanded_wherever_they_stand_and_keys_and_numbers_stay(expand):
    assert expand({"${NAME}": ["${NAME}", 1, None, {"a": "${NAME}"}]}) == {
        "${NAME}": ["value", 1, None, {"a": "value"}]
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${MISSING}", "the environment variable `MISSING` is not set - at `$.sinks[1].api_key`"),
        ("${BYTES}", "`${BYTES}` is not UTF-8 text - at `$.sinks[1].api_key`"),
        ("${NAME:-x}", "`${NAME:-x}` names no variable; a literal `${` is written `$${` - at `$.sinks[1].api_key`"),
        ("${}", "`${}` names no variable; a literal `${` is written `$${` - at `$.sinks[1].api_key`"),
        ("${NAME", "`${` is not closed; a literal one is written `$${` - at `$.sinks[1].api_key`"),
        ("${file:no}", "`${file:no}` cannot be read: No such file or directory - at `$.sinks[1].api_key`"),
    ],
)
def test_a_placeholder_without_a_value_names_itself_and_its_key(text, message, expand):
    with pytest.raises(ConfigError) as refused:
        expand({"sinks": [{}, {"api_key": text}]})
    assert str(refused.value) == message


def test_a_missing_variable_is_refused_on_loading(workplace):
    message = workplace.refusal({}, service="{name: '${SERVICE}'}")
    assert message == "the environment variable `SERVICE` is not set - at `$.service.name`"


@pytest.mark.parametrize(
    ("value", "sections", "message"),
    [
        (
            "hunter2hunter2",
            {"defaults": "{windows: {lateness: '${SECRET}'}}"},
            f"`${{SECRET}}` is not a duration: write {DURATION} - at `$.defaults.windows.lateness`",
        ),
        (
            "hunter2",
            {"budget": "{export: 'x${SECRET}'}"},
            "Invalid enum value 'x${SECRET}': choose from full, lean, standard - at `$.budget.export`",
        ),
        (
            "1h",
            {"budget": "{export: '${SECRET}'}"},
            "Invalid enum value '${SECRET}': choose from full, lean, standard - at `$.budget.export`",
        ),
        (
            "hunter2",
            {"sinks": "[{type: '${SECRET}'}]"},
            (
                "Invalid value '${SECRET}': choose from datadog, local, opensearch, otlp, prometheus, stdout "
                "- at `$.sinks[0].type`"
            ),
        ),
    ],
)
def test_values_of_the_environment_never_stand_in_a_message(value, sections, message, workplace):
    assert workplace.refusal({"SECRET": value}, **sections) == message
