"""simpul-connector receipt: a person says that the agency's own copies of an erased case are gone too."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

from connectors.config import Common
from connectors.environment import require_variables
from connectors.erased import DONE, OPEN, Erasures
from connectors.erasing import post_receipt
from connectors.errors import ReceiptTooEarly
from connectors.hub_client import HubClient
from connectors.spool import UNUSABLE, join_spool, unusable


def confirm(config: Common, case_id: str) -> str:
    """Posts the receipt, beside a connector that runs; what became of it, for the person. Raises
    ReceiptTooEarly while the connector itself may hold something of the case, HubAway, NotAllowed."""
    require_variables(config)
    path = Path(config.spool)
    try:
        spool = join_spool(path)
    except UNUSABLE as error:
        raise unusable(path, error) from error
    if spool is None:
        raise ReceiptTooEarly(f"the spool {path} is not there yet; start the connector first")
    with closing(spool):
        erasures = Erasures(spool)
        state = erasures.state(case_id)
        if state is None:
            raise ReceiptTooEarly(
                f"this connector has not heard that case {case_id} was erased (the whole id is needed); "
                "while it does not know, it may hold words of it: see that it runs"
            )
        if state == OPEN:
            raise ReceiptTooEarly(
                f"this connector is still at it for case {case_id}; see that it runs, and its log"
            )
        refused = asyncio.run(_post(config, case_id))
        erasures.settle(case_id, DONE)
    if refused:
        return f"The hub waits for no receipt of {config.agency} for this case: {refused}"
    return f"The hub has the receipt of {config.agency} for case {case_id}."


async def _post(config: Common, case_id: str) -> str:
    async with HubClient(config.hub, config.agency) as hub:
        return await post_receipt(hub, case_id)
