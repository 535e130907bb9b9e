"""Fuzz readers with atheris: `python tests/fuzz/run.py TARGET [libFuzzer's options]`.

Whatever is no `LrlabError`, takes over 10 seconds of processor time or too much memory is a
finding; libFuzzer writes it to `crash-*` here. Copy it into `tests/corpus/KIND/` under a name that
says what it is.
"""

import os
import signal
import sys
import tempfile
from pathlib import Path

CORPUS = Path(__file__).parents[1] / "corpus"
SECONDS = 10
BASELINE_MB = 250  # What the interpreter with NumPy and the instrumented package takes by itself.

# Every content is given to all readers of a target: most refuse what is another's at once.
TARGETS = {
    "config": ("config",),
    "idx": ("idx-images", "idx-labels", "idx-unpacked"),
    "npz": ("npz", "npy"),
    "run": ("run.json", "epochs.csv", "steps.npz"),
    "checkpoint": ("checkpoint",),
    "comparison": ("comparison.json",),
    "sweep": ("sweep.json", "sweep.csv"),
}


def main() -> None:
    """Fuzz until libFuzzer's `-max_total_time`."""
    import atheris

    target, *options = sys.argv[1:]
    sys.path.insert(0, str(CORPUS.parent))
    # Pydantic and NumPy are compiled; what is ours to mend is lrlab, and yaml decides its paths.
    with atheris.instrument_imports(include=["lrlab", "yaml"]):
        from corpus import readers

    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))

    def too_slow(*_: object) -> None:
        raise TimeoutError(f"takes more than {SECONDS} s of processor time")

    def one(content: bytes) -> None:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        for kind in TARGETS[target]:
            readers.outcome(kind, folder, content)
        signal.setitimer(signal.ITIMER_PROF, 0)

    signal.signal(signal.SIGPROF, too_slow)
    # By the clock much later: on a busy or sleeping machine that says little.
    defaults = ["-timeout=600", f"-rss_limit_mb={BASELINE_MB + 500}", "-max_len=50000"]
    seeds = [str(CORPUS / kind) for kind in TARGETS[target]]
    scratch = os.environ.get("LRLAB_FUZZ_DIR", tempfile.mkdtemp())
    atheris.Setup([sys.argv[0], *defaults, *options, scratch, *seeds], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
