"""An agency that a command has just added: its first officer signs in at once."""

from __future__ import annotations

from hub.app_access import accounts
from hub.app_core import open_core
from hub.domain.agency import Agency
from hub.service.requests import RegisterAgency
from tests.accounts.conftest import PASSWORD, Browser
from tests.api.conftest import House


async def test_the_first_request_after_the_command_is_a_signing_in(house: House) -> None:
    with open_core(house.core.settings) as command:
        command.operate(RegisterAgency(Agency("dinas-baru", "Dinas Baru", "ministry")))
    with open_core(house.core.settings) as command:
        _, password = accounts(command).add("dinas-baru", "baru@dinas.go.id", "Sri Wahyuni", "liaison")
    reply = await Browser(house).sign_in("baru@dinas.go.id", password, new_password=PASSWORD)
    assert reply.status == 200, reply.text
