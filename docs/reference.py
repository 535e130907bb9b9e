"""Write the generated parts of the documentation: `python docs/reference.py`.

With `--check` it only says what is out of date. `reference/config.md` comes from the config models,
`reference/commands.md` from each command's `--help`, what guides show of `examples/` from there,
`reference/schedules.md` and its pictures from the guide to the schedules (see `catalogue.py`).
"""

import functools
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import catalogue
from typer.testing import CliRunner

from lrlab.cli import app
from lrlab.config.experiment import Experiment
from lrlab.fields import Model
from lrlab.report import guide
from lrlab.schedules import OpenLoop, Schedule

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "reference"
COMMANDS = [each.callback.__name__.replace("_", "-") for each in app.registered_commands]

HEAD = ["| key | default | meaning |", "| --- | --- | --- |"]
SHARED = tuple(guide.parameters(OpenLoop))


def rows(model: type[Model], *, without: tuple[guide.Parameter, ...] = ()) -> list[str]:
    """Return the table of a model's keys, required ones first; `type` and `without` left out."""
    lines = []
    for parameter in sorted(guide.parameters(model), key=lambda p: p.default != "required"):
        if parameter in without:
            continue
        default = f"`{parameter.default}`" if parameter.stated else parameter.default
        if model is Experiment and parameter.key == "name":
            default = "the file's stem"
        lines.append(f"| `{parameter.key}` | {default} | {parameter.meaning} |")
    return [*HEAD, *lines] if lines else []


def models_in(annotation: Any) -> Iterator[type[Model]]:
    """Yield the config models in a field's annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def mappings(model: type[Model]) -> Iterator[tuple[str, type[Model]]]:
    """Yield the keys whose value is a mapping of one kind, with the model of that mapping."""
    for key, field in model.keys().items():
        models = list(models_in(field.annotation))
        if len(models) == 1:
            yield key, models[0]


def kind(model: type[Model]) -> str | None:
    """Return the `type` of a member of a union, None of one for code of the user's own."""
    kinds = get_args(model.model_fields["type"].annotation)
    return str(kinds[0]) if kinds else None


def members(key: str) -> tuple[list[type[Model]], type[Model]]:
    """Return the kinds that a key of an experiment knows, and the one for the user's own code."""
    models = list(models_in(Experiment.model_fields[key].annotation))
    (own,) = [model for model in models if kind(model) is None]
    return [model for model in models if kind(model) is not None], own


def own_rows(model: type[Model]) -> list[str]:
    """Return the table of the keys for the user's own code, `type` among them."""
    kinds = model.model_fields["type"].description
    shared = tuple(SHARED) if issubclass(model, OpenLoop) else ()
    return [*HEAD, f"| `type` | required | {kinds} |", *rows(model, without=shared)[len(HEAD) :]]


def summary(model: type[Model]) -> str:
    """Return the first line of a model's docstring."""
    return (model.__doc__ or "").splitlines()[0]


def experiment_keys() -> str:
    """Return the keys of an experiment as Markdown."""
    lines = rows(Experiment)
    for key, model in mappings(Experiment):
        lines += ["", f"**`{key}`**: {summary(model)}", "", *rows(model)]
    return "\n".join(lines)


def listed(names: Sequence[str]) -> str:
    """Return two names or more as they are listed in a sentence."""
    return f"{', '.join(names[:-1])} and {names[-1]}"


def shared_keys() -> str:
    """Return the keys that the schedules share as Markdown."""
    lines = rows(OpenLoop)
    fewer = [
        f"`{kind(model)}`" for model in members("schedule")[0] if not issubclass(model, OpenLoop)
    ]
    of_all = Schedule.keys()
    taken = [f"`{parameter.key}`" for parameter in SHARED if parameter.key in of_all]
    lines += ["", f"{listed(fewer)} take only {listed(taken)}.", ""]
    for key, model in mappings(OpenLoop):
        lines += [f"**`{key}`**: {summary(model)}", "", *rows(model), ""]
    return "\n".join(lines).strip()


