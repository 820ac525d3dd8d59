"""`python -m deploy.demo.commands`: one `simpul` command after another in one interpreter, which takes longer
to start than any of them to run. A JSON list of arguments a line in; the output of each a JSON line out.
The other end is deploy/demo/interpreter.py."""

from __future__ import annotations

import contextlib
import io
import json
import sys

from hub.cli.main import main as simpul


def main() -> None:
    """Until nothing more is asked. Ends with the exit status of the first that fails; what it said is on
    standard error."""
    for line in sys.stdin:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            try:
                simpul.main(args=json.loads(line), prog_name="simpul")
            except SystemExit as end:
                if end.code:
                    raise
        print(json.dumps(said.getvalue()), flush=True)


if __name__ == "__main__":
    main()
