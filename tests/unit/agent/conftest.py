"""A node for each test, with the binding of NVIDIA turned to its fake library."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.gpus.node import Node
from support.gpus.nvml import installed

MakeNode = Callable[..., Node]


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[MakeNode]:
    with ExitStack() as stack:

        def make(*arguments, **options) -> Node:
            node = Node(tmp_path, *arguments, **options)
            stack.enter_context(installed(node.nvml))
            stack.callback(node.gpus.close)
            return node

        yield make
