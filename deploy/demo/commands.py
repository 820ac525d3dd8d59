"""`python -m deploy.demo.commands`: several `simpul` commands in one interpreter, which takes longer to start
than any of them to run. A JSON list of their arguments in; the output of each out as a line of JSON."""

from __future__ import annotations

import contextlib
import io
import json
import sys

from hub.cli.main import main as simpul


def main() -> None:
    """Ends with the exit status of the first that fails; what it said is on standard error."""
    for arguments in json.load(sys.stdin):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            try:
                simpul.main(args=arguments, prog_name="simpul")
            except SystemExit as end:
                if end.code:
                    raise
        print(json.dumps(said.getvalue()), flush=True)


if __name__ == "__main__":
    main()
