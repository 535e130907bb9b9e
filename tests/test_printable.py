"""Text from strangers: shown as it is where it can be seen, as escapes where it cannot."""

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_comparison import FAILED, run, summary

from lrlab import console, errors
from lrlab.io.printable import printable, printable_lines
from lrlab.report import tables
from lrlab.results import comparison
from lrlab.schedules.length import Length

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
def test_every_error_can_be_printed(error):
    made = error("`a\x1b[2J\u202e`: no\r", "do `b\x9b\n`")
    assert made.message == str(made) == "`a\\x1b[2J\\u202e`: no\\r"
    assert made.hint == "do `b\\x9b\\n`"


def test_only_the_problems_of_configs_have_lines():
    assert errors.ConfigError("1\n2").message == "1\n2"
    assert errors.ResultsError("1\n2").message == "1\\n2"


def test_the_console_shows_what_is_in_a_name(capsys):
    failed = replace(FAILED, error="no \x1b[2J\x9b [bold]luck[/bold] :boom:")
    shown = replace(summary(failed), data="\x1b]0;x\x07\u202e")
    console.print_comparison(comparison.compare([shown]))
    reporter = console.LiveReporter()
    reporter.warn("a\x1b[2J")
    reporter.note("b\u202e")
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert not {c for c in text if not c.isprintable()} - {"\n"}
    assert "\\x1b]0;x\\x07\\u202e" in said.out
    assert "no \\x1b[2J\\x9b [bold]luck[/bold] :boom:" in said.out
    assert said.err == "warning: a\\x1b[2J\nb\\u202e\n"


def test_a_run_that_failed_is_told_in_printable_words(capsys):
    class Run:
        name, seed, length = "power", 0, Length(1, 1)

    console.LiveReporter().finished(Run(), replace(FAILED, error="\x1b[2J"))
    assert capsys.readouterr().err == "power seed 0: failed: \\x1b[2J\n"


def test_the_tables_to_paste_hold_nothing_that_cannot_be_seen():
    failed = replace(FAILED, error="no \x1b[2J")
    compared = comparison.compare([summary(run(0.5), failed)])
    text = io.StringIO(tables.to_markdown(compared)).read()
    assert "no \\x1b[2J" in text
