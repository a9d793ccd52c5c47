"""Which layout and which references hold for a model and its versions."""

import pytest

from mlvitals.engines.layouts import References, choice_of


@pytest.mark.parametrize(("task", "reads"), [("binary", False), ("multiclass", False), ("distribution", True)])
def test_probabilities_are_read_where_a_reference_is_made_of_them(bench, task, reads):
    reference, plain = bench.make_reference(bench.config, task), bench.make_reference(bench.config)
    choice = choice_of(bench.config)
    assert References(choice, operating=reference).may_read_probabilities is reads
    assert References(choice, operating=plain, training={"1": reference}).may_read_probabilities is reads


def test_probabilities_are_read_while_it_is_not_known_what_is_logged(bench):
    assert References(choice_of(bench.config)).may_read_probabilities
