"""Figures look the same whatever settings of matplotlib lie around, and leave those alone."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from lrlab.plots import canvas, schedule_figure, settings

# Each stands in the working directory, in MATPLOTLIBRC and in the user's own file.
HOSTILE = {
    "usetex runs latex": "text.usetex: True\ntext.latex.preamble: \\input{/etc/passwd}",
    "dpi takes the memory": "savefig.dpi: 30000\nfigure.dpi: 30000",
    "a long cycle takes the memory": "axes.prop_cycle: "
    + " * ".join(f"cycler({key!r}, {[1] * 300})" for key in ("lw", "ms", "mew", "alpha")),
    "a backend that is not there": "backend: module://nowhere",
    "looks": "font.size: 40\nlines.linewidth: 9\nsavefig.bbox: tight\nsavefig.transparent: True\n"
    "axes.facecolor: black\ngrid.color: red\nsvg.fonttype: none\npdf.fonttype: 3",
    "no settings": "this is not a setting\n\x00",
}
BACKENDS = ("module://matplotlib_inline.backend_inline", "nonsense", "tkagg")

CONFIG = "schedule: {type: cosine, initial_lr: 0.1}\nepochs: 2\ndata: sketches\n"


def plot(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Draw a config in a folder, in a process with 2 GB of memory at most."""
    (folder / "x.yaml").write_text(CONFIG)
    code = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "from lrlab.cli import main\n"
        "main()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, "plot", "x.yaml", "--out", "out"],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment},
    )  # fmt: skip


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> bytes:
    """The figure where there are no settings."""
    folder = tmp_path_factory.mktemp("usual")
    done = plot(folder)
    assert (done.returncode, done.stderr) == (0, "")
    return (folder / "out" / "schedules.png").read_bytes()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_figure_follows_no_matplotlibrc(name, usual, tmp_path):
    for place in ("here", "configured", "named"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "matplotlibrc").write_text(HOSTILE[name])
    done = plot(
        tmp_path / "here",
        MPLCONFIGDIR=str(tmp_path / "configured"),
        MATPLOTLIBRC=str(tmp_path / "named" / "matplotlibrc"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "here" / "out" / "schedules.png").read_bytes() == usual


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_figure_needs_no_backend_of_the_environment(backend, usual, tmp_path):
    done = plot(tmp_path, MPLBACKEND=backend)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "schedules.png").read_bytes() == usual


@pytest.mark.parametrize("command", ["compare", "find-lr"])
def test_keras_finds_matplotlib_imported_without_the_users_settings(command, tmp_path):
    # Keras imports matplotlib too, in the thread that waits for TensorFlow.
    (tmp_path / "matplotlibrc").write_text(HOSTILE["a long cycle takes the memory"])
    code = (
        "import sys\n"
        "import lrlab.experiment as experiment\n"
        "from lrlab.io import quiet\n"
        "def stop(*args, **kwargs):\n"
        "    quiet.prepare_tensorflow()\n"
        "    import matplotlib\n"
        "    cycle = matplotlib.rcParams['axes.prop_cycle']\n"
        "    print(len(cycle), matplotlib.rcParams['backend'])\n"
        "    raise SystemExit(0)\n"
        "experiment.compare = experiment.find_lr = stop\n"
        "from lrlab.cli import main\n"
        "main()\n"
    )
    (tmp_path / "x.yaml").write_text(CONFIG)
    done = subprocess.run(
        [sys.executable, "-c", code, command, "x.yaml"], cwd=tmp_path, capture_output=True,
        text=True, timeout=60, check=False, env={**os.environ, "MPLBACKEND": "nonsense"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "10 agg\n"


def test_the_working_directory_and_the_environment_are_as_before(tmp_path):
    code = (
        "import os, sys\n"
        "from lrlab.plots import settings\n"
        "before = os.getcwd(), dict(os.environ)\n"
        "settings.load_matplotlib()\n"
        "assert 'matplotlib' in sys.modules\n"
        "assert (os.getcwd(), dict(os.environ)) == before\n"
    )
    environment = {**os.environ, "MPLBACKEND": "nonsense"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)


def test_settings_of_a_program_that_uses_lrlab_are_left_alone(tmp_path):
    with mpl.rc_context({"font.size": 40, "savefig.dpi": 20, "pdf.fonttype": 3}):
        before = dict(mpl.rcParams)
        with canvas.settings(None):
            made, ax = canvas.panel("a figure")
            assert mpl.rcParams["font.size"] == settings.FULL_POINTS
        canvas.save(made, tmp_path / "x.pdf")
        assert dict(mpl.rcParams) == before
        assert Figure().subplots().xaxis.label.get_fontsize() == 40
    assert ax.xaxis.label.get_fontsize() == settings.FULL_POINTS


# --- vector formats and widths ---


def test_a_pdf_embeds_fonts_that_can_be_edited(tmp_path):
    with canvas.settings(None):
        made, _ = canvas.panel("a figure")
    content = canvas.save(made, tmp_path / "x.pdf").read_bytes()
    assert b"/CIDFontType2" in content
    assert b"/Type3" not in content


def test_the_text_of_an_svg_is_drawn_so_that_it_needs_no_font(tmp_path):
    with canvas.settings(None):
        made, _ = canvas.panel("a figure")
    content = canvas.save(made, tmp_path / "x.svg").read_text()
    assert "<text" not in content
    assert "<!-- a figure -->" in content


@pytest.mark.parametrize(
    ("width", "points"), [(None, 10.0), (9.0, 10.0), (7.0, 7.8), (3.5, 7.5), (3.0, 7.5), (20, 10)]
)
def test_letters_stay_readable_at_every_width(width, points, tmp_path):
    from lrlab.config import parse

    config = parse("name: cosine\nschedule: {type: cosine, initial_lr: 0.1}").experiment
    made = schedule_figure.draw([(config, 100)], width)
    assert made.get_figwidth() == (width or 9.0)
    texts = [text for text in made.findobj(mpl.text.Text) if text.get_text()]
    assert min(text.get_fontsize() for text in texts) == pytest.approx(points, abs=0.05)
    made.draw_without_rendering()
    box = made.get_tightbbox()
    assert (box.x0 >= 0, box.x1 <= made.get_figwidth()) == (True, True)
