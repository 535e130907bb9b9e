"""The Dockerfile: by a linter, by what it promises, and its build stage by building the wheel."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
if not (ROOT / "Dockerfile").is_file():
    pytest.skip("no Dockerfile beside the tests: run them in a checkout", allow_module_level=True)

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
JOINED = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE))
STEPS = [tuple(line.split(maxsplit=1)) for line in JOINED.splitlines() if line.strip()]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def given(word: str) -> list[str]:
    return [rest for step, rest in STEPS if step == word]


def copied() -> list[str]:
    """Return what is copied from the checkout."""
    return [name for rest in given("COPY") if "--from" not in rest for name in rest.split()[:-1]]


def test_a_linter_finds_nothing():
    beside = Path(sys.executable).parent / "hadolint"
    linter = str(beside) if beside.is_file() else shutil.which("hadolint")
    if linter is None:
        pytest.skip("no hadolint here: it is in the extra `dev` on Linux")
    done = subprocess.run([linter, str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_image_runs_lrlab_without_root_and_holds_no_sources():
    first, last = given("FROM")
    assert first == f"{last} AS build"
    assert given("USER") == ["1000"]  # A number: Kubernetes' `runAsNonRoot` goes by it.
    assert any("useradd" in run and "--uid 1000" in run for run in given("RUN"))
    assert given("ENTRYPOINT") == ['["lrlab"]']
    last_stage = STEPS[STEPS.index(("FROM", last)) :]
    assert [rest for step, rest in last_stage if step == "COPY"] == ["--from=build /wheels /wheels"]


def test_it_names_the_base_image_alone():
    assert re.fullmatch(r"python:3\.\d+-slim", given("FROM")[1])
    assert "://" not in TEXT
    assert not re.search(r"index-url|trusted-host|\.(?:com|org|io)\b", TEXT)
    version = given("FROM")[1].removeprefix("python:").removesuffix("-slim")
    assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]


def test_what_is_copied_is_there_and_nothing_else_is_sent():
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n*\n")[1]
    sent = {line.removeprefix("!") for line in allowed.splitlines() if line.startswith("!")}
    assert set(copied()) == sent
    assert all((ROOT / name).exists() for name in sent)


@pytest.mark.skipif(not importlib.util.find_spec("hatchling"), reason="needs hatchling")
def test_the_wheel_is_built_from_what_is_copied(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("*.pyc"))
        else:
            shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(tmp_path), str(source)], check=True)
    (wheel,) = tmp_path.glob("lrlab-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    files = [path for path in (ROOT / "lrlab").rglob("*") if path.suffix in (".py", ".css", ".js")]
    assert {path.relative_to(ROOT).as_posix() for path in files} <= set(names)
