"""Nodes that look alike are laid out once: each says what it says alone, to the last unit."""

from collections.abc import Iterator

from hypothesis import given as given_some
from hypothesis import settings
from hypothesis import strategies as st

from aicost.domain.attribution.stating.rows import NodeStatement, state_node
from aicost.domain.attribution.window import WindowInput, node_inputs, state_window
from aicost.domain.identity.matching import match_claims
from support.alike_nodes import cluster


def one_by_one(given: WindowInput) -> Iterator[NodeStatement]:
    """Each node by the rules that are written for one, with nothing looked up for nodes like it."""
    matching = match_claims((one.facts for one in given.facts.pods), given.claims)
    return (state_node(given.cluster, given.window, node) for node in node_inputs(given, matching))


@settings(max_examples=100, deadline=None)
@given_some(st.integers(0, 2**32))
def test_nodes_that_look_alike_say_what_each_says_alone(seed: int) -> None:
    given = cluster(seed)
    stated, alone = state_window(given), list(one_by_one(given))
    assert tuple(stated.rows) == tuple(row for one in alone for row in one.rows)
    charges = [charge for one in alone for charge in one.charges]
    assert stated.device_milliseconds == sum(one.device_milliseconds for one in charges)
    assert stated.priced_milliseconds == sum(one.device_milliseconds for one in charges if one.cost_nanos is not None)
    assert list(stated.surplus.values()) == [one.surplus for one in alone if one.surplus]
    assert stated.unbalanced_nanos == 0
