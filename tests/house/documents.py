"""The documents of the project, and what of them is code."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("hub", "auth", "connectors", "schemas", "deploy", "tests")
DOCUMENTS = [
    *("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "DECISIONS.md", "CHANGELOG.md"),
    *("deploy/RUNBOOK.md", "deploy/demo/README.md", "schemas/README.md", "connectors/README.md"),
    *("tests/bench/README.md", "tests/chaos/README.md"),
]


def text_of(document: str) -> str:
    return (ROOT / document).read_text("utf-8")


def code_in(text: str) -> list[str]:
    """What stands between backticks, and the lines between fences, continued ones as one."""
    fenced = re.findall(r"^ *```[^\n]*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in fenced for line in block.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s+#.*", "", line) for line in lines] + [
        " ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)
    ]