def schedule_keys() -> str:
    """Return the keys of each schedule, those that all share left out, as Markdown."""
    lines, shared = [], {parameter.key for parameter in SHARED}
    known, own = members("schedule")
    for model in known:
        name = kind(model)
        lines += [f"### `{name}`", "", f"{summary(model)} [Curve, formula and traps]"
                  f"(schedules.md#{name})", "", *rows(model, without=SHARED), ""]  # fmt: skip
        for key, inner in mappings(model):
            if key not in shared:
                lines += [f"**`{key}`**: {summary(inner)}", "", *rows(inner), ""]
    lines += ["### A function of your own", ""]
    lines += [f"{summary(own)} [How to write one](../guides/own-schedule.md)", "", *own_rows(own)]
    return "\n".join(lines).strip()


def optimizer_keys() -> str:
    """Return the keys of each optimizer as Markdown."""
    lines = []
    known, own = members("optimizer")
    for model in known:
        lines += [f"### `{kind(model)}`", "", summary(model), "", *rows(model), ""]
    lines += ["### An optimizer of your own", "", summary(own), "", *own_rows(own)]
    return "\n".join(lines).strip()


def help_of(*command: str) -> str:
    """Return the help of a command as Markdown, as it looks in 80 columns."""
    shown = CliRunner().invoke(app, [*command, "--help"], prog_name="lrlab").stdout
    text = "\n".join(line.rstrip() for line in shown.strip().splitlines())
    return f"```text\n{text}\n```"


def command_reference() -> str:
    """Return the help of every command as Markdown."""
    parts = [f"## `lrlab {command}`\n\n{help_of(command)}" for command in COMMANDS]
    return "\n\n".join([help_of(), *parts])


def export(to: str) -> str:
    """Return what `lrlab export` prints for one of the repository's configs, as Markdown."""
    command = ["export", "configs/exponential.yaml", *(["--to", to] if to != "python" else [])]
    shown = CliRunner().invoke(app, [command[0], str(ROOT / command[1]), *command[2:]]).stdout
    return f"```console\n$ lrlab {' '.join(command)}\n{shown}```"


def example(path: str) -> str:
    """Return a file of the examples as Markdown."""
    code = (ROOT / path).read_text(encoding="utf-8").rstrip()
    # Python in braces is shown, and not run by the tests of the pages as the other blocks are.
    fences = {".py": "``` { .python }", ".yaml": "```yaml", ".sh": "``` { .bash }"}
    fence = fences[Path(path).suffix]
    return f"{fence}\n{code}\n```"


def shown_examples(page: Path) -> dict[str, Callable[[], str]]:
    """Return the files of the examples that a page shows, by what writes each."""
    names = re.findall(r"<!-- generated: (examples/\S+) -->", page.read_text(encoding="utf-8"))
    return {name: functools.partial(example, name) for name in names}


GUIDES = {
    f"../guides/{page.name}": found
    for page in sorted((ROOT / "docs" / "guides").glob("*.md"))
    if (found := shown_examples(page))
}
GENERATED: dict[str, dict[str, Callable[[], str]]] = {
    **GUIDES,
    "../guides/keras.md": {
        "export python": lambda: export("python"),
        "export keras": lambda: export("keras"),
    },
    "config.md": {
        "experiment": experiment_keys,
        "shared keys": shared_keys,
        "schedules": schedule_keys,
        "optimizers": optimizer_keys,
    },
    "commands.md": {"commands": command_reference},
}


def generated(page: str) -> tuple[str, str]:
    """Return a page's text as it is, and with its generated parts written again."""
    before = after = (PAGES / page).read_text(encoding="utf-8")
    for name, content in GENERATED[page].items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(after):
            raise SystemExit(f"{page} has no `{begin}` ... `{end}`")
        replacement = f"{begin}\n\n{content()}\n\n{end}"
        after = pattern.sub(lambda _, text=replacement: text, after)
    return before, after


def stale() -> list[str]:
    """Return the pages and pictures that are out of date."""
    pages = [page for page in GENERATED if len(set(generated(page))) > 1]
    return pages + catalogue.stale()


def main() -> None:
    """Write everything that is generated, or with `--check` say what is out of date."""
    if "--check" in sys.argv:
        if found := stale():
            raise SystemExit(f"out of date: {', '.join(found)}; run `python docs/reference.py`")
        return
    for page in GENERATED:
        (PAGES / page).write_text(generated(page)[1], encoding="utf-8")
    catalogue.write()


if __name__ == "__main__":
    main()
