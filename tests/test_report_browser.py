"""`report.html` in a headless Chromium: what it draws, says and does; it asks for nothing."""

import time
from pathlib import Path

import browser
import numpy as np
import pytest
import reports
import test_report

from lrlab import experiment
from lrlab.experiment import reporting
from lrlab.palette import PALETTE

if browser.found() is None:
    pytest.skip(f"none of {', '.join(browser.NAMES)} is installed", allow_module_level=True)

hostile = test_report.hostile
ENTER, TAB, SHIFT = 13, 9, 8


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shown") / "results"
    reports.shown(folder)
    return folder


@pytest.fixture(scope="module")
def chromium():
    with browser.opened(browser.found()) as found:
        yield found


@pytest.fixture(scope="module")
def opened(chromium, out):
    chromium.open(out / reporting.FILE)
    return chromium


@pytest.fixture
def page(opened):
    """The report, as the test before has left it; by the end nothing was complained of."""
    yield opened
    assert opened.complaints() == []
    assert opened.requests() == []


@pytest.fixture
def fresh(page, out):
    """The report, opened again."""
    page.open(out / reporting.FILE)
    return page


CHART = "document.querySelector('#live-curves .chart')"


def lines(page, what: str) -> list:
    """A property of each line in the curves' chart that has a name."""
    return page.run(f"{CHART}.data.filter((t) => t.name).map((t) => t.{what})")


def choose(page, label: str, value: str) -> None:
    """Choose a value of the controls that a label names; tick a box or take its tick away."""
    page.run(
        "for (const label of document.querySelectorAll('label')) {"
        " const names = [label.firstChild, label].map((each) => each.textContent.trim());"
        f" if (!names.includes('{label}')) continue;"
        " const control = label.querySelector('select, input');"
        " if (control.type === 'checkbox') control.click();"
        f" else control.value = '{value}';"
        " for (const name of ['input', 'change']) control.dispatchEvent(new Event(name)); }"
    )


def answer(page, which: str) -> str:
    return page.run(f"document.getElementById('{which}-answer').innerText")


def test_it_draws_everything_and_asks_for_nothing(page):
    charts = page.run("[...document.querySelectorAll('.chart')].map((c) => c.data.length > 0)")
    assert charts == [True, True, True]
    assert page.run("getComputedStyle(document.querySelector('.static')).display") == "none"
    colors = dict(
        zip(lines(page, "name"), lines(page, "line?.color ?? t.marker.color"), strict=True)
    )
    assert colors == dict(zip(reports.SCHEDULES, PALETTE, strict=False))


def test_the_questions_are_answered_at_once(page):
    assert answer(page, "overtaking") == (
        "wave is ahead in the first epoch, falls behind later, overtakes steady at epoch 9 and is "
        "ahead at the end (epoch 12), by the mean val accuracy."
    )
    choose(page, "overtake", "halved")
    assert answer(page, "overtaking").startswith("wave is ahead of halved in every epoch")


@pytest.mark.parametrize("step", [0, 2801, 4321, 8399])
def test_the_rate_at_any_step_is_the_recorded_one(page, step):
    choose(page, "Learning rate at step", str(step))
    said = dict(line.split("\t")[:2] for line in answer(page, "rate").splitlines())
    for name, shown in said.items():
        runs = reports.run(name.strip(), 0), reports.run(name.strip(), 2)
        known = sorted({np.float32(r.lr[step]) for r in runs if step < len(r.lr)})
        if not known:
            assert shown == "ended before"
        else:
            values = [np.float32(word) for word in shown.removesuffix(", by seed").split(" to ")]
            assert values == known
    choose(page, "Learning rate at step", "8400")
    assert answer(page, "rate") == "Steps count from 0 to 8399."


def test_every_recorded_rate_is_read_bit_for_bit(page, out):
    """The page's own reader against the run files, all steps of all experiments."""
    steps = range(0, 8400, 7)
    page.run("window.asked = document.getElementById('rate-step')")
    shown = page.run(
        f"{list(steps)}.map((step) => {{ asked.value = step;"
        " asked.dispatchEvent(new Event('input'));"
        " return document.querySelectorAll('#rate-answer td')[2].textContent; })"
    )
    wave = reports.run("wave", 0).lr
    assert [np.float32(text) for text in shown] == [wave[step] for step in steps]


