"""What every hub reads at its start and never changes: read before the first one is forked."""

from __future__ import annotations

from schemas.registry import Registry

Registry.load()
