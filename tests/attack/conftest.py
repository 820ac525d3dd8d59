"""The hub of tests/accounts: officers who sign in as a browser does."""

from __future__ import annotations

from tests.accounts.conftest import clock, folder, furnished, house, loaded_once

__all__ = ["clock", "folder", "furnished", "house", "loaded_once"]
