"""The page `reference/schedules.md` and its pictures, made from the guide; see `reference.py`."""

from collections.abc import Iterator
from pathlib import Path

from lrlab import guide
from lrlab.guide import Entry
from lrlab.plots import canvas, schedule_figure

PAGE = Path(__file__).parent / "reference" / "schedules.md"
PICTURES = Path(__file__).parent / "figures" / "schedules"

INTRODUCTION = """\
# The schedules

What `lrlab schedules NAME` shows in the terminal, for every schedule and with pictures. In the
formulas, which are Python, `t` is the step, counted from 0, and durations are in steps; the tests
compare them with lrlab's own rates. Each picture shows the example below it on the reference data,
with 1,719 steps per epoch. The examples are the files of `configs/` and `configs/more/`. The
[config reference](config.md#schedules) lists every key with its default."""


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
    yield from (f"![The learning rate of the example](../figures/schedules/{entry.type}.png)", "")
    yield from ("```text", *entry.formula.splitlines(), "```", "")
    yield from ("```yaml", *entry.example.splitlines(), "```", "")
    yield from ("**Traps**", "", *(f"* {trap}" for trap in entry.traps))
    if entry.names:
        yield from ("", "| library | its name | note |", "| --- | --- | --- |")
        for given in entry.names:
            yield f"| {given.library} | `{given.name}` | {given.note} |"
    sources = [f"[{origin}]({origin.link})" if origin.link else str(origin)
               for origin in entry.origins]  # fmt: skip
    yield from ("", f"Origin: {'; '.join(sources)}.")


def draw(entry: Entry) -> None:
    """Draw the curve of an entry's example; for a closed loop, after an invented history."""
    made, (ax,) = canvas.figure(height=1.8, width=4.8, dpi=100)
    made.subplots_adjust(left=0.13, right=0.98, bottom=0.25, top=0.95)
    schedule_figure.draw_rates(
        ax, guide.curve(entry), guide.STEPS_PER_EPOCH, **canvas.line_style(0)
    )
    ax.set_ylim(bottom=0)
    ax.set_xlabel("epoch")
    canvas.save(made, PICTURES / f"{entry.type}.png")


def stale() -> list[str]:
    """Return what is out of date: the page if its text differs, the pictures if any is missing.

    Bytes of pictures are not compared, since versions of matplotlib draw differently.
    """
    found = []
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        found.append(PAGE.name)
    if {path.name for path in PICTURES.iterdir()} != {f"{name}.png" for name in guide.ENTRIES}:
        found.append(f"figures/{PICTURES.name}/")
    return found


def write() -> None:
    """Write the page and draw all pictures."""
    PAGE.write_text(page(), encoding="utf-8")
    for path in PICTURES.iterdir():
        path.unlink()
    for entry in guide.ENTRIES.values():
        draw(entry)