def test_curves_can_be_changed_in_every_way(fresh):
    assert set(lines(fresh, "yaxis ?? 'y'")) == {"y", "y2", "y3"}
    choose(fresh, "Show", "seeds")
    seeds = [name for name, text in zip(lines(fresh, "name"), lines(fresh, "text"), strict=True)
             if text and "run 2 of 3" in text[0]]  # fmt: skip
    assert seeds == ["steady"] * 2 + ["wave"] * 2 + ["halved"] * 2
    choose(fresh, "Show", "mean")
    assert fresh.run(f"{CHART}.data.some((t) => t.fill)") is False
    choose(fresh, "Show", "band")
    assert fresh.run(f"{CHART}.data.some((t) => t.fill === 'toself')") is True
    before = lines(fresh, "y")
    choose(fresh, "Smoothing", "0.9")
    assert lines(fresh, "y") != before
    choose(fresh, "Smoothing", "0")
    assert lines(fresh, "y") == before
    assert fresh.run(f"{CHART}.layout.yaxis.type") == "log"
    choose(fresh, "log rate", "")
    assert fresh.run(f"{CHART}.layout.yaxis.type") == "linear"
    choose(fresh, "log loss", "")
    assert fresh.run(f"{CHART}.layout.yaxis2.type") == "log"
    choose(fresh, "Axis", "step")
    assert max(max(x) for x in lines(fresh, "x") if x) == 8400
    choose(fresh, "Results", "train")
    assert fresh.run(f"{CHART}.layout.yaxis3.title.text") == "training accuracy"


def test_the_zoom_is_of_all_panels_and_shows_every_step(fresh):
    fresh.run(f"Plotly.relayout({CHART}, {{'xaxis.range[0]': 2, 'xaxis.range[1]': 2.1}}); null")
    (wave,) = [x for x, name, y in zip(lines(fresh, "x"), lines(fresh, "name"),
               lines(fresh, "yaxis ?? 'y'"), strict=True)
              if name == "wave" and y == "y"]  # fmt: skip
    assert np.diff(wave) == pytest.approx(1 / reports.STEPS_PER_EPOCH)
    axes = fresh.run(f"{CHART}.data.map((t) => t.xaxis ?? 'x')")
    assert set(axes) == {"x"}
    assert fresh.run(f"{CHART}.layout.xaxis.range") == [2, 2.1]
    fresh.run(
        "[...document.querySelectorAll('button')].find((b) => b.textContent === 'Show all').click()"
    )
    low, high = fresh.run(f"{CHART}.layout.xaxis.range")
    assert low < 1
    assert high > 11.9
    choose(fresh, "From", "3")
    choose(fresh, "to", "4")
    assert fresh.run(f"{CHART}.layout.xaxis.range") == [3, 4]


def test_hovering_shows_values_and_spread(fresh):
    place = fresh.run(
        f"(() => {{ const c = {CHART}; c.scrollIntoView({{behavior: 'instant'}});"
        " const box = c.getBoundingClientRect();"
        " const [x, y] = [c._fullLayout.xaxis, c._fullLayout.yaxis3];"
        " return [box.x + x._offset + x.l2p(5), box.y + y._offset + y.l2p(0.62)]; })()"
    )
    fresh.point(*place)
    said = fresh.until(lambda: fresh.run("document.querySelector('.hoverlayer').textContent"))
    assert "0.6200 ± 0.0040, 3 seeds" in said


def test_the_keyboard_isolates_an_experiment(fresh):
    fresh.run("document.querySelector('.legend button').focus()")
    assert fresh.run("document.activeElement.innerText").strip() == "steady"
    fresh.key("Tab", TAB)
    fresh.key("Enter", ENTER)
    assert set(lines(fresh, "name")) == {"wave"}
    pressed = "[...document.querySelectorAll('.legend [aria-pressed]')].map((b) => b.ariaPressed)"
    assert fresh.run(pressed) == ["false", "true", "false", "false"]
    fresh.key("Tab", TAB)
    fresh.key("Enter", ENTER, SHIFT)
    assert set(lines(fresh, "name")) == {"wave", "halved"}
    fresh.key("Tab", TAB, SHIFT)
    fresh.key("Enter", ENTER)
    fresh.key("Enter", ENTER)
    assert set(lines(fresh, "name")) == set(reports.SCHEDULES)


