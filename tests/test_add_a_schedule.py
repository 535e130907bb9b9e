"""Adding a schedule is adding one file: the one of the docs page, dropped into a copy of lrlab."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "contributing" / "add-a-schedule.md"
CONFIG = "schedule: {type: landing, initial_lr: 0.1, end_lr: 0.02}\nepochs: 4\n"
EXPECTED = 0.1 + (0.02 - 0.1) * np.minimum(np.arange(40) / 32, 1.0)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the package, its configs and documents, with one more file in `schedules/`."""
    if not PAGE.is_file():
        pytest.skip("no docs beside the tests: run them in a checkout")
    folder = tmp_path_factory.mktemp("house")
    for name in ("lrlab", "configs", "docs", "examples", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (folder / "lrlab" / "schedules" / "landing.py").write_text(code, encoding="utf-8")
    (folder / "landing.yaml").write_text(CONFIG, encoding="utf-8")
    return folder


def python(house, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=house,
        env=os.environ | {"PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_listed_and_described(house):
    listed = python(house, "-m", "lrlab", "schedules")
    assert re.search(r"^  landing +\S+ A straight line down, then level\.$", listed, re.MULTILINE)
    about = json.loads(python(house, "-m", "lrlab", "schedules", "landing", "--json"))
    assert about["family"] == "to a last rate over a given length"
    keys = [parameter["key"] for parameter in about["parameters"]]
    assert keys == ["initial_lr", "over", "end_lr", "warmup", "scale", "update", "for"]


def test_configs_know_it_alone_and_as_a_phase(house):
    script = (
        "import json, lrlab\n"
        "given = {'type': 'landing', 'initial_lr': 0.1, 'end_lr': 0.02}\n"
        "phases = {'type': 'sequence', 'phases': [given]}\n"
        "by_path = lrlab.rates('landing.yaml', 10, 4)\n"
        "print(json.dumps([lrlab.rates(s, 10, 4).tolist() for s in (given, phases)]))\n"
        "assert by_path.tolist() == lrlab.rates(given, 10, 4).tolist()\n"
    )
    alone, as_a_phase = json.loads(python(house, "-c", script))
    np.testing.assert_allclose(alone, EXPECTED, rtol=1e-12)
    np.testing.assert_allclose(as_a_phase, EXPECTED, rtol=1e-12)


@pytest.mark.parametrize("to", ["python", "keras"])
def test_it_is_exported(house, to):
    code = python(house, "-m", "lrlab", "export", "landing.yaml", "--to", to,
                  "--steps-per-epoch", "10")  # fmt: skip
    found = {"__name__": "exported"}
    exec(code, found)
    np.testing.assert_allclose(found["learning_rate"](np.arange(40)), EXPECTED, rtol=1e-12)
    if to == "keras":
        assert float(found["LearningRate"]()(16)) == np.float32(EXPECTED[16])


def test_it_is_drawn_and_documented(house):
    chart = python(house, "-m", "lrlab", "plot", "landing.yaml", "--terminal")
    assert "learning rate" in chart
    python(house, "-m", "lrlab", "plot", "landing.yaml", "--out", "drawn", "--format", "svg")
    assert (house / "drawn" / "schedules.svg").stat().st_size > 1_000
    python(house, "docs/reference.py")
    assert "\n## `landing`\n" in (house / "docs/reference/schedules.md").read_text("utf-8")
    assert "\n### `landing`\n" in (house / "docs/reference/config.md").read_text("utf-8")
    assert (house / "configs/more/landing.yaml").read_text("utf-8").startswith("# Down to a tenth")
    assert (house / "docs/figures/schedules/landing.png").stat().st_size > 1_000


def test_the_tests_find_it(house):
    python(house, "docs/reference.py")
    (house / "pytest.ini").write_text("[pytest]\npythonpath = tests\n")
    done = python(
        house, "-m", "pytest", "-q", "-p", "no:cacheprovider",
        "-k", "landing or unknown or library",
        "tests/test_guide.py", "tests/test_schedules.py", "tests/test_config.py",
        "tests/test_parity.py", "tests/test_cli.py",
    )  # fmt: skip
    assert re.search(r"[0-9]{2,} passed", done)
    assert "failed" not in done


BROKEN = {
    "no entry": ("entry: ClassVar", "entri: ClassVar", "`lrlab.schedules.landing.Landing` has no"),
    "an unknown family": ("to a last rate over a given length", "odd", "is one of `constant"),
    "the type of another": ('Literal["landing"]', 'Literal["cosine"]', "two schedules have the"),
    "a long name": ('Literal["landing"]', 'Literal["landing_on_the_moon"]', "more than 15"),
    "a field that is not the argument": ("end_lr: Rate", "last_lr: Rate", "takes `end_lr`"),
}


@pytest.mark.parametrize(("old", "new", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_room_that_is_wrong_says_so(house, old, new, message):
    room = house / "lrlab" / "schedules" / "landing.py"
    good = room.read_text(encoding="utf-8")
    try:
        room.write_text(good.replace(old, new), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", "import lrlab.schedules"],
            cwd=house, env=os.environ | {"PYTHONPATH": str(house)}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert message in done.stderr.splitlines()[-1]
    finally:
        room.write_text(good, encoding="utf-8")


def test_it_trains(house):
    python(
        house, "-m", "lrlab", "compare", "landing.yaml", "--data", "sketches",
        "--epochs", "1", "--seeds", "1", "--set", "batch_size=1000",
    )  # fmt: skip
    compared = json.loads((house / "results" / "comparison.json").read_text("utf-8"))
    (landing,) = compared["experiments"]
    assert (landing["schedule"], landing["status"]) == ("landing", "done")
