"""Results with many finished runs: they are shown and checked without TensorFlow."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
EXPERIMENTS, SEEDS = 12, 3

LIST_MODULES = """
import sys
from lrlab import cli
try:
    cli.main()
finally:
    print("modules:", *sorted(sys.modules), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """Configs, data and 36 runs that were written, not trained, by the benchmark's own code."""
    if not BENCHMARKS.is_dir():
        pytest.skip("no benchmarks/ beside the tests: run them in a checkout")
    folder = tmp_path_factory.mktemp("many") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        import many_runs

        many_runs.make(folder, EXPERIMENTS, SEEDS, images=1_200)
    return folder


def in_a_process(*arguments: object) -> tuple[str, str, set[str]]:
    """Run a command; return what it printed on stdout and stderr, and the modules it loaded."""
    command = [sys.executable, "-c", LIST_MODULES, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    said, modules = done.stderr.split("modules:")
    assert done.returncode == 0, said
    return done.stdout, said, set(modules.split())


def test_comparing_finished_runs_trains_nothing_and_loads_no_tensorflow(many):
    configs = sorted(many.glob("*.yaml"))
    printed, said, modules = in_a_process(
        "compare", *configs, "--out", many / "out", "--seeds", SEEDS
    )
    assert said == ""
    rows = printed.split("\n\n")[1].splitlines()[1:]
    assert [row.split()[0] for row in rows] == [path.stem for path in configs]
    assert all(row.split()[-1] == "done" for row in rows)
    assert modules.isdisjoint({"tensorflow", "keras", "matplotlib.pyplot"})

    again, said, modules = in_a_process(
        "compare", *configs, "--out", many / "out", "--seeds", SEEDS
    )
    assert (again, said) == (printed, "")  # Nothing has changed, so nothing is drawn.
    assert modules.isdisjoint({"tensorflow", "keras", "matplotlib", "plotly"})

    printed, said, modules = in_a_process("check", many / "out")
    assert (printed, said) == ("checked 36 runs: 36 fine\n", "")
    assert modules.isdisjoint({"tensorflow", "keras", "matplotlib"})
