"""What several tests share is made once: the tests of a group run in one process."""

import os

import pytest


@pytest.mark.xdist_group("together")
def test_a_group_stays_together(request: pytest.FixtureRequest) -> None:
    # pytest-xdist tells groups apart by the test's name; pytest 9.2.0 let it do so in vain.
    group = "@together" if "PYTEST_XDIST_WORKER" in os.environ else ""
    assert request.node.nodeid.endswith(f"::test_a_group_stays_together{group}")
