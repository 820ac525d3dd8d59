"""The ministry's own system, as others would write it: it remembers its calls, and may refuse them."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class AgencySystem:
    """`answers` are the statuses of the next calls, then 200; a case in `of_case` has its own. `headers` go
    with what is not 200. `got` holds the events that it took, `asked` the cases of all calls."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.answers: list[int] = []
        self.of_case: dict[str, int] = {}
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        system = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                system.asked.append(event["subject"])
                status = system.answers.pop(0) if system.answers else 200
                status = system.of_case.get(event["subject"], status)
                if status == 200:
                    system.got.append(event)
                    system.tokens.append(self.headers.get("X-Token"))
                self.send_response(status)
                for name, value in system.headers.items() if status != 200 else ():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing: pytest shows what matters."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/in"
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def types(self, case_id: str) -> list[str]:
        """The short types of what came about a case, in order."""
        mine = [event["type"] for event in self.got if event["subject"] == case_id]
        return [name.removeprefix("id.simpul.").removesuffix(".v1") for name in mine]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
