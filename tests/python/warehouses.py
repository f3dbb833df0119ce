"""On which warehouses a test runs: marks that choose the fixture `warehouse`."""

from __future__ import annotations

import pytest

_SQLSERVER = pytest.param("sqlserver", marks=pytest.mark.sqlserver)

# For a test that means the same on each.
ON_EITHER = pytest.mark.parametrize("warehouse", ["postgres", _SQLSERVER], indirect=True)
ON_SQLSERVER = pytest.mark.parametrize("warehouse", [_SQLSERVER], indirect=True)
