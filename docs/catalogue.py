"""The page `docs/schedules.md` and its pictures, made from the guide; see `reference.py`."""

from collections.abc import Iterator
from pathlib import Path

from lrlab.plots import canvas, schedule_figure
from lrlab.report import guide
from lrlab.schedules import SCHEDULES, Schedule, registry

PAGE = Path(__file__).parent / "schedules.md"
PICTURES = Path(__file__).parent / "figures" / "schedules"

INTRODUCTION = """\
# The schedules

This page is made from the guide that `lrlab schedules` shows, by `python docs/reference.py`.

With t the step, counted from 0, and durations in steps, a formula is Python; the tests run it
against lrlab's own. A picture shows the example below it on the reference data, 1,719 steps an
epoch. The examples are files of [`configs/`](../configs) and [`configs/more/`](../configs/more).
All keys, with defaults and meaning, stand in the [README](../README.md#config-reference)."""


def page() -> str:
    """Return the page as Markdown."""
    lines = [INTRODUCTION, ""]
    for family, schedules in registry.families().items():
        links = ", ".join(f"[`{one.named()}`](#{one.named()})" for one in schedules)
        lines.append(f"* {family[0].upper()}{family[1:]}: {links}")
    for schedule in SCHEDULES.values():
        lines += ["", *section(schedule)]
    return "\n".join(lines) + "\n"


def section(schedule: type[Schedule]) -> Iterator[str]:
    """Yield the lines of a schedule's section."""
    name, entry = schedule.named(), schedule.entry
    yield from (f"## `{name}`", "", schedule.description(), "")
    yield from (f"![The learning rate of the example](figures/schedules/{name}.png)", "")
    yield from ("```text", *entry.formula.splitlines(), "```", "")
    yield from ("```yaml", *entry.example.splitlines(), "```", "")
    for trap in entry.traps:
        yield f"* {trap}"
    if entry.names:
        yield from ("", "| library | name | |", "| --- | --- | --- |")
        for given in entry.names:
            yield f"| {given.library} | `{given.name}` | {given.note} |"
    sources = [f"[{origin}]({origin.link})" if origin.link else str(origin)
               for origin in entry.origins]  # fmt: skip
    yield from ("", f"Origin: {'; '.join(sources)}.")


def draw(schedule: type[Schedule]) -> None:
    """Draw the curve of a schedule's example; for a closed loop after an invented history."""
    made, (ax,) = canvas.figure(height=1.8, width=4.8, dpi=100)
    made.subplots_adjust(left=0.13, right=0.98, bottom=0.25, top=0.95)
    schedule_figure.draw_rates(
        ax, guide.curve(schedule), guide.STEPS_PER_EPOCH, **canvas.line_style(0)
    )
    ax.set_ylim(bottom=0)
    ax.set_xlabel("epoch")
    canvas.save(made, PICTURES / f"{schedule.named()}.png")


def stale() -> list[str]:
    """Return what is out of date: the page by its text, the pictures by which there are.

    Their bytes are not compared, since versions of matplotlib draw differently.
    """
    found = []
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        found.append(PAGE.name)
    if {path.name for path in PICTURES.iterdir()} != {f"{name}.png" for name in SCHEDULES}:
        found.append(f"figures/{PICTURES.name}/")
    return found


def write() -> None:
    """Write the page, and all pictures anew."""
    PAGE.write_text(page(), encoding="utf-8")
    for path in PICTURES.iterdir():
        path.unlink()
    for schedule in SCHEDULES.values():
        draw(schedule)
