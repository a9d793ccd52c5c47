"""Links of a model, of all models, and of none; what is no link is refused where it stands."""

from mlvitals.app.admission import service_of
from mlvitals.telemetry import Links

ROWS = "https://logs.example/?q={model} {start} {end} {filter}"


def test_links_are_written_once_for_all_models_and_otherwise_for_one(workplace):
    config = workplace.load(
        defaults=f"{{operating: {{first: 7d}}, links: {{rows: '{ROWS}', runbook: 'https://wiki.example/{{signal}}'}}}}",
        models="[{name: a}, {name: b, links: {runbook: 'https://b.example/{model}', rows: null}}]",
    )
    first, second = config.models
    assert first.links.templates == Links(rows=ROWS, runbook="https://wiki.example/{signal}")
    assert second.links.templates == Links(runbook="https://b.example/{model}")
    assert service_of(config, first).links == first.links.templates
    assert service_of(config).links == Links()


def test_a_model_without_links_has_none_of_its_own(workplace):
    assert workplace.load().models[0].links.templates == Links()


def test_a_model_of_a_pattern_keeps_the_place_of_its_name(workplace):
    config = workplace.load(models=f"[{{match: 'card-*', operating: {{first: 7d}}, links: {{rows: '{ROWS}'}}}}]")
    pattern = config.pattern_of("card-1")
    assert pattern is not None
    assert pattern.bind("card-1").links.rows == ROWS


def test_what_is_no_link_is_refused_with_its_place(workplace):
    def refusal(links):
        return workplace.refusal(models=f"[{{name: a, operating: {{first: 7d}}, links: {links}}}]")

    assert refusal("{rows: 'https://a.example/{modle}'}") == (
        "`rows` may name `{model}`, `{start}`, `{end}`, `{start_ms}`, `{end_ms}`, `{filter}`, and nothing else in "
        "braces - at `$.models[0].links`"
    )
    assert refusal("{runbook: 'ftp://a.example'}").startswith(
        "`runbook` must begin with https:// or http:// and a host"
    )
    assert refusal("{row: 'https://a.example'}") == "Object contains unknown field `row` - at `$.models[0].links`"
