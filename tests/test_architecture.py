"""The house: who may import whom, and one name for one thing."""

import ast
import functools
import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

import lrlab
from lrlab.config import Schedule

PACKAGE = Path(lrlab.__file__).parent
DESIGN = Path(__file__).parents[1] / "docs" / "design.md"

HOMES = {
    "tensorflow": {"training"},
    "keras": {"training", "data", "models", "nadam", "keras_schedule", "keras_callbacks"},
    "matplotlib": {"plots"},
    "pydantic": {"config"},
    "pydantic_core": {"config"},
    "yaml": {"config"},
    "typer": {"cli"},
    "rich": {"console"},
}
HEAVY = {"tensorflow", "keras", "matplotlib"}
NUMPY_FREE = {
    "printable",
    "errors",
    "intake",
    "schema",
    "quiet",
    "config",
    "performance",
    "models",
    "nadam",
    "cli",
}


def modules() -> Iterator[tuple[str, Path]]:
    """Yield each file with the module it belongs to; a folder counts as one module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.parent != PACKAGE or not path.stem.startswith("__"):
            yield path.relative_to(PACKAGE).parts[0].removesuffix(".py"), path


def imported(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the full name of everything that is imported anywhere in a tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


@functools.cache
def imports(*, deferred: bool = True) -> dict[str, set[str]]:
    """Return what each module imports, as `numpy` or `lrlab.config`.

    Args:
        deferred: Whether imports within functions and under TYPE_CHECKING count.
    """
    found: dict[str, set[str]] = {}
    for module, path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        late = {id(node) for node in _deferred(tree)}
        for name, node in imported(tree):
            if deferred or id(node) not in late:
                parts = name.split(".")
                top = ".".join(parts[:2]) if parts[0] == "lrlab" else parts[0]
                found.setdefault(module, set()).add(top)
    return found


def _deferred(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        typing = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if typing or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from ast.walk(node)


def house(*, deferred: bool = True) -> dict[str, set[str]]:
    """Return which of lrlab's modules each module imports."""
    known = {module for module, _ in modules()}
    return {
        module: {name.removeprefix("lrlab.") for name in names if name.startswith("lrlab.")}
        & known - {module}
        for module, names in imports(deferred=deferred).items()
    }


class Row(NamedTuple):
    """What a module may import: at module level, and within functions."""

    early: set[str]
    late: set[str]


def table(text: str) -> dict[str, Row]:
    """Return the import table of a design page: a row a module, its third cell what it may import.

    In that cell `-` is nothing, `all above` the modules of the rows above, `(x lazily)` what is
    imported within functions only, and `the rest inside commands` everything else likewise.
    """
    found: dict[str, Row] = {}
    for module, cell in re.findall(r"^\|\s*`(\w+)`\s*\|[^|]*\|([^|]*)\|", text, re.MULTILINE):
        above = set(found)
        lazy = set(re.findall(r"(\w+)`? lazily", cell))
        names = set(re.findall(r"\w+", re.sub(r"\(.*?\)|;.*", "", cell)))
        named = above if names == {"all", "above"} else names
        found[module] = Row(named - lazy, above if "the rest inside" in cell else named | lazy)
    return found


@pytest.fixture(scope="module")
def allowed() -> dict[str, Row]:
    if not DESIGN.is_file():
        pytest.skip("no docs/design.md beside the tests: run them in a checkout")
    return table(DESIGN.read_text(encoding="utf-8"))


def test_table_of_a_design_page():
    page = """
| module | owns | may import from lrlab | third party |
|---|---|---|---|
| `errors` | failures | - | - |
| `config` | models | `errors` | pydantic |
| `runs` | files | errors, config | numpy |
| `experiment` | the work | all above (`runs` lazily) | numpy |
| `cli` | parse | errors; the rest inside commands | typer |
"""
    assert table(page) == {
        "errors": Row(set(), set()),
        "config": Row({"errors"}, {"errors"}),
        "runs": Row({"errors", "config"}, {"errors", "config"}),
        "experiment": Row({"errors", "config"}, {"errors", "config", "runs"}),
        "cli": Row({"errors"}, {"errors", "config", "runs", "experiment"}),
    }


@pytest.mark.parametrize("module", sorted({module for module, _ in modules()}))
def test_imports_follow_the_table(allowed, module):
    assert module in allowed, "a module without a row in the table of docs/design.md"
    assert house(deferred=False).get(module, set()) <= allowed[module].early
    assert house().get(module, set()) <= allowed[module].late


def test_table_names_the_modules_that_there_are_and_runs_downward(allowed):
    assert set(allowed) == {module for module, _ in modules()}
    above: set[str] = set()
    for module, row in allowed.items():
        assert row.early | row.late <= above, module
        above.add(module)


def test_no_modules_import_each_other():
    order = list(TopologicalSorter(house()).static_order())
    assert order.index("errors") < order.index("config") < order.index("experiment")


def test_cli_imports_only_errors_until_a_command_runs():
    assert house(deferred=False)["cli"] == {"errors"}


@pytest.mark.parametrize("library", sorted(HOMES))
def test_library_is_imported_only_at_home(library):
    users = {module for module, names in imports().items() if library in names}
    assert users
    assert users <= HOMES[library]


def test_heavy_libraries_are_imported_late():
    early = {module: names & HEAVY for module, names in imports(deferred=False).items()}
    users = {module for module, names in early.items() if names}
    assert users == {"training", "keras_schedule", "keras_callbacks"}
    assert early["training"] == {"tensorflow", "keras"}


def test_numpy_is_not_imported_where_help_and_errors_are_made():
    users = {module for module, names in imports(deferred=False).items() if "numpy" in names}
    assert users
    assert not users & NUMPY_FREE


def test_no_other_libraries():
    used = set().union(*imports().values())
    others = {name for name in used if not name.startswith("lrlab")} - sys.stdlib_module_names
    assert others == {*HOMES, "numpy"}


def test_module_names_say_what_is_in_them():
    stems = {path.stem for _, path in modules()} | {path.parent.name for _, path in modules()}
    assert not stems & {"util", "utils", "helper", "helpers", "base", "manager", "misc", "common"}


# --- names ---


def test_public_surface():
    classes = ["KerasLoop", "KerasMomentum", "KerasSchedule", "LrlabError"]
    assert sorted(lrlab.__all__) == [*classes, "__version__", "find_lr", "load", "rates", "suggest"]
    assert dir(lrlab) == sorted(lrlab.__all__)
    assert all(getattr(lrlab, name) is not None for name in lrlab.__all__)


def test_unknown_name_of_the_package():
    with pytest.raises(AttributeError, match="module `lrlab` has no attribute `nothing`"):
        lrlab.nothing  # noqa: B018


MODELS = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in get_args(get_args(Schedule)[0])
}


OWN = {"type", "update", "warmup", "momentum", "for_"}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_field_is_described(name):
    for key, field in MODELS[name].model_fields.items():
        assert field.description or key == "type"
