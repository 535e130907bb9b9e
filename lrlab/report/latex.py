"""The comparison as a table of LaTeX, with booktabs, the verdict in its caption."""

import re
from collections.abc import Sequence

from lrlab.io.printable import printable
from lrlab.metric import Metric
from lrlab.report import tables, verdict
from lrlab.results.comparison import Comparison

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "±": r"$\pm$", "≥": r"$\geq$", "≤": r"$\leq$", "·": r"$\cdot$",
}  # fmt: skip

_MEASURED = re.compile(r"(-?[0-9.,]+)(?: ± ([0-9.,]+))?")


def literal(text: str) -> str:
    r"""Return a text that LaTeX sets as it stands.

    Example:
        >>> print(literal("one_cycle 50% $x"))
        one\_cycle 50\% \$x
    """
    return "".join(_SPECIAL.get(character, character) for character in printable(text))


def to_latex(comparison: Comparison, metric: Metric | None = None) -> str:
    """Return the table; the best mean of a column and who may be the best are bold."""
    decides = metric or verdict.usual(comparison)
    titles, rows = tables.table(comparison, decides)
    for title in ("seconds", f"best {comparison.metric.on('val').name}"):
        titles, rows = tables.without(title, titles, rows)
    found = verdict.of(comparison, decides)
    best = found.best_set if found and found.decided else ()
    lines = [
        "% Made by `lrlab export`. Needs \\usepackage{booktabs}.",
        "\\begin{table}",
        "  \\centering",
        f"  \\caption{{{_caption(comparison, decides)}}}",
        "  \\label{tab:schedules}",
        f"  \\begin{{tabular}}{{{''.join(map(_alignment, titles))}}}",
        "    \\toprule",
        f"    {' & '.join(map(literal, titles))} \\\\",
        "    \\midrule",
        *(f"    {_row(row, row[0][0] in best)} \\\\" for row in rows),
        "    \\bottomrule",
        "  \\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _caption(comparison: Comparison, metric: Metric) -> str:
    said = verdict.first_line(comparison, metric)
    parts = [said, tables.caption(comparison, "bold")]
    return " ".join(f"{literal(part)}." for part in parts if part)


def _alignment(title: str) -> str:
    return "l" if title in tables.TEXTS else "r"


def _row(cells: Sequence[tuple[str, bool]], may_be_best: bool) -> str:
    return " & ".join(
        _cell(text, best or (number == 0 and may_be_best))
        for number, (text, best) in enumerate(cells)
    )


def _cell(text: str, bold: bool) -> str:
    found = _MEASURED.fullmatch(text)
    if found is None:
        return f"\\textbf{{{literal(text)}}}" if bold else literal(text)
    mean = f"\\mathbf{{{found[1]}}}" if bold else found[1]
    return f"${mean} \\pm {found[2]}$" if found[2] else f"${mean}$"
