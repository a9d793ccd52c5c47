import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.events import EXAMPLES_KEPT, EventBatch, ReadAccount

ACCOUNTS = st.builds(
    lambda parsed, unparseable, skipped, examples: ReadAccount(
        rows=parsed + unparseable + skipped,
        parsed=parsed,
        unparseable=unparseable,
        skipped=skipped,
        examples=tuple(examples),
    ),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(0, 99),
    st.lists(st.text(max_size=3), max_size=EXAMPLES_KEPT),
)


@given(ACCOUNTS, ACCOUNTS, ACCOUNTS)
def test_accounts_add_and_lose_no_row(a, b, c):
    assert (a + b) + c == a + (b + c)
    whole = a + b + c
    assert whole.rows == a.rows + b.rows + c.rows
    assert whole.rows == whole.parsed + whole.unparseable + whole.skipped


@given(ACCOUNTS, ACCOUNTS)
def test_the_first_few_examples_are_kept(a, b):
    assert (a + b).examples == (a.examples + b.examples)[:EXAMPLES_KEPT]


def test_a_position_does_not_appear_where_a_batch_is_printed():
    empty = pa.record_batch({"timestamp": pa.array([], pa.int64())})
    account = ReadAccount(rows=0, parsed=0)
    batch = EventBatch(predictions=empty, labels=empty, changes=empty, account=account, position=b"secret place")
    assert "secret place" not in repr(batch)
