"""`report.html`: what it says and holds; what it does in a browser is in test_report_browser.py."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import reports
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from typer.testing import CliRunner

from lrlab import config, experiment
from lrlab.cli import app
from lrlab.experiment import reporting
from lrlab.io import pictures
from lrlab.io.printable import printable
from lrlab.report import curve_data, page, rate_code, tables, verdict
from lrlab.report.markup import Html, tag
from lrlab.results import comparison, inspection, sweep_record
from lrlab.results.inspection import Kind

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`&\u202e\u2066x\x1b[2J"
MOST_BYTES = 6_000_000


class Parsed(HTMLParser):
    """What a page holds: its elements with their attributes, and the text of each kind."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br", "input"):
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        for each in self._open:
            self.texts[each][-1] += data

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """A results directory with a comparison, a sweep of `find-lr`, and the report of both."""
    folder = tmp_path_factory.mktemp("report") / "results"
    reports.shown(folder)
    return folder


@pytest.fixture(scope="module")
def text(out) -> str:
    return (out / reporting.FILE).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def parsed(text) -> Parsed:
    return Parsed(text)


# --- what it holds ---


def test_it_says_what_console_and_tables_say(out, parsed):
    made = comparison.read(out)
    metric = verdict.usual(made)
    (main,) = parsed.texts["main"]
    assert verdict.first_line(made, metric) in main
    assert tables.caption(made, "bold") in main
    titles, rows = tables.table(made, metric)
    assert set(titles) <= set(parsed.texts["th"])
    cells = {text for row in rows for text, _ in row[1:]}
    assert cells <= set(parsed.texts["td"])
    assert "lost: seed 0 diverged at step 709, learning rate 5" in main
    assert "steady_lr" in main


def test_it_says_where_it_is_from_and_how_to_repeat_it(parsed):
    (main,) = parsed.texts["main"]
    for said in ("SHA-256 f00d", "A <b>processor</b>", "lrlab compare *.yaml"):
        assert said in main
    assert "lrlab compare steady.yaml wave.yaml halved.yaml lost.yaml --seeds 3" in main


def test_its_parts_are_in_reading_order(parsed):
    titles = ["Verdict", "Table", "Curves", "Final results", "Sweep", "Configs"]
    assert parsed.texts["h2"] == [*titles, "How to repeat this"]


def test_its_configs_are_configs(out, parsed):
    for e, text in zip(comparison.read(out).experiments, parsed.texts["code"], strict=False):
        read = config.parse(text).experiment
        assert (read.name, read.schedule.type) == (e.name, e.schedule)


def test_it_has_labels_for_who_does_not_see_it(parsed):
    assert all(image["alt"] for image in parsed.of("img"))
    assert len(parsed.of("img")) == 4
    headers = parsed.of("th")
    assert all(header["scope"] in ("col", "row") for header in headers)
    assert parsed.of("html") == [{"lang": "en"}]
    assert all(button.get("aria-label") for button in parsed.of("button"))
    keys = {section["id"] for section in parsed.of("section")}
    assert {link["href"] for link in parsed.of("a")} == {f"#{key}" for key in keys}


def test_it_is_small_and_the_same_again(out, text):
    assert len(text.encode()) < MOST_BYTES
    assert reporting.write_again(out).read_text(encoding="utf-8") == text


def test_nothing_is_allowed_but_its_own_scripts(text, parsed):
    (policy,) = [m["content"] for m in parsed.of("meta") if "http-equiv" in m]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == "'none'"
    scripts = [text for text, of in zip(parsed.texts["script"], parsed.of("script"), strict=True)
               if "type" not in of]  # fmt: skip
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    assert rules.pop("script-src") == " ".join(f"'sha256-{each}'" for each in hashes)
    assert rules.pop("style-src") == "'unsafe-inline'"
    assert rules.pop("img-src") == "data: blob:"
    assert set(rules.values()) == {"'none'"}
    head = text[: text.index("</head>")]
    assert head.index("Content-Security-Policy") < head.index("<style")


def test_it_asks_for_nothing(text, parsed):
    for name, attributes in parsed.elements:
        for key in ("src", "srcset", "action", "data", "poster", "background"):
            assert attributes.get(key, "data:").startswith("data:"), name
        assert attributes.get("href", "#").startswith("#")
        assert not any(key.startswith("on") for key in attributes)
    assert not any("url(" in style or "@import" in style for style in parsed.texts["style"])


def test_its_metric_is_the_one_that_decides(tmp_path):
    made = reports.written(tmp_path / "results")
    by_loss = verdict.metric_of("val_loss")
    experiment.save(made, tmp_path / "results", by_loss)
    experiment.present(tmp_path / "results", made, {}, metric=by_loss)
    text = (tmp_path / "results" / reporting.FILE).read_text()
    assert "leads with val loss" in text or "is the best (val loss" in text
    assert reporting.write_again(tmp_path / "results").read_text() == text


# --- hostile text ---


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    """The report of a directory in which every free text is hostile."""
    folder = tmp_path_factory.mktemp("hostile") / "results"
    made = reports.written(folder, data=HOSTILE, names=("steady", "wave"))
    record = reports.swept(loss=HOSTILE)
    sweep_record.write(folder, record)
    experiment.present(folder, made, {})
    return folder / reporting.FILE


def test_hostile_text_is_text(hostile):
    text = hostile.read_text(encoding="utf-8")
    parsed = Parsed(text)
    assert len(parsed.of("script")) == 3
    assert not any("src" in script for script in parsed.of("script"))
    assert all(image["src"].startswith("data:image/") for image in parsed.of("img"))
    (seen,) = parsed.texts["body"]
    seen = seen[: seen.index(parsed.texts["script"][1])]  # Plotly's own text has other characters.
    assert seen.replace("\n", "").isprintable()
    assert printable(HOSTILE) in seen
    data = json.loads(parsed.texts["script"][0])
    assert data["sweeps"][0]["loss"] == printable(HOSTILE)


