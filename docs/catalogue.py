"""The page `reference/schedules.md` and its pictures, made from the guide; see `reference.py`."""

from collections.abc import Iterator
from pathlib import Path

from lrlab.plots import canvas, schedule_figure
from lrlab.report import guide
from lrlab.schedules import SCHEDULES, Schedule, registry

PAGE = Path(__file__).parent / "reference" / "schedules.md"
PICTURES = Path(__file__).parent / "figures" / "schedules"
MORE = Path(__file__).parents[1] / "configs" / "more"

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
    yield from (f"![The learning rate of the example](../figures/schedules/{name}.png)", "")
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


def draw(schedule: type[Schedule]) -> None:
    """Draw the curve of a schedule's example; for a closed loop, after an invented history."""
    with canvas.settings(None):
        made = canvas.figure(width=4.8, height=1.8)
        made.set_dpi(100)
        made.subplots_adjust(left=0.13, right=0.98, bottom=0.25, top=0.95)
        ax = made.subplots()
        canvas.plain(ax)
        schedule_figure.draw_rates(
            ax, guide.curve(schedule), guide.STEPS_PER_EPOCH, **canvas.line_style(0)
        )
        ax.set_ylim(bottom=0)
        ax.set_xlabel("epoch")
    canvas.save(made, PICTURES / f"{schedule.named()}.png", canvas.WIDTH)


def stale() -> list[str]:
    """Return what is out of date: the page if its text differs, the pictures if any is missing.

    Bytes of pictures are not compared, since versions of matplotlib draw differently.
    """
    found = []
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        found.append(PAGE.name)
    if {path.name for path in PICTURES.iterdir()} != {f"{name}.png" for name in SCHEDULES}:
        found.append(f"figures/{PICTURES.name}/")
    if {path.name: path.read_text(encoding="utf-8") for path in MORE.iterdir()} != examples():
        found.append(f"configs/{MORE.name}/")
    return found


def examples() -> dict[str, str]:
    """Return the files of `configs/more/`: each example that is not one of `configs/` itself."""
    every = {f"{name}.yaml": model.entry.example for name, model in SCHEDULES.items()}
    return {name: text for name, text in every.items() if not (MORE.parent / name).exists()}


def write() -> None:
    """Write the page and the examples, and draw all pictures."""
    for path in MORE.iterdir():
        path.unlink()
    for name, text in examples().items():
        (MORE / name).write_text(text, encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    for path in PICTURES.iterdir():
        path.unlink()
    for schedule in SCHEDULES.values():
        draw(schedule)
