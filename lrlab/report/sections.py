"""The parts of the report, in words and tables: the same that the console and the files say."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lrlab import palette
from lrlab.metric import Metric
from lrlab.report import sweep_words, tables, tuning_tables, verdict
from lrlab.report.markup import Html, join, lines, tag
from lrlab.report.page import Picture, Section, definitions, paragraphs
from lrlab.report.remarks import remarks
from lrlab.results.comparison import Comparison
from lrlab.results.sweep_record import SweepRecord
from lrlab.results.tuning_record import Tuning

_MOST_NOTES = 50
_DASHES = {"-": None, "--": "6 3", ":": "1.5 3", "-.": "6 3 1.5 3"}


@dataclass(frozen=True)
class Origin:
    """How the results came about.

    Args:
        data: The name of each data set and its fingerprint.
        environments: What runs were made in, each kind once, by the name of what is recorded.
        commands: The commands that trained them, as they were typed.
    """

    data: Mapping[str, str]
    environments: Sequence[Mapping[str, str]]
    commands: Sequence[str]


def verdict_of(comparison: Comparison, metric: Metric) -> Section:
    """Return who may be the best, and how sure that is."""
    first = verdict.first_line(comparison, metric)
    lead = first or "one experiment alone: there is nothing to compare it with"
    notes = [f"{e.name}: {note}" for e in comparison.experiments for note in e.notes]
    if len(notes) > _MOST_NOTES:
        left = len(notes) - _MOST_NOTES
        notes = [*notes[:_MOST_NOTES], f"{left} more runs did not end well; the table counts them"]
    return Section(
        "verdict",
        "Verdict",
        join([
            tag("p", lead, class_="lead"),
            paragraphs(remarks(comparison, metric)),
            paragraphs([*tables.warnings(comparison), *notes], class_="warning"),
        ]),
    )  # fmt: skip


def table(comparison: Comparison, metric: Metric) -> Section:
    """Return the table of the comparison."""
    titles, rows = _verdict_first(*tables.table(comparison, metric))
    caption = tables.caption(comparison, "bold")
    return Section("table", "Table", _table(caption, titles, rows, tables.TEXTS))


def _table(caption: str, titles: Sequence[str], rows: "_Rows", words: Collection[str]) -> Html:
    """Return a table of experiments, a row each; `words` are titles of columns without numbers."""
    sides = [None if title in words else "number" for title in titles]
    head = [
        tag("th", title, scope="col", class_=side)
        for title, side in zip(titles, sides, strict=True)
    ]
    body = []
    for index, (name, *cells) in enumerate(rows):
        first = tag("th", sample(index), " ", name[0], scope="row")
        others = [
            tag("td", tag("strong", text) if best else text, class_=side)
            for side, (text, best) in zip(sides[1:], cells, strict=True)
        ]
        body.append(tag("tr", first, others))
    parts = [tag("thead", tag("tr", head)), tag("tbody", body)]
    return _scrolled(tag("table", tag("caption", caption) if caption else "", parts))


def tuning(of: Tuning, shown: Sequence[Picture]) -> Section:
    """Return each schedule at its own best rate: words, tables, and the figures of the rates."""
    metric, several = tuning_tables.decides(of), len(of.horizons) > 1
    parts: list[Html] = []
    if several:
        parts.append(_table("", *tuning_tables.budget_table(of), tuning_tables.TEXTS))
    for horizon in of.horizons:
        parts += [tag("h3", f"{horizon.epochs} epochs")] if several else []
        parts.append(tag("p", tuning_tables.first_line(horizon, metric), class_="lead"))
        parts.append(_table("", *tuning_tables.table(horizon, metric), tuning_tables.TEXTS))
        parts.append(paragraphs(tuning_tables.troubles(horizon), class_="warning"))
    parts.append(paragraphs([tuning_tables.caption(of), *tuning_tables.remarks(of)]))
    return Section("tuning", "Each at its best rate", join([parts, [p.html() for p in shown]]))


_Rows = list[list[tuple[str, bool]]]


def _verdict_first(titles: list[str], rows: _Rows) -> tuple[list[str], _Rows]:
    """Return a table with the verdict beside the names, where it is seen before one scrolls."""
    if "verdict" not in titles:
        return titles, rows
    at = titles.index("verdict")
    order = [0, at, *(i for i in range(1, len(titles)) if i != at)]
    return [titles[i] for i in order], [[row[i] for i in order] for row in rows]


def _scrolled(content: Html) -> Html:
    """Return a table that may be wider than the page, so that the keyboard can move it too."""
    return tag("div", content, class_="scrolled", tabindex="0", role="region", aria_label="Table")


def sample(index: int) -> Html:
    """Return a piece of an experiment's line, as it looks in figures; "" of those in grey."""
    if index >= palette.TOLD_APART:
        return Html("")
    color, dashes = palette.style(index)
    line = tag("line", x1="1", y1="6", x2="27", y2="6", stroke=color, stroke_width="2.5",
               stroke_dasharray=_DASHES[dashes])  # fmt: skip
    dark = "ink" if color == "#000000" else None  # Black is not to be seen on black.
    return tag("svg", line, class_=dark, viewBox="0 0 28 12", width="28", height="12",
               aria_hidden="true")  # fmt: skip


