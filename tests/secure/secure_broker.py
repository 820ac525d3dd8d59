"""A real broker whose listeners speak TLS: one process, each way to sign in and each fault a listener."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

from kafka import KafkaAdminClient
from kafka.admin import UserScramCredentialUpsertion

from tests.parts import kafka
from tests.parts import kafka_container as container
from tests.parts import kafka_files as files
from tests.parts.local_server import folder_of, free_port
from tests.secure.authority import Authority, Pair, written

PASSWORD = "kata-sandi-hub-9f2c"
"""Of the user hub at HUB. Nobody may ever find it in a log."""
LISTENERS = ("PLAIN", "HUB", "AGENCY", "LOOSE", "STRANGER", "MISNAMED", "EXPIRED", "OPEN", "MUTUAL")
MODULE = "org.apache.kafka.common.security.oauthbearer"
VERIFIED = f"""\
listener.name.$name.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.$name.oauthbearer.sasl.server.callback.handler.class={MODULE}.OAuthBearerValidatorCallbackHandler
listener.name.$name.oauthbearer.sasl.jaas.config={MODULE}.OAuthBearerLoginModule required;
listener.name.$name.oauthbearer.sasl.oauthbearer.jwks.endpoint.url=$jwks
listener.name.$name.oauthbearer.sasl.oauthbearer.expected.audience=simpul-kafka
listener.name.$name.oauthbearer.sasl.oauthbearer.expected.issuer={kafka.ISSUER}
"""


class SecureBroker:
    """The running broker. `ca_file` holds the authority of every listener but STRANGER."""

    def __init__(self, node: kafka.Node) -> None:
        self.node = node
        self.ports = {name: free_port() for name in LISTENERS}
        self.ca_file = node.folder / "authority.pem"

    def at(self, listener: str) -> str:
        """host:port, by the name that is in the certificate."""
        return f"localhost:{self.ports[listener]}"

    def write(self) -> None:
        """Certificates, configuration and the formatted folder."""
        self.node.folder.mkdir()
        self.node.jwks.write_text('{"keys": []}')
        shutil.copy(files.TEMPLATES / "log4j2.properties", self.node.folder)
        here = Authority("Otoritas Sertifikat Simpul")
        written(self.node.folder, "authority.pem", here.root())
        for name, pair in _certificates(here).items():
            written(self.node.folder, f"{name.lower()}.pem", pair.both)
        self.node.properties.write_text(self._properties())
        if not container.is_usable():
            files.formatted(self.node.folder / "data", self.node.number, self.node.properties)

    def make_user(self) -> None:
        """What an operator does with `kafka-configs.sh --alter --add-config 'SCRAM-SHA-512=[password=…]'`."""
        with KafkaAdminClient(bootstrap_servers=self.at("PLAIN")) as admin:
            for mechanism in ("SCRAM-SHA-512", "SCRAM-SHA-256"):  # a user's two may not go in one request
                wanted = UserScramCredentialUpsertion("hub", mechanism, PASSWORD)
                answers = admin.alter_user_scram_credentials([wanted])
                assert not any(answers.values()), answers

    def _properties(self) -> str:
        folder = self.node.folder
        secured = [name for name in LISTENERS if name != "PLAIN"]
        values = {
            "controller": self.node.controller,
            "listeners": ",".join(f"{name}://127.0.0.1:{self.ports[name]}" for name in LISTENERS),
            "advertised": ",".join(f"{name}://{self.at(name)}" for name in LISTENERS),
            "data": folder / "data",
            "keystores": "\n".join(
                f"listener.name.{name.lower()}.ssl.keystore.location={folder / name.lower()}.pem"
                for name in secured
            ),
            "authority": self.ca_file,
            "password": PASSWORD,
            "agencies": "".join(
                Template(VERIFIED).substitute(name=name, jwks=self.node.jwks.as_uri())
                for name in ("agency", "stranger", "misnamed", "expired")
            ),
        }
        return Template((Path(__file__).with_name("broker.properties")).read_text()).substitute(values)


def _certificates(here: Authority) -> Mapping[str, Pair]:
    """By listener."""
    right = here.issue()
    wrong = {
        "STRANGER": Authority("Otoritas lain").issue(),
        "MISNAMED": here.issue(("kafka.lain.example.go.id",)),
        "EXPIRED": here.issue(days=-1),
    }
    return {name: wrong.get(name, right) for name in LISTENERS if name != "PLAIN"}


@contextlib.contextmanager
def secure_broker() -> Iterator[SecureBroker]:
    """Raises PartMissing."""
    if not container.is_usable():
        files.java()
        files.jars()
    with folder_of(None, "kafka") as folder:
        (folder / kafka.OWNER).write_text(str(os.getpid()))
        made = SecureBroker(kafka.Node(folder / "node-1", 1))
        made.write()
        try:
            made.node.start()
            made.make_user()
            yield made
        finally:
            made.node.kill()
