"""Three Apache Kafka brokers from the jars that deploy/parts.sh fetched: folders, properties, commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from string import Template

from deploy.demo.cluster.layout import BROKERS, ClusterLayout
from deploy.demo.environment import clean_environment
from deploy.demo.layout import HOST
from deploy.demo.ports import CannotStart
from deploy.demo.processes import Order

VERSION = "4.3.1"
HERE = Path(__file__).parent
CLUSTER_ID = "U2ltcHVsRGVtb0NsdXN0ZQ"
FORMAT_WITHIN_S = 60.0
FORMATTED = "meta.properties"
OPTIONS = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
LOGIN = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    'username="hub" password="{0}" user_hub="{0}";'
)


def jars() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "simpul" / f"kafka-{VERSION}" / "jars"


def missing() -> list[str]:
    """What must be installed before a broker can start, a sentence each."""
    wanted = []
    if shutil.which("java") is None:
        wanted.append("Java 17 is not installed: apt-get install openjdk-17-jre-headless")
    if not (jars() / f"kafka_2.13-{VERSION}.jar").exists():
        wanted.append(
            f"Apache Kafka {VERSION} is not in {jars()}: apt-get install maven, then make run-cluster"
        )
    return wanted


def prepare(layout: ClusterLayout, password: str) -> None:
    """Writes each broker's properties, with this run's ports, and formats the folders that are new."""
    new = []
    for name in BROKERS:
        folder = layout.broker_folder(name)
        folder.mkdir(exist_ok=True, mode=0o700)
        _write_properties(layout, name, password)
        if not (folder / "data" / FORMATTED).exists():
            new.append(name)
    for name in new[:1]:
        _format(name, layout.broker_folder(name))
    for name in new[1:]:
        _copy(layout.broker_folder(new[0]) / "data", layout.broker_folder(name) / "data", name)


def order(layout: ClusterLayout, name: str) -> Order:
    folder = layout.broker_folder(name)
    allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={layout.jwks.as_uri()}"
    return Order([*_java(), allowed, "kafka.Kafka", str(folder / "broker.properties")], clean_environment())


def _java() -> list[str]:
    logs = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
    classes = jars().with_name("classes.jsa")  # the tests keep one; it halves the start
    archive = [f"-XX:SharedArchiveFile={classes}"] if classes.exists() else []
    return [shutil.which("java") or "java", *OPTIONS, *archive, logs, "-cp", f"{jars()}/*"]


def _format(name: str, folder: Path) -> None:
    tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(folder / "broker.properties")]
    ended = subprocess.run(
        [*_java(), *tool],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=FORMAT_WITHIN_S, check=False,
    )  # fmt: skip
    if ended.returncode:
        raise CannotStart(f"The folder of {name} cannot be formatted:\n  {ended.stdout.decode()[-800:]}")


def _copy(formatted: Path, data: Path, name: str) -> None:
    """A formatted folder differs by two ids alone; the tool that makes one takes a second of a processor.
    The file that says it is formatted comes last."""
    data.mkdir(exist_ok=True)
    shutil.copy(formatted / "bootstrap.checkpoint", data)
    lines = (formatted / FORMATTED).read_text("utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(("node.id=", "directory.id="))]
    directory = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
    own = [f"node.id={BROKERS.index(name) + 1}", f"directory.id={directory}", ""]
    aside = data / f"{FORMATTED}.new"
    aside.write_text("\n".join([*kept, *own]), "utf-8")
    aside.rename(data / FORMATTED)


def _write_properties(layout: ClusterLayout, name: str, password: str) -> None:
    """They hold a password: only their owner may read them."""
    number, folder = BROKERS.index(name), layout.broker_folder(name)
    controllers = layout.broker_ports("CONTROLLER")
    values = {
        "node": number + 1,
        "voters": ",".join(f"{at}@{HOST}:{port}" for at, port in enumerate(controllers, 1)),
        "hub": layout.broker_ports("HUB")[number],
        "agencies": layout.broker_ports("AGENCIES")[number],
        "controller": controllers[number],
        "login": LOGIN.format(password),
        "jwks": layout.jwks.as_uri(),
        "issuer": layout.hub_url,
        "data": folder / "data",
    }
    text = re.sub(r"(?m)^#.*\n", "", (HERE / "broker.properties").read_text("utf-8"))
    path = folder / "broker.properties"
    path.touch(mode=0o600)
    path.write_text(Template(text).substitute(values), "utf-8")
