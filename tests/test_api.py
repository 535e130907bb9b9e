"""`lrlab.compare` and `lrlab.load_results`: a comparison as a call, with real TensorFlow."""

import functools
import html
import json
import os
import re
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

import lrlab
from lrlab.analysis.best_set import Verdict
from lrlab.from_python.told import AsWarnings
from lrlab.results import run_folder

SCHEDULES = {
    "steady": {"type": "constant", "lr": 0.05},
    "falling": {"type": "linear", "initial_lr": 0.1},
}
STEADY = {"steady": SCHEDULES["steady"]}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(240, 6)).astype(np.float32)
    return x, x[:, :3].argmax(axis=1)


def build(input_shape, outputs, width=8):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Dense(width, "relu"),
            keras.layers.Dense(outputs, "softmax"),
        ]
    )


@pytest.fixture
def compare(data, tmp_path):
    """A comparison of one schedule with one seed, unless the test says otherwise."""

    def call(schedules=None, **options):
        usual = {"model": build, "data": data, "epochs": 1, "seeds": 1, "out": tmp_path / "out"}
        return lrlab.compare(STEADY if schedules is None else schedules, **usual | options)

    return call


@pytest.fixture(scope="module")
def compared(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("compared")
    return lrlab.compare(SCHEDULES, model=build, data=data, epochs=2, seeds=3, out=out)


@pytest.fixture
def trained(monkeypatch):
    """The runs that were trained, as they end."""
    seen = []
    monkeypatch.setattr(AsWarnings, "finished", lambda _, run, result: seen.append(str(run)))
    return seen


# --- what comes back ---


def test_the_verdict_comes_first_and_is_that_of_best_set(compared):
    assert compared.experiments == ("steady", "falling")
    frame = compared.to_pandas()
    last = frame[(frame.metric == "val_accuracy") & (frame.epoch == 1)]
    scores = {name: list(last[last.experiment == name].value) for name in SCHEDULES}
    assert compared.verdict == lrlab.best_set(scores)
    assert isinstance(compared.verdict, Verdict)
    first, empty, *rest = str(compared).splitlines()
    assert (first, empty) == (compared.sentence, "")
    assert compared.verdict.best_set[0] in first
    assert rest == [*repr(compared.table).splitlines(), f"results in {compared.out}"]
    assert [line.split()[0] for line in rest[:3]] == ["experiment", "steady", "falling"]


def test_the_frame_is_tidy_and_holds_what_the_files_hold(compared):
    frame = compared.to_pandas()
    assert list(frame.columns) == ["experiment", "seed", "epoch", "metric", "value"]
    metrics = ["lr", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert len(frame) == 2 * 3 * 2 * len(metrics)
    assert not frame.duplicated(["experiment", "seed", "epoch", "metric"]).any()
    (folder,) = compared.out.glob("runs/falling-*/seed-1")
    kept = run_folder.read(folder).result
    one = frame[(frame.experiment == "falling") & (frame.seed == 1)]
    for metric in metrics[1:]:
        assert list(one[one.metric == metric].value) == kept.after_epochs(metric)
    assert list(one[one.metric == "lr"].value) == [epoch.lr for epoch in kept.epochs]


def test_the_table_is_for_a_terminal_for_a_notebook_and_for_print(compared):
    console = Console(width=120, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(compared.table)
    for text in (console.export_text(), repr(compared.table), compared.table._repr_html_()):
        for word in ("experiment", "steady", "falling", "val accuracy", "verdict", "±"):
            assert word in text
    narrow = Console(width=50, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    narrow.print(compared.table)
    assert max(map(len, narrow.export_text().splitlines()[:3])) <= 50
    page = compared._repr_html_()
    assert page.startswith(f"<p><b>{html.escape(compared.sentence)}</b></p><table>")
    assert "data:image/png;base64," in page


def test_figures_by_name(compared):
    assert compared.figures == ("learning-rate", "loss", "accuracy")
    titles = {name: compared.figure(name).get_suptitle() for name in compared.figures}
    assert titles["learning-rate"].startswith("Learning rate")
    assert titles["loss"].startswith("Loss")
    assert compared.figure().get_suptitle() == titles["accuracy"]
    assert compared.figure()._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(lrlab.LrlabError, match="there is no figure `acuracy`"):
        compared.figure("acuracy")


def test_a_missing_pandas_is_told_in_words(compared, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(lrlab.LrlabError, match="needs pandas, which is not installed") as error:
        compared.to_pandas()
    assert "hint: install it" in error.value.__notes__[0]


def test_the_results_directory_is_that_of_the_command(compared):
    assert {path.name for path in compared.out.iterdir()} >= {
        "comparison.csv", "comparison.md", "comparison.json", "loss.png", "accuracy.png",
        "learning-rate.png", "report.html", "runs",
    }  # fmt: skip
    stated = json.loads((compared.out / "comparison.json").read_text())
    assert [e["config"]["model"] for e in stated["experiments"]] == ["python:build"] * 2


READS = """
    import sys
    import lrlab
    found = lrlab.load_results(sys.argv[1])
    print(found, found.table, found.to_pandas().value.sum(), found.figure("loss"))
    found._repr_html_()
    assert not {"tensorflow", "keras"} & set(sys.modules)
    checked = sys.argv[1]
"""


def test_results_are_read_without_tensorflow_and_without_the_users_code(compared):
    read = lrlab.load_results(compared.out)
    assert repr(read) == repr(compared)
    assert read.verdict == compared.verdict
    assert read.to_pandas().equals(compared.to_pandas())
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(READS), str(compared.out)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(compared.sentence)
    check = [sys.executable, "-m", "lrlab", "check", str(compared.out)]
    assert subprocess.run(check, capture_output=True, text=True, check=False).returncode == 0


def test_a_directory_without_results_is_refused(tmp_path):
    with pytest.raises(lrlab.LrlabError, match="holds no `comparison"):
        lrlab.load_results(tmp_path)
    with pytest.raises(lrlab.LrlabError, match="is not a directory"):
        lrlab.load_results(tmp_path / "nothing")


def test_one_seed_says_what_to_do_in_the_words_of_python(compare):
    found = compare(SCHEDULES)
    assert found.sentence == "no ranking: one seed says nothing about luck; run `seeds=3` or more"
    assert compare().verdict is None
    assert compare().sentence == ""


def fails_with_seed_1(input_shape, outputs, seed):
    if seed == 1:
        raise RuntimeError("no such luck")
    return build(input_shape, outputs)


def test_a_run_that_fails_is_told_and_the_others_are_kept(compare):
    with pytest.warns(UserWarning, match=r"steady seed 1 failed: .*no such luck") as caught:
        found = compare(model=fails_with_seed_1, seeds=2)
    assert {each.filename for each in caught} == {__file__}
    assert "steady: seed 1 failed: " in repr(found)
    assert set(found.to_pandas().seed) == {0}


# --- what is reused ---


def test_finished_runs_are_reused_until_something_changes(compare, trained):
    def again(input_shape, outputs, width=8):
        # The same layers; a comment changes nothing.
        return build(input_shape, outputs, width)

    def wider(input_shape, outputs):
        return build(input_shape, outputs, 9)

    compare(seeds=2)
    assert sorted(trained) == ["steady seed 0", "steady seed 1"]
    trained.clear()
    compare(seeds=3)
    assert trained == ["steady seed 2"]
    trained.clear()
    compare(model=again)
    compare(model=again)
    assert trained == ["steady seed 0"]
    for other in (
        {"model": wider},
        {"model": functools.partial(build, width=9)},
        {"optimizer": "adam"},
        {"class_weight": {0: 2.0}},
        {"validation": "first 30"},
        {"scale": "standard"},
    ):
        trained.clear()
        compare(**other)
        compare(**other)
        assert trained == ["steady seed 0"], other


def test_without_a_directory_results_live_as_long_as_the_process(compare, trained):
    first = compare(out=None)
    assert compare(out=None).out == first.out
    assert trained == ["steady seed 0"]
    assert first.out.name.startswith("lrlab-")
    assert f"results in {first.out}" in repr(first)


def test_a_keyboard_interrupt_keeps_finished_runs(compare, trained, monkeypatch):
    def interrupted(reporter, run, result):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(AsWarnings, "finished", interrupted)
        with pytest.raises(KeyboardInterrupt, match="of 3 runs are finished and kept") as caught:
            compare(seeds=3, workers=1)
    kept = int(str(caught.value).split()[1])
    assert kept in (1, 2)  # The next one is short, and may end meanwhile.
    compare(seeds=3)
    assert sorted(trained) == [f"steady seed {seed}" for seed in range(kept, 3)]


# --- objects in place of names ---


def test_a_model_is_a_pattern_with_new_weights(compare, data):
    model = build((6,), 3)
    model.compile(
        keras.optimizers.Adam(0.7), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    weights = [w.copy() for w in model.get_weights()]
    found = compare(model=model, seeds=2, keep_weights=True)
    stated = json.loads((found.out / "comparison.json").read_text())["experiments"][0]["config"]
    assert stated["optimizer"]["type"] == "adam"  # That of `compile`, its rate apart.
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    first, second = (run_folder.read(each) for each in sorted(found.out.glob("runs/*/seed-*")))
    assert first.result.loss[0] != second.result.loss[0]


def test_optimizers_losses_and_metrics(compare):
    def of_squares(y, predicted):
        targets = keras.ops.one_hot(keras.ops.cast(y, "int32"), 3)
        return keras.ops.mean((targets - predicted) ** 2, axis=-1)

    def sgd(learning_rate, nesterov=True):
        return keras.optimizers.SGD(learning_rate, momentum=0.5, nesterov=nesterov)

    def right_or_near(y, predicted):
        return keras.metrics.sparse_top_k_categorical_accuracy(y, predicted, k=2)

    for optimizer, kind in (
        (keras.optimizers.SGD(0.3, momentum=0.5, nesterov=True), "sgd"),
        (keras.optimizers.Adafactor(), "python:Adafactor"),
        (functools.partial(sgd, nesterov=False), "python:sgd"),
        ({"type": "sgd", "momentum": 0.5}, "sgd"),
    ):
        found = compare(optimizer=optimizer, out=None)
        runs = found.out.glob("runs/*/seed-0/run.json")
        last = max(runs, key=lambda path: path.stat().st_mtime_ns)
        assert json.loads(last.read_text())["config"]["optimizer"]["type"] == kind
    found = compare(loss=of_squares, metric={"name": right_or_near, "mode": "max"}, optimizer="sgd")
    assert found.figures == ("learning-rate", "loss", "right_or_near")
    frame = found.to_pandas()
    assert set(frame.metric) >= {"right_or_near", "val_right_or_near"}
    assert frame[frame.metric == "val_right_or_near"].value.between(0, 1).all()
    smooth = keras.losses.CategoricalFocalCrossentropy(gamma=3.0)
    x = np.eye(3, 6, dtype=np.float32)[np.arange(60) % 3]
    one_hot = np.eye(3, dtype=np.int64)[np.arange(60) % 3]
    assert np.isfinite(compare(data=(x, one_hot), loss=smooth).to_pandas().value).all()


def test_every_form_of_data(compare, data):
    pandas = pytest.importorskip("pandas")
    x, y = data
    frame = pandas.DataFrame(x, columns=list("abcdef"))
    for given in (
        (frame, pandas.Series(y)),
        ((x, y), (x[:40], y[:40])),
        {"train": (x, y), "validation": (x[:50], y[:50])},
        (x, y, np.linspace(0.5, 1.5, len(x))),
    ):
        found = compare(data=given)
        assert np.isfinite(found.to_pandas().value).all()
    assert "test_accuracy" in set(compare(data=((x, y), (x[:40], y[:40]))).to_pandas().metric)
    regression = compare(data=(x, x[:, :1] * 3), model=lambda: keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(1)]))  # fmt: skip
    assert regression.figures[-1] == "mae"


def test_schedules_as_paths_experiments_and_lists(compare, write_config, data):
    path = write_config(
        "name: mine\nbatch_size: 40\nepochs: 2\nschedule: {type: cosine, initial_lr: 0.1}\n"
    )
    loaded = lrlab.load(path)
    found = compare([path, SCHEDULES["steady"], loaded.schedule], epochs=None)
    assert found.experiments == ("mine", "constant", "cosine")
    stated = json.loads((found.out / "comparison.json").read_text())["experiments"]
    assert [e["config"]["epochs"] for e in stated] == [2, 10, 10]
    assert stated[0]["config"]["batch_size"] == 40
    renamed = compare({"ours": path, "theirs": loaded}, epochs=1, batch_size=60)
    assert renamed.experiments == ("ours", "theirs")
    assert compare(SCHEDULES["steady"]).experiments == ("constant",)


def test_code_that_a_config_names_needs_consent(write_config, tmp_path, data):
    (tmp_path / "nets.py").write_text(
        "import keras\n"
        "def net():\n"
        "    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, 'softmax')])\n"
    )
    path = write_config("model: nets.py:net\nschedule: {type: constant, lr: 0.1}\n")
    options = {"data": data, "epochs": 1, "seeds": 1, "out": tmp_path / "out"}
    with pytest.raises(lrlab.LrlabError, match="is code, and code runs only if"):
        lrlab.compare([path], **options)
    assert not (tmp_path / "out" / "runs").exists()
    for consent in ({"trust": [str(tmp_path / "nets.py")]}, {"model": f"{tmp_path}/nets.py:net"}):
        assert lrlab.compare([path], **options, **consent).experiments == ("x",)


def test_rates_that_a_sweep_finds(compare):
    found = compare({"found": {"type": "constant", "lr": "auto"}})
    rates = found.to_pandas().query("metric == 'lr'").value
    assert 1e-6 < rates.iloc[0] < 10 or "found: " in repr(found)
    assert list(found.out.glob("sweeps/*/sweep.json"))


def test_a_model_of_two_inputs_under_a_loop_that_watches_the_metric(compare, data):
    x, y = data

    def joined():
        left, right = keras.Input((2,), name="left"), keras.Input((4,), name="right")
        hidden = keras.layers.Concatenate()([left, right])
        return keras.Model([left, right], keras.layers.Dense(3, "softmax")(hidden))

    inputs = {"left": x[:, :2], "right": x[:, 2:]}
    loop = {"type": "performance", "initial_lr": 0.1, "monitor": "val_accuracy"}
    for model in (joined, joined()):
        found = compare({"loop": loop}, model=model, data=(inputs, y))
        assert found.to_pandas().query("metric == 'val_accuracy'").value.between(0, 1).all()


def test_a_module_called_like_the_stand_ins_is_not_imported(
    compare, write_config, tmp_path, monkeypatch, trained
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "python.py").write_text("raise SystemExit('it ran')\n")
    path = write_config("loss: python:evil\nschedule: {type: constant, lr: 0.1}\n")
    with pytest.raises(lrlab.LrlabError, match="is code, and code runs only if"):
        compare([path])
    assert trained == []


def test_functions_of_the_step_are_schedules(compare, trained):
    top = 0.1

    def warp(step, steps):
        return top * (1 - step / steps)

    found = compare([warp, SCHEDULES["steady"]])
    assert found.experiments == ("warp", "constant")
    assert found.to_pandas().query("experiment == 'warp' and metric == 'lr'").value.iloc[0] < 0.02
    trained.clear()
    compare({"again": warp})
    assert trained == ["again seed 0"]  # The name is part of where a run lies.
    compare({"again": warp})
    top = 0.2
    compare({"again": warp})
    assert trained == ["again seed 0"] * 2


def streams(seed):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(240, 6)).astype(np.float32)
    y = x[:, :3].argmax(axis=1)
    whole = tf.data.Dataset.from_tensor_slices((x, y))
    return whole.take(200).shuffle(200, seed=seed).batch(20), whole.skip(200).batch(20)


def test_a_function_gives_arrays_or_streams(compare, data):
    as_arrays = compare(data=lambda: data)
    assert repr(as_arrays) == repr(compare(data=data))
    found = compare(data=streams, seeds=2)
    assert np.isfinite(found.to_pandas().value).all()
    with pytest.raises(lrlab.LrlabError, match="neither splits nor scales"):
        compare(data=streams, validation="10%")


# --- what is refused, before anything is trained ---


class Thing:
    """Something that nobody can tell from another."""


THING = Thing()


def uses_a_thing():
    return THING


def unsure(y, predicted):
    return y


def fails():
    raise RuntimeError("no such luck")


REFUSED = {
    "no schedules": ({"schedules": []}, "`schedules` is empty"),
    "a number": ({"schedules": 3}, "must be schedules by name, or a list, got int"),
    "a rate": ({"schedules": {"steady": 0.1}}, "a schedule is needed, got float"),
    "two of one name": (
        {"schedules": [SCHEDULES["steady"]] * 2}, "2 schedules of the list are called `constant`",
    ),
    "a typo": (
        {"schedules": {"a": {"type": "constant", "rl": 1}, "b": {"type": "cosin"}}},
        r"(?s)3 problems in 2 files.*schedule a: .*schedule b: ",
    ),
    "a name": ({"schedules": {"a b": SCHEDULES["steady"]}}, "name: must start with"),
    "epochs, told once": (
        {"epochs": 0, "schedules": SCHEDULES},
        "1 problem in `the arguments`\n`epochs=`: epochs: must be greater than 0, got 0",
    ),
    "seeds": ({"seeds": 0}, "`seeds` must be at least 1, got 0"),
    "seeds of a float": ({"seeds": 2.0}, "`seeds` must be a whole number"),
    "workers": ({"workers": 0}, "`workers` must be at least 1"),
    "model": ({"model": "mpl"}, "`model=`: model: must be .* did you mean `mlp`"),
    "an object as a model": ({"model": 3}, "a function is needed, got"),
    "a thing": ({"model": uses_a_thing}, "`uses_a_thing` uses `THING`, an object of `Thing`"),
    "a model that fails": ({"model": fails}, "no such luck"),
    "no model": ({"model": lambda: 3}, "must return a Keras model"),
    "no data": ({"data": 3}, "`data` must give"),
    "data that fail": ({"data": fails}, "no such luck"),
    "unequal lengths": ({"data": (np.ones((9, 2)), np.ones(8))}, "`data`"),
    "a stream": (
        {"data": tf.data.Dataset.from_tensors((np.ones((2, 2)), np.ones(2)))},
        "`data` is a stream of batches, and every run needs a new one",
    ),
    "validation": ({"validation": "some"}, "validation: must be a share"),
    "metric": ({"metric": unsure}, "`unsure` does not say whether high or low values are better"),
    "a metric's object": ({"metric": keras.metrics.F1Score()}, "`metric` is an object of Keras"),
    "loss": ({"loss": "mes"}, "loss: must be a loss as Keras names it, .* did you mean"),
    "a loss that sums": (
        {"loss": keras.losses.MeanSquaredError(reduction="sum")}, "sums up a batch by `sum`",
    ),
    "optimizer": ({"optimizer": "amad"}, "optimizer"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(options, message, compare, tmp_path, trained):
    with pytest.raises(lrlab.LrlabError, match=message):
        compare(**options)
    assert trained == []
    assert not (tmp_path / "out" / "runs").exists()


# --- the program that calls it ---


def test_it_is_quiet_but_for_warnings_which_blame_the_caller(compare, data, capfd):
    x, y = data
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compare()
        assert [str(each.message) for each in caught] == []
        lacking = (x, np.where(np.arange(len(y)) == 0, 4, y))
        compare(data=lacking)
    assert caught
    assert {each.filename for each in caught} == {__file__}
    assert all("`data`" in str(each.message) for each in caught)
    assert capfd.readouterr() == ("", "")


def test_a_line_of_progress_on_request(compare, capsys):
    compare(seeds=2, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.split("\r")
    assert lines[-1].rstrip() == "2 of 2 runs, 100%"
    assert any("steady seed 1: done" in line for line in lines)
    assert shown.err.endswith("\n")
    assert shown.err.count("\n") == 1


PROCESS = """
    import os, sys
    {first}
    import json, pathlib, tempfile
    import numpy as np
    import lrlab

    before = dict(os.environ)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 4))
    out = pathlib.Path(tempfile.mkdtemp())
    {settings}
    lrlab.compare({{"type": "constant", "lr": 0.1}}, model="linear", data=(x, x[:, :2].argmax(1)),
                  epochs=1, seeds=1, out=out)
    import tensorflow as tf
    (record,) = out.glob("runs/*/*/run.json")
    threads = json.loads(record.read_text())["environment"]["threads_per_run"]
    assert tf.config.threading.get_intra_op_parallelism_threads() == threads
    {then}
    print(threads)
"""

PROCESSES = {
    "TensorFlow is loaded": (
        "import keras, tensorflow as tf",
        'keras.config.set_dtype_policy("mixed_bfloat16"); keras.config.set_epsilon(1e-4)',
        "assert dict(os.environ) == before; "
        'assert keras.config.dtype_policy().name == "mixed_bfloat16"; '
        "assert keras.config.epsilon() == 1e-4",
        "0",
    ),
    "TensorFlow has three threads": (
        "import tensorflow as tf; tf.config.threading.set_intra_op_parallelism_threads(3)",
        "", "assert dict(os.environ) == before", "3",
    ),
    "TensorFlow is not loaded": ("", 'assert "tensorflow" not in sys.modules', "", "1"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("first", "settings", "then", "threads"),
    [
        pytest.param(
            *case, id=name, marks=[pytest.mark.slow] * (name != "TensorFlow is not loaded")
        )
        for name, case in PROCESSES.items()
    ],
)
def test_threads_and_settings_of_the_process(first, settings, then, threads):
    script = textwrap.dedent(PROCESS.format(first=first, settings=settings, then=then))
    hidden = ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        env={name: value for name, value in os.environ.items() if name not in hidden},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == threads


# --- the guide ---

GUIDE = Path(__file__).parent.parent / "docs" / "guides" / "notebooks.md"


@pytest.mark.slow
def test_the_guide_works_as_it_stands():
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks[:3])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "val accuracy" in done.stdout.splitlines()[0]


@pytest.mark.parametrize(
    "schedule",
    [
        {"type": "constant", "lr": None},
        {"type": "one_cycle", "max_lr": None},
        {"type": "sequence", "phases": [{"type": "constant", "lr": None, "for": "rest"}]},
    ],
)
def test_a_rate_that_the_finder_did_not_find_is_told_as_such(schedule, small_npz, tmp_path):
    for call in (
        lambda: lrlab.rates(schedule, 10, 1),
        lambda: lrlab.compare({"a": schedule}, data=str(small_npz), out=tmp_path / "out"),
    ):
        with pytest.raises(lrlab.LrlabError, match="is None, which is what") as told:
            call()
        assert "print what it found" in told.value.hint