def drawn(key: str, title: str, label: str, pictures: Sequence[Picture]) -> Section:
    """Return a part that the scripts fill, with the pictures that stand there without them."""
    live = tag("div", class_="live", id=f"live-{key}", data_label=label)
    return Section(key, title, join([live, [picture.html() for picture in pictures]]))


def pictures(key: str, title: str, shown: Sequence[Picture], words: Html = Html("")) -> Section:  # noqa: B008
    """Return a part of figures that stand there as they are, with words or tables before them."""
    return Section(key, title, join([words, [picture.html() for picture in shown]]))


def configs(texts: Mapping[str, str]) -> Section:
    """Return each experiment's config as YAML, folded, with a button that copies it."""
    parts = [
        tag(
            "details",
            tag("summary", sample(index), f" {name}"),
            copied(text, f"the config {name}"),
        )
        for index, (name, text) in enumerate(texts.items())
    ]
    return Section("configs", "Configs", join(parts))


def copied(text: str, what: str) -> Html:
    """Return a text to be copied."""
    button = tag("button", "Copy", type="button", class_="copy", aria_label=f"Copy {what}")
    return tag("div", button, tag("pre", tag("code", lines(text))), class_="copied")


def origin(of: Origin, again: Sequence[tuple[str, str]]) -> Section:
    """Return data, environment and commands, and how to get the same results again.

    Args:
        of: How the results came about.
        again: What to do, a step each: words, and what is to be copied for it or "".
    """
    steps = [
        tag("li", words, copied(text, "what this step needs") if text else "")
        for words, text in again
    ]
    parts: list[Html] = [tag("ol", steps)]
    if of.data:
        marks = {name: f"SHA-256 {mark}" if mark else "" for name, mark in of.data.items()}
        parts += [tag("h3", "Data"), definitions(marks)]
    for number, environment in enumerate(of.environments, 1):
        title = "Environment" if len(of.environments) == 1 else f"Environment {number}"
        parts += [tag("h3", title), definitions(environment)]
    if of.commands:
        parts.append(tag("h3", "Commands that trained the runs"))
        parts += [copied(command, "the command") for command in of.commands]
    return Section("again", "How to repeat this", join(parts))


def advice(record: SweepRecord) -> Html:
    """Return what a sweep suggests: a table, and the lines under it."""
    summary, verified = record.summary, record.summary.verified
    said = paragraphs(list(sweep_words.lines(record)))
    if summary.steady_lr is None:
        return said
    titles = ["", "learning rate", *(["verified"] if verified else []), ""]
    rows = []
    for name, purpose in sweep_words.PURPOSES.items():
        rates = [getattr(summary, name), *([getattr(verified, name)] if verified else [])]
        cells = [tag("td", sweep_words.rate(rate), class_="number") for rate in rates]
        rows.append(tag("tr", tag("th", name, scope="row"), cells, tag("td", purpose)))
    low, high = map(sweep_words.rate, (summary.lowest_useful_lr, summary.highest_stable_lr))
    usable = tag("td", f"{low} to {high}", colspan=f"{len(titles) - 1}")
    rows.append(tag("tr", tag("th", "usable", scope="row"), usable))
    head = tag("tr", [tag("th", title, scope="col") for title in titles])
    return join([tag("table", tag("thead", head), tag("tbody", rows)), said])
