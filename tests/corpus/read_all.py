"""Read every case of the corpus in one process with a limit on its memory; JSON on stdout.

Each case gives what its reader said of it (null: nothing), and how much processor time it took.
"""

import json
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

SECONDS, MEGABYTES = 5, 500


def _too_slow(*_: object) -> None:
    raise TimeoutError(f"takes more than {SECONDS} s")


def _limit_memory() -> None:
    """Let any allocation fail that goes beyond what is in use now by more than the limit."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + MEGABYTES * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> None:
    """Read all cases."""
    from corpus import cases, readers

    signal.signal(signal.SIGPROF, _too_slow)
    found = {}
    for kind in readers.READERS:  # Whatever is imported late is not the cases' memory.
        with tempfile.TemporaryDirectory() as folder:
            readers.outcome(kind, Path(folder), b"")
    _limit_memory()
    for kind, name, content in cases.all_cases():
        with tempfile.TemporaryDirectory() as folder:
            given = content()
            start = time.process_time()
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                said = readers.outcome(kind, Path(folder), given)
                said = None if said is None else said.replace(folder, "FOLDER")
                bad = None
            except BaseException:
                said, bad = None, traceback.format_exc()
            signal.setitimer(signal.ITIMER_PROF, 0)
            seconds = round(time.process_time() - start, 3)
        found[f"{kind}/{name}"] = {"said": said, "escaped": bad, "seconds": seconds}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