def test_a_config_is_copied(page):
    page.call(
        "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"]
    )
    page.run("document.querySelector('details').open = true")
    page.run("document.querySelector('button.copy').click()")
    page.until(lambda: page.run("document.querySelector('button.copy').textContent") == "Copied")


def test_final_results_can_be_chosen(page):
    chart = "document.querySelector('#live-final .chart')"
    assert page.run(f"{chart}.layout.xaxis.title.text") == "val accuracy"
    choose(page, "Result", "val_loss")
    assert page.run(f"{chart}.layout.xaxis.title.text") == "val loss"


def test_without_scripts_there_are_table_and_figures(chromium, out):
    chromium.open(out / reporting.FILE, scripts=False)
    chromium.call("Emulation.setScriptExecutionDisabled", value=False)
    shown = (
        "[...document.querySelectorAll('figure img')].map((i) => i.complete && i.naturalWidth > 0)"
    )
    assert chromium.run(shown) == [True] * 4
    assert chromium.run("document.querySelectorAll('table tbody tr').length") >= 4
    assert chromium.run("getComputedStyle(document.querySelector('.live')).display") == "none"
    assert (chromium.complaints(), chromium.requests()) == ([], [])


def test_hostile_text_does_nothing(chromium, hostile):
    chromium.open(hostile)
    assert chromium.run("document.querySelectorAll('main img:not([alt])').length") == 0
    assert "alert(1)" in chromium.run("document.querySelector('header').innerText")
    assert "alert(1)" in chromium.run("document.querySelector('#live-sweep-0 .ytitle').textContent")
    dialogs = [method for method, _ in chromium.events if method == "Page.javascriptDialogOpening"]
    assert (dialogs, chromium.complaints(), chromium.requests()) == ([], [], [])


def test_no_script_but_its_own_runs(page):
    """The policy holds: neither markup nor `eval` gets a script in."""
    page.run(
        "document.body.append(Object.assign(document.createElement('script'),"
        " {textContent: 'window.broken = 1'}))"
    )
    blocked = page.run("try { eval('1'); 'ran' } catch (error) { error.name }")
    assert (page.run("window.broken ?? null"), blocked) == (None, "EvalError")
    page.events.clear()  # It has complained of both, as it should.


# --- looks ---


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 800, 1600])
def test_nothing_is_wider_than_the_page(chromium, out, width):
    chromium.open(out / reporting.FILE, width=width)
    assert chromium.run("document.documentElement.scrollWidth") <= width
    assert chromium.complaints() == []


@pytest.mark.slow
def test_a_dark_page_is_dark_and_lines_are_seen_on_it(chromium, out):
    chromium.open(out / reporting.FILE, prefers_color_scheme="dark")
    assert chromium.run("getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 27)"
    assert chromium.run(f"{CHART}.layout.font.color") == "#e8eaed"
    chromium.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "light"}])  # fmt: skip
    chromium.until(lambda: chromium.run(f"{CHART}.layout.font.color") == "#1c1e21")
    assert chromium.complaints() == []


@pytest.mark.slow
def test_on_paper_there_are_the_figures(page):
    page.call("Emulation.setEmulatedMedia", media="print")
    display = "getComputedStyle(document.querySelector('{}')).display"
    assert page.run(display.format(".static")) == "block"
    assert page.run(display.format(".live")) == "none"
    assert page.run(display.format("nav")) == "none"


@pytest.mark.slow
def test_results_of_2000_runs_open_fast(chromium, tmp_path):
    made = reports.many(tmp_path / "results", experiments=500, seeds=4)
    experiment.present(tmp_path / "results", made, {})
    path = tmp_path / "results" / reporting.FILE
    assert path.stat().st_size < test_report.MOST_BYTES
    began = time.monotonic()
    chromium.open(path)
    chromium.until(lambda: chromium.run(f"{CHART}?.data?.length > 0"))
    took = time.monotonic() - began
    assert took < 15  # Measured: 3 s; other tests run beside it.
    assert "468 others, in grey" in chromium.run("document.querySelector('.legend').innerText")
    assert (chromium.complaints(), chromium.requests()) == ([], [])
