"""The page `docs/schedules.md` and its pictures, made from the guide; see `reference.py`."""

from collections.abc import Iterator
from pathlib import Path

from lrlab import guide
from lrlab.guide import Entry
from lrlab.plots import canvas, schedule_figure

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
    for family, entries in guide.FAMILIES.items():
        links = ", ".join(f"[`{entry.type}`](#{entry.type})" for entry in entries)
        lines.append(f"* {family[0].upper()}{family[1:]}: {links}")
    for entry in guide.ENTRIES.values():
        lines += ["", *section(entry)]
    return "\n".join(lines) + "\n"


def section(entry: Entry) -> Iterator[str]:
    """Yield the lines of an entry's section."""
    yield from (f"## `{entry.type}`", "", guide.description(entry), "")
    yield from (f"![The learning rate of the example](figures/schedules/{entry.type}.png)", "")
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


def draw(entry: Entry) -> None:
    """Draw the curve of an entry's example; of a closed loop the one after an invented history."""
    made, (ax,) = canvas.figure(height=1.8, width=4.8, dpi=100)
    made.subplots_adjust(left=0.13, right=0.98, bottom=0.25, top=0.95)
    schedule_figure.draw_rates(
        ax, guide.curve(entry), guide.STEPS_PER_EPOCH, **canvas.line_style(0)
    )
    ax.set_ylim(bottom=0)
    ax.set_xlabel("epoch")
    canvas.save(made, PICTURES / f"{entry.type}.png")


def stale() -> list[str]:
    """Return what is out of date: the page by its text, the pictures by which there are.

    Their bytes are not compared, since versions of matplotlib draw differently.
    """
    found = []
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        found.append(PAGE.name)
    if {path.name for path in PICTURES.iterdir()} != {f"{name}.png" for name in guide.ENTRIES}:
        found.append(f"figures/{PICTURES.name}/")
    return found


def write() -> None:
    """Write the page, and all pictures anew."""
    PAGE.write_text(page(), encoding="utf-8")
    for path in PICTURES.iterdir():
        path.unlink()
    for entry in guide.ENTRIES.values():
        draw(entry)
