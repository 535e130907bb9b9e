"""Write what is generated of the documents: `python docs/reference.py` (`--check` only compares).

In README.md it is the config reference, from the config models, and the commands' help, from the
commands; `schedules.md` and its pictures come from the guide.
"""

import re
import sys
from pathlib import Path
from typing import get_args

import catalogue
from typer.testing import CliRunner

from lrlab import guide
from lrlab.cli import app
from lrlab.config.experiment import Experiment
from lrlab.fields import Model

README = Path(__file__).parent.parent / "README.md"
COMMANDS = ("find-lr", "compare", "plot", "check", "schedules", "export")


def members(field: str) -> list[type[Model]]:
    """Return the models that the tagged union of an experiment's field consists of."""
    return list(get_args(Experiment.model_fields[field].annotation))


def table(model: type[Model]) -> list[str]:
    """Return the table of a model's keys, `type` left out."""
    lines = ["| key | default | meaning |", "| --- | --- | --- |"]
    for parameter in guide.parameters(model):
        default = f"`{parameter.default}`" if parameter.stated else parameter.default
        if model is Experiment and parameter.key == "name":
            default = "the file's stem"
        lines.append(f"| `{parameter.key}` | {default} | {parameter.meaning} |")
    return lines


def config_reference() -> str:
    """Return the config reference as Markdown."""
    lines = ["An experiment:", "", *table(Experiment), ""]
    for title, field in (("Schedules", "schedule"), ("Optimizers", "optimizer")):
        lines += [f"#### {title}", ""]
        for model in members(field):
            kind = get_args(model.model_fields["type"].annotation)[0]
            lines += [f"`type: {kind}`: {(model.__doc__ or '').splitlines()[0]}", ""]
            rows = table(model)
            lines += [*rows, ""] if len(rows) > 2 else []
    return "\n".join(lines).strip()


def command_reference() -> str:
    """Return the help of every command as Markdown."""
    parts = []
    for command in COMMANDS:
        result = CliRunner().invoke(
            app, [command, "--help"], env={"COLUMNS": "100", "TERMINAL_WIDTH": "100"}
        )
        text = "\n".join(line.rstrip() for line in result.stdout.strip().splitlines())
        parts.append(f"```text\n{text.replace('Usage: root', 'Usage: lrlab')}\n```")
    return "\n\n".join(parts)


def generated(text: str) -> str:
    """Return the README's text with its generated parts made anew."""
    for name, content in (("config", config_reference()), ("commands", command_reference())):
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"README.md has no `{begin}` ... `{end}`")
        replacement = f"{begin}\n{content}\n{end}"
        text = pattern.sub(lambda _, r=replacement: r, text)
    return text


def main() -> None:
    """Write everything that is generated, or with `--check` say what is out of date."""
    before = README.read_text(encoding="utf-8")
    after = generated(before)
    if "--check" in sys.argv:
        stale = ["README.md"] * (before != after) + catalogue.stale()
        if stale:
            raise SystemExit(f"out of date: {', '.join(stale)}; run `python docs/reference.py`")
        return
    README.write_text(after, encoding="utf-8")
    catalogue.write()


if __name__ == "__main__":
    main()
