"""Which layout and which references hold for a model and its versions."""

from dataclasses import replace

import msgspec
import pytest

from mlvitals.engines.layouts import References, choice_of
from mlvitals.windows.layout import Layout, OutputLayout, Task
from mlvitals.windows.summary import Summary


@pytest.mark.parametrize(("task", "reads"), [("binary", False), ("multiclass", False), ("distribution", True)])
def test_probabilities_are_read_where_a_reference_is_made_of_them(bench, task, reads):
    reference, plain = bench.make_reference(bench.config, task), bench.make_reference(bench.config)
    choice = choice_of(bench.config)
    assert References(choice, operating=reference).may_read_probabilities is reads
    assert References(choice, operating=plain, training={"1": reference}).may_read_probabilities is reads


def test_probabilities_are_read_while_it_is_not_known_what_is_logged(bench):
    assert References(choice_of(bench.config)).may_read_probabilities


def ranking_of(reference, **output):
    layout = replace(reference.layout, output=OutputLayout(**output))
    return replace(reference, summary=Summary.empty(layout, 1))


@pytest.mark.parametrize(
    ("output", "reads"), [({"task": Task.RANKING, "ranked": (10,)}, True), ({"task": Task.BINARY}, False)]
)
def test_rankings_are_read_if_any_version_ranks(bench, output, reads):
    plain, choice = bench.make_reference(bench.config), choice_of(bench.config)
    other = ranking_of(plain, **output)
    assert References(choice, operating=other).may_read_rankings is reads
    assert References(choice, operating=plain, training={"1": other}).may_read_rankings is reads
    assert References(choice).may_read_rankings


def test_how_far_rankings_are_read_is_the_configurations_to_say(bench):
    reference = ranking_of(bench.make_reference(bench.config), task=Task.RANKING, ranked=(10,))
    choice = replace(choice_of(bench.config), metrics=frozenset({"ndcg@20", "map@5"}))
    layout = References(choice, operating=reference).layout("1")
    assert layout is not None
    assert layout.output.cutoffs == (5, 20)


def test_a_layout_that_ranks_nothing_has_the_hash_that_it_always_had():
    plain = Layout((), OutputLayout(Task.REGRESSION))
    assert "ranked" not in msgspec.json.encode(plain.output).decode()
    assert plain.hash != Layout((), OutputLayout(Task.REGRESSION, ranked=(10,))).hash
