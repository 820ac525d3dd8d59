"""`python -m tests.bench.casework.stages`: intake, forwarding, acceptance and answer inside the hub, without
a socket: processor microseconds of the transaction, which masks an officer's plain words, and of a reader
that masks the others. With `--profile STEP` where one step's time goes (shares, not durations)."""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from auth.principal import Principal
from auth.scopes import DEFAULT_SCOPES
from hub.app import idle_hub
from hub.app_core import Core, open_core
from hub.domain.agency import Agency
from hub.domain.commands import Verify
from hub.service import strict_json
from hub.service.acts import ACTS
from hub.service.identities import own_values_of
from hub.service.requests import OPERATOR, Outcome, RegisterAgency, Request
from hub.service.rights import allowed_case
from hub.settings import Settings
from tests.bench.bodies import AGENCY, halves, reference
from tests.bench.casework.coordination import ANSWER, FORWARDING, LEAD, STEPS, SUPPORTS

AGENCIES: Final = (
    Agency(AGENCY, "Pemkab Kotim", "regency", "62.02"),
    Agency(LEAD, "Kementerian PU", "ministry"),
    Agency(SUPPORTS[0], "Pemprov Kalteng", "province", "62"),
    Agency(SUPPORTS[1], "Kemenhub", "ministry"),
)
OWNER, HANDLER = (Principal(OPERATOR, name, DEFAULT_SCOPES, "", 0.0) for name in (AGENCY, LEAD))
Timings = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.casework.stages", description=__doc__)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--profile", choices=("intake", *STEPS))
    parser.add_argument("--sort", default="tottime", choices=("tottime", "cumtime"))
    arguments = parser.parse_args()
    profile = cProfile.Profile(time.thread_time)
    with (
        tempfile.TemporaryDirectory(prefix="simpul-stages-") as folder,
        open_core(Settings(data_dir=Path(folder)), migrates=True) as core,
    ):
        for agency in AGENCIES:
            core.operate(RegisterAgency(agency))
        core.registry.refresh()
        timings: Timings = {}
        for number in range(arguments.rounds):
            _round(core, number, arguments.batch, timings, (arguments.profile, profile))
    if arguments.profile:
        pstats.Stats(profile).strip_dirs().sort_stats(arguments.sort).print_stats(45)
    _show(timings)


def _round(
    core: Core, number: int, size: int, timings: Timings, watched: tuple[str | None, cProfile.Profile]
) -> None:
    """One batch of cases through every step."""

    def run(step: str, requests: Sequence[Request]) -> list[Outcome]:
        step_watched = watched[0] == step and number > 0
        if step_watched:
            watched[1].enable()
        began = time.thread_time()
        results, _ = core.runner.run(requests)
        timings.setdefault(step, []).append((time.thread_time() - began) / size)
        if step_watched:
            watched[1].disable()
        outcomes = [each for each in results if isinstance(each, Outcome)]
        if len(outcomes) != size:
            raise RuntimeError(f"{step}: {next(each for each in results if not isinstance(each, Outcome))!r}")
        return outcomes

    desk = idle_hub(core).desk
    prepared = [desk.prepare(OWNER, document) for document in _documents(number, size)]
    cases = [outcome.ids[0] for outcome in run("intake", prepared)]
    run("verification", [Request(OWNER, Verify(case, "accept")) for case in cases])
    _read(core, timings, "forwarding", [(OWNER, "forward", case, None) for case in cases])
    forward = ACTS["forwarding"].command
    commands = [forward(case, "", FORWARDING, core.ids) for case in cases]
    sent = run("forwarding", [Request(OWNER, each, words=ACTS["forwarding"].texts) for each in commands])
    legs = [(outcome.ids[0], outcome.ids[1]) for outcome in sent]
    for step, body in (("acceptance", {}), ("answer", ANSWER)):
        act = ACTS[step]
        if act.texts:
            _read(core, timings, step, [(HANDLER, act.action, None, leg) for _, leg in legs])
        commands = [act.command(case, leg, body, core.ids) for case, leg in legs]
        run(step, [Request(HANDLER, each, words=act.texts) for each in commands])


def _read(
    core: Core, timings: Timings, step: str, asked: Sequence[tuple[Principal, str, str | None, str | None]]
) -> None:
    """What `Hub.mask_text` reads before a command whose words are long or hold a number, each in a session of
    its own."""
    began = time.thread_time()
    for principal, action, case_id, leg_id in asked:
        with core.store.read() as session:
            case = allowed_case(session, principal, action, case_id, leg_id)
            own_values_of(session, core.sealer, case.state)
    timings.setdefault(f"{step}: were it read before", []).append((time.thread_time() - began) / len(asked))


def _documents(number: int, size: int) -> Iterator[Any]:
    before, after = halves()
    for each in range(size):
        yield strict_json.parse(before + reference("stages", number * size + each, 0) + after)


def _show(timings: Timings) -> None:
    """Medians; the first round warms up."""
    middle = {step: statistics.median(seen[1:]) * 1e6 for step, seen in timings.items()}
    for step, seen in timings.items():
        print(f"  {step:<28} {middle[step]:>8.0f} us (best {min(seen[1:]) * 1e6:.0f})")
    three = sum(middle[step] for step in STEPS)
    print(f"  three steps / three intakes  {three / (3 * middle['intake']):>8.2f} x, the transaction alone")


if __name__ == "__main__":
    main()
