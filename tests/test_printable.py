"""Text from strangers: shown as it is where it can be seen, as escapes where it cannot."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import FAILED, run, summary

from lrlab import console, errors
from lrlab.analysis import summaries
from lrlab.cli.group import print_error
from lrlab.io.printable import printable, printable_lines
from lrlab.plots import canvas, legends
from lrlab.report import tables
from lrlab.results import comparison
from lrlab.results.inspection import Finding, Inspection, Kind
from lrlab.schedules import Length

CASES = {
    "plain": ("power 0.1 ± 2", "power 0.1 ± 2"),
    "other scripts": ("学习率 скорость é", "学习率 скорость é"),
    "clear the screen": ("\x1b[2J", "\\x1b[2J"),
    "title": ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
    "C1 control": ("\x9b2J", "\\x9b2J"),
    "backspace": ("ok\x08\x08no", "ok\\x08\\x08no"),
    "carriage return": ("long\rshort", "long\\rshort"),
    "line end": ("a\nb", "a\\nb"),
    "turned around": ("gpj\u202eexe", "gpj\\u202eexe"),
    "isolated": ("\u2066a\u2069", "\\u2066a\\u2069"),
    "of no width": ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
    "line separator": ("a\u2028b", "a\\u2028b"),
    "half a character": ("\udc9b", "\\udc9b"),
    "not assigned": ("\U000e0001", "\\U000e0001"),
    "NUL": ("\0", "\\x00"),
}


@pytest.mark.parametrize(("text", "shown"), CASES.values(), ids=CASES.keys())
def test_printable(text, shown):
    assert printable(text) == shown


@given(st.text())
def test_whatever_is_shown_can_be_printed(text):
    assert printable(text).isprintable()
    assert printable_lines(text).replace("\n", "").isprintable()
    if text.isprintable():
        assert printable(text) == text


ERRORS = [
    error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, errors.LrlabError)
]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_can_be_printed(error, capsys):
    print_error(error("is `a\x1b[2J\u202e`: no\r", "do `b\x9b\n`", path=Path("c\x1b")))
    assert capsys.readouterr().err == (
        "error: `c\\x1b` is `a\\x1b[2J\\u202e`: no\\r\n\nhint: do `b\\x9b\\n`\n"
    )


def test_only_the_problems_of_configs_have_lines(capsys):
    print_error(errors.ConfigError("1\n2"))
    print_error(errors.ResultsError("1\n2"))
    assert capsys.readouterr().err == "error: 1\n2\nerror: 1\\n2\n"


def test_an_error_has_parts():
    made = errors.ResultsError("is damaged", "mend it", path=Path("a"))
    assert (made.reason, made.hint, made.path) == ("is damaged", "mend it", Path("a"))
    assert made.message == str(made) == "`a` is damaged"
    assert errors.UsageError("no").message == "no"


HOSTILE = "no \x1b[2J\x9b\n [bold]luck[/bold] :boom:"
SHOWN = "no \\x1b[2J\\x9b\\n [bold]luck[/bold] :boom:"


def unprintable(text: str) -> set[str]:
    return {character for character in text if not character.isprintable()} - {"\n"}


def test_the_console_shows_what_is_in_a_name(capsys):
    shown = replace(summary(replace(FAILED, error=HOSTILE)), data="\x1b]0;x\x07\u202e")
    console.print_comparison(summaries.compare([shown]))
    reporter = console.LiveReporter()
    reporter.warn("a\x1b[2J")
    reporter.note("b\u202e")
    console.print_written(Path("c\n"), [])
    said = capsys.readouterr()
    assert unprintable(said.out + said.err) == set()
    assert "\\x1b]0;x\\x07\\u202e" in said.out
    assert f"power: seed 0 failed: {SHOWN}\n" in said.out
    assert said.out.endswith("\nc\\n: \n")
    assert said.err == "warning: a\\x1b[2J\nb\\u202e\n"


def test_a_run_that_failed_is_told_in_printable_words(capsys):
    class Run:
        name, seed, length = "power", 0, Length(1, 1)

        def __str__(self):
            return "power seed 0"

    console.LiveReporter().finished(Run(), replace(FAILED, error=HOSTILE))
    assert capsys.readouterr().err == f"power seed 0: failed: {SHOWN}\n"


def test_what_an_inspection_finds_is_told_in_printable_words(capsys):
    finding = Finding(Path("out/a\n"), Kind.FAILED, f"failed: {HOSTILE}", "try\x1b")
    console.print_inspection(Inspection(Path("out"), {}, (finding,)))
    first, _ = capsys.readouterr().out.splitlines()
    assert first == f"a\\n: failed: {SHOWN}; try\\x1b"


def test_the_tables_to_paste_hold_nothing_that_cannot_be_seen():
    failed = replace(FAILED, error=HOSTILE)
    odd = replace(summary(run(0.5), failed), schedule="\u202e|", data="\x1b\n")
    compared = summaries.compare([odd])
    markdown, table = tables.to_markdown(compared), tables.to_csv(compared)
    assert unprintable(markdown + table) == set()
    literal = SHOWN.replace("[", "\\[").replace("]", "\\]")
    assert f"`power`: seed 1 failed: {literal}\n" in markdown
    assert "| power | \\u202e\\| |" in markdown
    assert table.splitlines()[1].startswith("power,\\u202e|,\\x1b\\n,2,failed,")


def test_json_holds_a_text_as_it_is_and_shows_no_control_character():
    compared = summaries.compare([summary(replace(FAILED, error=HOSTILE))])
    written = comparison.to_json(compared)
    assert written.isascii()
    assert unprintable(written) == set()
    assert json.loads(written)["experiments"][0]["notes"] == [f"seed 0 failed: {HOSTILE}"]


def test_a_figure_shows_what_is_in_a_name(tmp_path):
    made, ax = canvas.panel("a figure")
    ax.plot([0, 1], [0, 1], label="a\x1b$_{")
    ax.set_title("b\u202e\nc")
    legends.legend(made, ax)
    canvas.save(made, tmp_path / "x.svg")
    assert ax.get_title() == "b\\u202e\nc"
    assert [text.get_text() for text in made.legends[0].get_texts()] == ["a\\x1b$_{"]
    assert unprintable((tmp_path / "x.svg").read_text()) == set()
