"""The composition root's first part: what the server and every command share. Kept apart so that a command
loads no web server and no Kafka client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auth.principal import Principal
from hub.app_erasures import erase_again, purge
from hub.app_revocations import revoke_again
from hub.domain.agency import HUB, Agency
from hub.domain.events import RULE_EVENTS, agency_stream
from hub.domain.limits import Limits
from hub.domain.policies import DEFAULTS
from hub.errors import Held, Problem
from hub.ports.clock import Clock, SystemClock
from hub.ports.erasures import ErasureJournal
from hub.ports.revocations import RevocationJournal
from hub.service.batch import BatchRunner
from hub.service.decide import Decider
from hub.service.ids import Ids
from hub.service.noted import Journals
from hub.service.registry import Registry
from hub.service.requests import OPERATOR, Command, Outcome, RecordRules, RegisterAgency, Request
from hub.service.rulebook import Rulebook
from hub.settings import Settings, make_data_folder
from hub.store.opening import open_store
from hub.store.registry import RegistryTables
from hub.store.restored import is_just_restored, settled
from hub.vault.erasures import ErasureFile
from hub.vault.master_key import MasterKeyFile
from hub.vault.revocations import RevocationFile
from hub.vault.sealer import Sealer

if TYPE_CHECKING:
    from hub.store.engines import AnyStore


PAGE: Final = 200


@dataclass(slots=True)
class Core:
    """What commands and the server share: the database, the keys, and the transaction."""

    settings: Settings
    clock: Clock
    store: AnyStore
    rows: RegistryTables
    sealer: Sealer
    ids: Ids
    runner: BatchRunner
    registry: Registry
    rulebook: Rulebook
    journal: ErasureJournal
    revocations: RevocationJournal

    def operate(self, command: Command) -> Outcome:
        """Runs one command in the hub's own name, on the caller's thread; raises its Problem."""
        operator = Principal(OPERATOR, HUB, frozenset({"agencies:write"}), "", 0.0)
        (result,), _ = self.runner.run([Request(operator, command)])
        if isinstance(result, Problem):
            raise result
        return result


@contextmanager
def open_core(
    settings: Settings,
    clock: Clock | None = None,
    *,
    migrates: bool = False,
    name: str | None = None,
    is_alone: bool = False,
) -> Iterator[Core]:
    """Database, master key and the agency `hub` exist; a restore that was cut off is finished. An older
    schema on PostgreSQL: MigrationNeeded, but for who `migrates`. `name` and `is_alone` as for `open_store`:
    until the block ends no restore and no move begins."""
    clock = clock or SystemClock()
    make_data_folder(settings)
    key_file, now = MasterKeyFile(settings.key_path), clock.now()

    def found(known: bool) -> None:
        """A lost key file must never be replaced by a new one that opens nothing."""
        key_file.load() if known else key_file.ensure(now)

    store = open_store(settings.database, found, migrates=migrates, name=name, is_alone=is_alone)
    try:
        rows, sealer, ids = RegistryTables(store), Sealer(key_file), Ids(clock)
        rulebook = Rulebook(rows, store.registry_generation)
        decider, journal = Decider(sealer, ids, rulebook, limits_of(settings)), ErasureFile(settings.key_path)
        revocations = RevocationFile(settings.key_path)
        runner = BatchRunner(store, decider, sealer, clock, journals=Journals(journal, revocations))
        registry = Registry(rows, store.registry_generation)
        core = Core(
            settings, clock, store, rows, sealer, ids, runner, registry, rulebook, journal, revocations
        )
        registry.refresh()
        if not _hub_is_registered(store):
            _register_hub(core)
            registry.refresh()
        rulebook.refresh()
        if rulebook.is_empty and not _rules_are_recorded(store):
            record_rules(core)
        if is_just_restored(store):
            _take_away_again(core)
        yield core
    finally:
        store.close()


def _take_away_again(core: Core) -> None:
    """By whichever command opens the database first after a restore, before anybody is served."""
    revoke_again(core)
    erase_again(core)
    settled(core.store)
    purge(core)


def record_rules(core: Core) -> None:
    """The official calendar as the installed library has it and, the first time, the default policies: they
    enter the log where it does not have them. Of several processes that start at once one does it."""
    from hub.service.calendars import official_calendar, source  # the library is needed here alone

    official, named = official_calendar(), source()
    for pause_s in (0.05, 0.2, 1.0, 3.0, None):
        core.rulebook.read_again()
        try:
            core.operate(RecordRules(None if core.rulebook.rows else DEFAULTS, official, named))
            break
        except Held:  # another process is doing it
            if pause_s is None:
                raise
            time.sleep(pause_s)
    core.rulebook.refresh()


def limits_of(settings: Settings) -> Limits:
    """The part of the settings that decisions ask for."""
    return Limits(
        settings.returns_limit, settings.reopenings_limit, settings.reopen_within_days, settings.ombudsman
    )


def _register_hub(core: Core) -> None:
    try:
        core.operate(RegisterAgency(Agency(HUB, "Simpul", "hub")))
    except Problem:
        if not _hub_is_registered(core.store):  # another process may just have been first
            raise


def _rules_are_recorded(store: AnyStore) -> bool:
    """By the log, for the same reason as `_hub_is_registered`."""
    after = 0
    with store.read() as session:
        while events := session.stream(agency_stream(HUB), after, PAGE):
            if any(event.fact().type in RULE_EVENTS for event in events):
                return True
            after = events[-1].sequence
    return False


def _hub_is_registered(store: AnyStore) -> bool:
    """By the log: tables may be empty that a rebuild will fill, and an event can never be taken back."""
    with store.read() as session:
        return bool(session.stream(agency_stream(HUB), 0, 1))