def test_only_what_is_made_as_html_is_html():
    assert tag("p", "<b>", Html("<b>"), title='"><script>') == (
        '<p title="&quot;&gt;&lt;script&gt;">&lt;b&gt;<b></p>'
    )
    assert tag("p", "\u202e") == "<p>\\u202e</p>"
    assert page._data({"a": "</script><!--&"}) == ('{"a":"\\u003c/script\\u003e\\u003c!--\\u0026"}')


# --- numbers ---


def decoded(code: str, steps: int) -> np.ndarray:
    """What `rates.js` reads, written once more: the bits of each rate."""
    numbers, group, shift = [], 0, 0
    for byte in base64.b64decode(code):
        group |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(group)
            group = shift = 0
    bends = [0] * steps
    at = -1
    for gap, folded in zip(numbers[0::2], numbers[1::2], strict=True):
        at += gap + 1
        bends[at] = (folded >> 1) ^ -(folded & 1)
    slope = value = 0
    bits = []
    for bend in bends:
        slope = (slope + bend) % 2**32
        value = (value + slope) % 2**32
        bits.append(value)
    return np.array(bits, np.uint32)


@given(arrays.arrays(np.float32, st.integers(0, 40), elements=st.floats(width=32)))
def test_coded_rates_lose_no_bit(values):
    read = decoded(rate_code.encode(values), len(values))
    np.testing.assert_array_equal(read, values.view(np.uint32))


@pytest.mark.parametrize(("name", "most"), [("steady", 20), ("wave", 25_000), ("halved", 60)])
def test_coded_rates_are_short(name, most):
    values = reports.rates(name, 0).astype(np.float32)
    code = rate_code.encode(values)
    assert len(code) <= most
    np.testing.assert_array_equal(decoded(code, len(values)), values.view(np.uint32))


def test_rates_beyond_their_room_are_the_extremes_of_columns(monkeypatch, out):
    monkeypatch.setattr(page, "MOST_BYTES", 0)
    monkeypatch.setattr(curve_data, "_LEAST_CODE", 9_000)
    reporting.write_again(out)
    text = (out / reporting.FILE).read_text()
    data = json.loads(Parsed(text).texts["script"][0])
    kept = {e["name"]: e["rates"][0] for e in data["comparison"]["experiments"]}
    assert "code" in kept["steady"]
    assert "code" not in kept["wave"]
    lr = reports.rates("wave", 0)
    assert max(kept["wave"]["values"]) == pytest.approx(lr.max(), rel=1e-5)


def test_long_runs_are_thinned_and_that_is_known(monkeypatch, out):
    monkeypatch.setattr(curve_data, "MOST_EPOCHS", 5)
    monkeypatch.setattr(curve_data, "MOST_VALUES", 50)
    reporting.write_again(out)
    data = json.loads(Parsed((out / reporting.FILE).read_text()).texts["script"][0])
    (steady, *_) = data["comparison"]["experiments"]
    assert (steady["epochs"][0], steady["epochs"][-1]) == (1, reports.EPOCHS)
    assert len(steady["epochs"]) == len(steady["series"]["val_loss"]["mean"]) == 5
    assert not steady["allEpochs"]
    assert len(steady["series"]["loss"]["runs"]) == data["comparison"]["seedsDrawn"] == 1


# --- files and commands ---


def test_the_report_is_signed_and_any_change_is_noticed(out):
    reporting.write_again(out)
    path = out / reporting.FILE
    assert pictures.check(path)
    assert path not in [finding.path for finding in inspection.inspect(out).findings]
    content = path.read_bytes()
    path.write_bytes(content.replace(b"one_cycle", b"one-cycle", 1))
    (finding,) = [each for each in inspection.inspect(out).findings if each.path == path]
    assert finding.kind is Kind.DAMAGED
    path.write_bytes(content)


def test_the_command_writes_it_again(out):
    path = out / reporting.FILE
    path.unlink()
    done = CliRunner().invoke(app, ["report", str(out)])
    assert (done.exit_code, done.stdout) == (0, f"{path}\n")
    assert pictures.check(path)


def test_the_command_reports_a_sweep_alone(tmp_path):
    sweep_record.write(tmp_path, reports.swept())
    assert CliRunner().invoke(app, ["report", str(tmp_path)]).exit_code == 0
    (main,) = Parsed((tmp_path / reporting.FILE).read_text()).texts["main"]
    assert "lrlab find-lr CONFIG.yaml --seeds 2 --steps 300 --min-lr 1e-06 --max-lr 10" in main


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda out: out.mkdir(), "is not a results directory"),
        (lambda out: (out / "runs").mkdir(parents=True), "holds none of `comparison.json`"),
        (lambda out: None, "is not a directory"),
    ],
)
def test_a_directory_without_results_is_refused(made, said, tmp_path):
    made(tmp_path / "results")
    done = CliRunner().invoke(app, ["report", str(tmp_path / "results")])
    assert done.exit_code == 3
    assert said in done.stderr
    assert not list(tmp_path.rglob("*.html"))


def test_a_sweep_that_is_damaged_is_said_to_be(tmp_path):
    out = tmp_path / "results"
    made = reports.written(out, names=("steady", "wave"))
    sweep_record.write(out / "find-lr", reports.swept())
    (out / "find-lr" / "sweep.csv").write_text("nothing")
    experiment.present(out, made, {})
    (main,) = Parsed((out / reporting.FILE).read_text()).texts["main"]
    assert re.search(r"sweep\.csv.* cannot be read: its checksum is not the one", main)
