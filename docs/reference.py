"""Write the generated parts of README.md: `python docs/reference.py` (`--check` only compares).

They are the config reference, from the config models, and the commands' help, from the commands.
"""

import re
import sys
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from typer.testing import CliRunner

from lrlab.cli import app
from lrlab.config.durations import Duration
from lrlab.config.experiment import Experiment

README = Path(__file__).parent.parent / "README.md"
COMMANDS = ("find-lr", "compare", "plot", "check", "export")


def members(field: str) -> list[type[BaseModel]]:
    """Return the models that the tagged union of an experiment's field consists of."""
    return list(get_args(Experiment.model_fields[field].annotation))


def table(model: type[BaseModel]) -> list[str]:
    """Return the table of a model's keys, `type` left out."""
    lines = ["| key | default | meaning |", "| --- | --- | --- |"]
    for name, field in model.keys().items():
        if name != "type":
            default = "the file's stem" if name == "name" else _default(field)
            lines.append(f"| `{name}` | {default} | {field.description} |")
    return lines


def _default(field: Any) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None:
        return "none"
    if isinstance(field.default, BaseModel):
        return f"`{_inline(field.default)}`"
    if isinstance(field.default, Duration):
        return f"`{field.default}`"
    value = field.default
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _inline(model: BaseModel) -> str:
    stated = model.model_dump(exclude_defaults=True)
    return "{" + ", ".join(f"{key}: {value}" for key, value in stated.items()) + "}"


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


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8")
    after = generated(before)
    if "--check" in sys.argv and before != after:
        raise SystemExit("README.md is out of date: run `python docs/reference.py`")
    README.write_text(after, encoding="utf-8")
