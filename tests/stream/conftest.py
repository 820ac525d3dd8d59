"""The API's own hub in this process (tests/api/conftest.py), with readers of its streams."""

from __future__ import annotations

from tests.api.conftest import app, folder, furnished, house, loaded_once, ministry, stranger

__all__ = ["app", "folder", "furnished", "house", "loaded_once", "ministry", "stranger"]
