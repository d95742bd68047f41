"""What the tests of the controller share."""

import pytest

from support.controller import make_world


@pytest.fixture
def world(tmp_path):
    made = make_world(tmp_path)
    yield made
    made.app.stores.close()
