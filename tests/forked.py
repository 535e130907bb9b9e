"""Runs commands of lrlab, one forked child each: none of them has to import TensorFlow again.

    python forked.py

Reads requests as lines of JSON, a list of words each, and answers each with two: the process id as
soon as there is a child, and when it has ended `{"code": ..., "said": ...}`. TensorFlow is imported
before the fork and not used: only what has started its threads does not survive one.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path

from lrlab.io.quiet import prepare_tensorflow


class Forking:
    """A process that runs commands in children of its own, which may be killed."""

    def __init__(self) -> None:
        # Unbuffered: `ends_within` asks the pipe whether there is an answer.
        self._process = subprocess.Popen(
            [sys.executable, __file__], bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def start(self, words: list[str]) -> int:
        """Start a command; return its process id."""
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        return self._answer()

    def ends_within(self, seconds: float) -> bool:
        """Return whether the command ends within so many seconds."""
        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def wait(self) -> tuple[int, str]:
        """Wait until the command has ended; return its exit code and what it said."""
        answer = self._answer()
        return answer["code"], answer["said"]

    def _answer(self):
        line = self._process.stdout.readline()
        assert line, "the process that runs the commands has ended"
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()


def _run(words: list[str], said: int) -> None:
    """Run a command as the process that this is, and never return."""
    import lrlab.cli

    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor, of in ((0, nowhere), (1, nowhere), (2, said)):
        os.dup2(of, descriptor)
    sys.argv[1:] = words
    code = 70
    try:
        lrlab.cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stderr.flush()
        os._exit(code)


def _tell(answer) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _main() -> None:
    prepare_tensorflow()
    import keras  # noqa: F401 - for the children; TensorFlow comes with it.

    import lrlab.cli
    import lrlab.plots.comparison_figures  # noqa: F401
    from lrlab import console, experiment  # noqa: F401 - for the children.

    for line in sys.stdin:
        with tempfile.TemporaryFile() as said:
            child = os.fork()
            if not child:
                _run(json.loads(line), said.fileno())
            _tell(child)
            _, status = os.waitpid(child, 0)
            said.seek(0)
            text = said.read().decode(errors="replace")
        code = os.waitstatus_to_exitcode(status)
        _tell({"code": code, "said": text})


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parent)
    _main()
