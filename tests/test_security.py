"""The page of promises: every one of them names a test, and that test is there."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "contributing" / "security.md"


def promises(text: str) -> list[tuple[str, str]]:
    """Return each promise of the page with the test that it names, an empty text without one."""
    section = text.split("\n## What lrlab promises\n")[1].split("\n## ")[0]
    found = []
    for line in section.splitlines():
        if line.startswith("* "):
            named = re.search(r": `(tests/\w+\.py::\w+)`$", line)
            found.append((line, named[1] if named else ""))
    return found


@pytest.fixture(scope="module")
def page() -> str:
    if not PAGE.is_file():
        pytest.skip("no docs/ beside the tests: run them in a checkout")
    return PAGE.read_text(encoding="utf-8")


def test_every_promise_names_a_test_that_there_is(page):
    found = promises(page)
    assert len(found) > 10
    for line, test in found:
        assert test, line
        path, name = test.split("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in functions, line


def test_a_promise_without_a_test_is_found():
    text = "\n## What lrlab promises\n* A: `tests/test_a.py::test_b`\n* Empty words\n## Else\n* C\n"
    found = [test for _, test in promises(text)]
    assert found == ["tests/test_a.py::test_b", ""]


def test_the_suite_has_passed_on_the_lowest_versions():
    """A bound that has changed asks for `.ci/lowest`, which writes down what it passed on."""
    passed_on = ROOT / ".ci" / "lowest.txt"
    if not passed_on.is_file():
        pytest.skip("no .ci/ beside the tests: run them in a checkout")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lowest = [need.replace(">=", "==") for need in project["dependencies"]]
    assert passed_on.read_text(encoding="utf-8").splitlines() == lowest, "run .ci/lowest"
