"""A number that changes now and then, and what it was at any time."""

from hypothesis import given
from hypothesis import strategies as st

from kit.sim import Steps


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-3, 3)), max_size=30), st.integers(-5, 60))
def test_it_is_what_was_last_set_until_then(changes, when):
    steps, expected = Steps(7.0), 7.0
    for time, value in sorted(changes, key=lambda change: change[0]):
        steps.set(time, value)
        if time <= when:
            expected = value
    assert steps.at(when) == expected
