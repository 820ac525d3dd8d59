"""`simpul verify FILE`: an evidence file, checked with nothing but the hub's public keys. Neither database
nor master key is opened, and no new hub is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click

from auth.errors import KeyRefused
from auth.evidence_signing import holds, key_set
from auth.public_keys import PublicKey
from hub.cli.common import settings_of, show
from hub.cli.group import WrongUse
from hub.domain.evidence import EvidenceBroken
from hub.domain.evidence_check import Trust, verified
from hub.ports.sealing import Part
from hub.service.access import EVERY_KEY
from hub.vault.frame import locate, open_span

PUBLISHED: Final = "jwks.json"
WHAT_TO_DO: Final = (
    "Do not rely on this file as long as it does not verify; ask the hub for the case's evidence anew: "
    "GET /v1/cases/{id}/evidence, saved with `curl -o FILE`."
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--keys",
    "jwks_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The hub's JWK Set, as /.well-known/jwks.json gave it; without it this data folder's keys.",
)
@click.pass_context
def verify(ctx: click.Context, file: Path, jwks_file: Path | None) -> None:
    """Checks an evidence file. Exit 1, the first broken link and what to do if a byte of it was touched."""
    known = _keys([jwks_file]) if jwks_file else _keys_of_this_hub(settings_of(ctx).data_dir)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise EvidenceBroken(f"{file} cannot be read ({error.strerror}).") from error
    try:
        summary = verified(data, trust(known))
    except EvidenceBroken as broken:
        raise EvidenceBroken(f"{broken} {WHAT_TO_DO}") from broken
    show(summary.document())


def trust(known: Mapping[str, PublicKey]) -> Trust:
    """Verification by these keys."""
    return Trust(_holds(known), lambda sealed: list(locate(sealed)[1]), _open_part)


def _keys_of_this_hub(folder: Path) -> Mapping[str, PublicKey]:
    """The retired ones too, by which old evidence was signed."""
    files = [path for name in (EVERY_KEY, PUBLISHED) if (path := folder / name).is_file()]
    if not files:
        raise WrongUse(
            f"There are no keys to check with: {folder} holds no {PUBLISHED}. Give the hub's with --keys."
        )
    return _keys(files)


def _keys(files: list[Path]) -> dict[str, PublicKey]:
    found: dict[str, PublicKey] = {}
    for file in files:
        try:
            found |= key_set(file.read_text("utf-8"))
        except (KeyRefused, UnicodeDecodeError) as error:
            raise WrongUse(f"{file} is no key set. {error}") from error
    return found


def _holds(known: Mapping[str, PublicKey]) -> Callable[[str, str, bytes, str], bool | None]:
    def look(kid: str, purpose: str, message: bytes, signature: str) -> bool | None:
        key = known.get(kid)
        return None if key is None else holds(key, purpose, message, signature)

    return look


def _open_part(part_key: bytes, event_id: str, sealed: bytes, part: str) -> bytes:
    header, spans = locate(sealed)
    name: Part = "original" if part == "original" else "masked"
    return open_span(part_key, name, event_id, sealed, header, spans[name])
