"""What every connector reads at its start and never changes: done before the first one is forked."""

from __future__ import annotations

from connectors.checker import shared_rules

shared_rules()
