"""The house: what is loaded when, and one name for one thing.

The order of the wings is import-linter's to check; its contracts stand in `pyproject.toml`.
"""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from imports import imported

import lrlab

PACKAGE = Path(lrlab.__file__).parent
HEAVY = {"tensorflow", "keras", "matplotlib"}

# Third-party libraries, and the only wings that may import them, now or within a function.
HOMES = {
    "tensorflow": {"training", "tasks", "integrations"},
    "keras": {"training", "tasks", "integrations"},
    "matplotlib": {"plots"},
    "yaml": {"config", "integrations"},
    "typer": {"cli"},
    "rich": {"console"},
    "pandas": {"from_python"},
    "tensorboardX": {"integrations"},
    "mlflow": {"integrations"},
    "plotly": {"report"},
    "ray": {"experiment"},
}


def modules() -> Iterator[tuple[str, Path]]:
    """Yield each file with the wing that it belongs to."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).parts[0].removesuffix(".py"), path


def libraries(*, deferred: bool = True) -> dict[str, set[str]]:
    """Return which third-party libraries each wing imports.

    Args:
        deferred: Whether imports within functions and under TYPE_CHECKING count.
    """
    found: dict[str, set[str]] = {}
    for wing, path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        late = {id(node) for node in _deferred(tree)}
        for name, node in imported(tree):
            if deferred or id(node) not in late:
                found.setdefault(wing, set()).add(name.split(".")[0])
    return {wing: names - sys.stdlib_module_names - {"lrlab"} for wing, names in found.items()}


def _deferred(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        typing = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if typing or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from ast.walk(node)


@pytest.mark.parametrize("library", sorted(HOMES))
def test_library_is_imported_only_at_home(library):
    users = {wing for wing, names in libraries().items() if library in names}
    assert users
    assert users <= HOMES[library]


def test_heavy_libraries_are_imported_late():
    early = {wing: names & HEAVY for wing, names in libraries(deferred=False).items()}
    users = {wing for wing, names in early.items() if names}
    assert users == {"training", "integrations"}


def test_no_other_libraries():
    used = set().union(*libraries().values())
    assert used == {*HOMES, "numpy", "pydantic", "pydantic_core"}


COMMANDS = {
    "help": (["--help"], 0),
    "config error": (["compare", "broken.yaml"], 2),
    "preview": (["plot", "good.yaml", "--terminal"], 0),
    "schedules": (["schedules", "cosine"], 0),
    "check": (["check", "results"], 0),
}


@pytest.mark.parametrize("case", sorted(COMMANDS))
def test_commands_that_train_nothing_load_neither_tensorflow_nor_keras(case, tmp_path):
    arguments, code = COMMANDS[case]
    (tmp_path / "good.yaml").write_text("schedule: {type: constant, lr: 0.1}\n")
    (tmp_path / "broken.yaml").write_text("schedule: {type: constant}\n")
    (tmp_path / "results" / "runs").mkdir(parents=True)
    script = (
        "import sys\n"
        "from lrlab import cli\n"
        "try:\n"
        "    cli.main()\n"
        "finally:\n"
        "    print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    loaded = set(done.stderr.splitlines()[-1].split())
    assert done.returncode == code, done.stderr
    assert not loaded & HEAVY
    if case == "help":
        assert not loaded & {"numpy", "pydantic", "yaml"}


def test_file_names_say_what_is_in_them_and_are_used_once():
    stems = Counter(path.stem for _, path in modules() if not path.stem.startswith("__"))
    assert not stems.keys() & {"util", "utils", "helper", "helpers", "base", "manager", "misc"}
    assert [stem for stem, count in stems.items() if count > 1] == []


def test_every_wing_says_what_it_owns():
    for _, path in modules():
        if path.name == "__init__.py":
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


# --- names ---


def test_public_surface():
    classes = ["KerasLoop", "KerasMomentum", "KerasSchedule", "LrlabError"]
    assert sorted(lrlab.__all__) == [
        *classes,
        "__version__",
        "best_set",
        "compare",
        "find_lr",
        "load",
        "load_results",
        "predicted_scale",
        "rates",
        "suggest",
        "tune",
    ]
    assert dir(lrlab) == sorted(lrlab.__all__)
    assert all(getattr(lrlab, name) is not None for name in lrlab.__all__)


def test_unknown_name_of_the_package():
    with pytest.raises(AttributeError, match="module `lrlab` has no attribute `nothing`"):
        lrlab.nothing  # noqa: B018
