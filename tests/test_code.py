"""A user's own code: named without running, run with consent only, its mistakes told in words."""

import json
import os
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from lrlab.errors import CodeError
from lrlab.tasks import code, code_errors, code_loading
from lrlab.tasks.code import CodeReference
from lrlab.tasks.random_state import preserved_random_state


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(here):
    def write(**files):
        for name, text in files.items():
            path = here / f"{name.replace('__', '/').replace('INIT', '__init__')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


def load(text, trust=None, folder=None):
    trusted = [code.origin(trust or text, Path.cwd())]
    return code_loading.load(code.parse(text, folder or Path.cwd()), trusted)


def call(text, offered=None, **args):
    return load(text).call(offered or {}, args)


def told(function, *arguments, **named):
    """Return what an error prints, its hint last."""
    with pytest.raises(CodeError) as caught:
        function(*arguments, **named)
    assert caught.value.exit_code == 2
    return [*caught.value.lines, *([f"hint: {caught.value.hint}"] if caught.value.hint else [])]


# --- references ---


def test_what_a_reference_holds(here):
    file = code.parse("sub/nets.py:build", here)
    assert file == CodeReference("", here / "sub" / "nets.py", "build")
    assert (file.text, file.label) == ("sub/nets.py:build", "nets.py")
    assert file.import_string == "nets.py:build"
    module = code.parse("my.nets:Net.small", here)
    assert module == CodeReference("", "my.nets", "Net.small")
    assert module.import_string == "my.nets:Net.small"
    saved = code.parse("old.keras", here)
    assert (saved.origin, saved.is_keras_file) == (here / "old.keras", True)
    assert saved.import_string == "old.keras"
    assert code.parse("/a/b.py:f", here).origin == Path("/a/b.py")
    assert code.parse("../b.py:f", here).origin == here.parent / "b.py"
    assert not file.is_keras_file


UNSOUND = {
    "nets.py": ["`nets.py` names no function", "hint: write `nets.py:FUNCTION`"],
    "nets.py:": [
        "`` in `nets.py:` is not the name of a function", "hint: write `nets.py:FUNCTION`"
    ],
    "nets.py:a b": [
        "`a b` in `nets.py:a b` is not the name of a function", "hint: write `nets.py:FUNCTION`"
    ],
    "nets.py:f()": [
        "`f()` in `nets.py:f()` is not the name of a function", "hint: write `nets.py:FUNCTION`"
    ],
    "m.h5": [
        "`m.h5` is of Keras' old format, which can run any code when it is read",
        "hint: load it with Keras in a program of your own and save it as `.keras`",
    ],
    "m.keras:build": ["`m.keras:build`: a `.keras` file has no functions", "hint: write `m.keras`"],
    "nonsense": [
        "`nonsense` does not refer to code",
        "hint: write FILE.py:FUNCTION or package.module:FUNCTION, or FILE.keras",
    ],
}  # fmt: skip


@pytest.mark.parametrize("text", UNSOUND)
def test_unsound_references(text, here):
    assert told(code.parse, text, here) == UNSOUND[text]
    assert code.is_code(text) or text == "nonsense"


# --- trust ---

NEVER = "raise AssertionError('this must never run')\n"


def test_what_is_not_trusted_is_not_imported(write, here):
    write(nets=NEVER, sub__nets=NEVER, package__nets=NEVER)
    for text, folder, option in [
        ("nets.py:build", here, "nets.py"),
        ("nets.py:build", here / "sub", "sub/nets.py"),
        ("../nets.py:build", here / "sub", "nets.py"),
        ("package.nets:build", here, "package.nets"),
        ("m.keras", here / "my models", "'my models/m.keras'"),
        ("/elsewhere/nets.py:build", here, "/elsewhere/nets.py"),
    ]:
        reference = code.parse(text, folder)
        for trusted in ([], [code.origin("other.py", here)], [code.origin("package", here)]):
            assert told(code_loading.load, reference, trusted) == [
                f"`{text}` is code, and code runs only if the command line names it",
                f"hint: if you trust it, add `--trust {option}`",
            ]


@pytest.mark.parametrize(
    ("text", "trust"),
    [
        ("nets.py:build", "nets.py"),
        ("nets.py:build", "nets.py:other"),
        ("nets.py:build", "./sub/../nets.py"),
        ("my.nets:build", "my.nets"),
        ("my.nets:build", "my.nets:other"),
        ("m.keras", "m.keras"),
    ],
)
def test_the_command_line_consents_to_a_file_or_module(text, trust, here):
    assert code.consents(code.parse(text, here), [code.origin(trust, here)])


def test_consent_follows_links_and_counts_from_its_own_folder(write, here):
    write(real__nets="")
    (here / "link").symlink_to(here / "real")
    reference = code.parse("nets.py:f", here / "link")
    assert code.consents(reference, [code.origin("real/nets.py", here)])
    assert not code.consents(reference, [code.origin("nets.py", here)])
    assert not code.consents(code.parse("nets:f", here), [code.origin("nets.py", here)])
    assert not code.consents(code.parse("nets.py:f", here), [code.origin("nets", here)])


def test_the_option_that_an_error_names_is_the_one_that_helps(write, here):
    write(**{"sub__a b": "def f():\n    return 1\n"})
    reference = code.parse("a b.py:f", here / "sub")
    hint = told(code_loading.load, reference, [])[-1]
    named = hint.split("--trust ")[1].strip("`'")
    assert code_loading.load(reference, [code.origin(named, here)]).call({}) == 1


def test_a_saved_model_is_no_function(here):
    assert told(load, "m.keras") == [
        "`m.keras` is a saved model; a function is needed here",
        "hint: write FILE.py:FUNCTION or package.module:FUNCTION",
    ]


# --- what can be wrong with it, in words ---

MISTAKES = {
    "no file": ({}, "nets.py:f", [
        "there is no file `HERE/nets.py`",
        "hint: paths in a config are relative to its folder, those on the command line to the "
        "current one",
    ]),
    "no module": ({"netz": ""}, "nets:f", [
        "there is no module `nets`; did you mean `netz`?",
        "hint: it was looked for in `HERE` and among the installed packages",
    ]),
    "no submodule": ({"package__nets": ""}, "package.netts:f", [
        "`package` has no module `netts`; did you mean `nets`?",
    ]),
    "its own module is missing": ({"nets": "x = 1\nimport layerz\n", "layers": ""}, "nets.py:f", [
        "`nets.py` needs the module `layerz`, which is not there; did you mean `layers`?",
        "  nets.py:2",
        "    import layerz",
        "hint: install it for `PYTHON`, or correct the name",
    ]),
    "missing further down": ({"nets": "import layers", "layers": "import torchvison"}, "nets:f", [
        "`nets` needs the module `torchvison`, which is not there",
        "  nets.py:1",
        "    import layers",
        "  layers.py:1",
        "    import torchvison",
        "hint: install it for `PYTHON`, or correct the name",
    ]),
    "relative import": ({"nets": "from . import layers", "layers": ""}, "nets.py:f", [
        "`nets.py` raised ImportError while it was imported: attempted relative import with no "
        "known parent package",
        "  nets.py:1",
        "    from . import layers",
        "hint: relative imports need a package: refer to it as package.module:FUNCTION, or import "
        "the file beside it by its name",
    ]),
    "syntax": ({"nets": "def f():\n    return (1,\n"}, "nets.py:f", [
        "`nets.py` is not valid Python: '(' was never closed",
        "  nets.py:2",
        "    return (1,",
    ]),
    "syntax further down": ({"nets": "import layers\n", "layers": "def (\n"}, "nets.py:f", [
        "`nets.py` raised SyntaxError while it was imported: invalid syntax (layers.py, line 1)",
        "  nets.py:1",
        "    import layers",
    ]),
    "null bytes": ({"nets": "\0"}, "nets.py:f", [
        "`nets.py` is not valid Python: source code string cannot contain null bytes",
    ]),
    "near name": ({"nets": "def resnet(): pass\ndef lenet(): pass\n"}, "nets.py:resnt", [
        "`nets.py` has no `resnt`; did you mean `resnet` or `lenet`?",
    ]),
    "no such name": ({"nets": "import os\nfrom json import dumps\ndef build(): pass\n"},
                     "nets.py:xyz", [
        "`nets.py` has no `xyz`",
        "hint: it has `build`",
    ]),
    "no such method": ({"nets": "class Net:\n    def small(): pass\n"}, "nets:Net.smal", [
        "`nets` has no `smal`; did you mean `small`?",
    ]),
    "not a function": ({"nets": "width = [1, 2]"}, "nets.py:width", [
        "`nets.py:width` is not a function, it is list of 2",
    ]),
    "a model": ({"nets": "class M:\n  get_weights = __call__ = len\nmodel = M()"},
                     "nets.py:model", [
        "`nets.py:model` is a model, and every run needs a fresh one",
        "hint: refer to a function that makes and returns it",
    ]),
    "exit at import": ({"nets": "import sys\nsys.exit(3)"}, "nets.py:f", [
        "`nets.py` called `sys.exit(3)` while it was imported",
        "  nets.py:2",
        "    sys.exit(3)",
        'hint: put what a program does under `if __name__ == "__main__":`',
    ]),
    "exception at import": ({"nets": "import layers", "layers": "1 / 0"}, "nets.py:f", [
        "`nets.py` raised ZeroDivisionError while it was imported: division by zero",
        "  nets.py:1",
        "    import layers",
        "  layers.py:1",
        "    1 / 0",
    ]),
    "exception": ({"nets": "def f():\n    return g(2)\n\ndef g(x):\n    import json\n"
                           "    return json.loads('x')\n"}, "nets.py:f", [
        "`nets.py:f` raised JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        "  nets.py:2, in f",
        "    return g(2)",
        "  nets.py:6, in g",
        "    return json.loads('x')",
    ]),
    "several lines": ({"nets": "def f():\n    raise ValueError('one\\ntwo\\n\\nthree')"},
                     "nets.py:f", [
        "`nets.py:f` raised ValueError: one",
        "  two",
        "  ",
        "  three",
        "  nets.py:2, in f",
        "    raise ValueError('one\\ntwo\\n\\nthree')",
    ]),
    "no text": ({"nets": "def f():\n    assert False"}, "nets.py:f", [
        "`nets.py:f` raised AssertionError",
        "  nets.py:2, in f",
        "    assert False",
    ]),
    "hostile text": ({"nets": "class E(Exception):\n    def __str__(self): return 1 / 0\n"
                              "def f():\n    raise E"}, "nets.py:f", [
        "`nets.py:f` raised E",
        "  nets.py:4, in f",
        "    raise E",
    ]),
    "recursion": ({"nets": "def f():\n    return f()\n"}, "nets.py:f", [
        "`nets.py:f` raised RecursionError: maximum recursion depth exceeded",
        *["  nets.py:2, in f", "    return f()"] * 4,
        "  ... (N more calls)",
        *["  nets.py:2, in f", "    return f()"] * 4,
    ]),
    "recursion at import": ({"nets": "def f():\n    f()\nf()\n"}, "nets.py:f", [
        "`nets.py` raised RecursionError while it was imported: maximum recursion depth exceeded",
        "  nets.py:3",
        "    f()",
        *["  nets.py:2, in f", "    f()"] * 3,
        "  ... (N more calls)",
        *["  nets.py:2, in f", "    f()"] * 4,
    ]),
    "exit": ({"nets": "def f():\n    raise SystemExit"}, "nets.py:f", [
        "`nets.py:f` called `sys.exit()`",
        "  nets.py:2, in f",
        "    raise SystemExit",
        'hint: put what a program does under `if __name__ == "__main__":`',
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("files", "text", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(files, text, expected, write, here):
    write(**files)
    said = [re.sub(r"\(\d+ more calls\)", "(N more calls)", line) for line in told(call, text)]
    said = [line.replace(str(here), "HERE").replace(sys.executable, "PYTHON") for line in said]
    assert said == expected


def test_a_deeply_nested_file(write):
    write(nets="x = " + "(" * 500 + ")" * 500)
    assert told(load, "nets.py:f")[0].startswith("`nets.py` is n")


def test_files_that_are_none(here):
    (here / "nets.py").mkdir()
    assert told(load, "nets.py:f") == ["`nets.py` cannot be read: is a directory"]
    os.mkfifo(here / "pipe.py")
    assert told(load, "pipe.py:f") == ["`pipe.py` cannot be read: is not a regular file"]


def test_long_messages_are_cut(write):
    write(nets="def f():\n    raise ValueError('x' * 10_000 + '\\ny' * 30)")
    lines = told(call, "nets.py:f")
    assert len(lines) == 1 + 10 + 1 + 2
    assert max(map(len, lines)) < 500
    assert lines[11] == "  ... (20 more lines)"


def test_wrong_returns():
    def said(value):
        return told(_raise, code_errors.wrong_return("nets.py:f", "a Keras model", value))

    got = "`nets.py:f` must return a Keras model, got"
    assert said(None) == [f"{got} None", "hint: does it end with `return`?"]
    assert said(3) == [f"{got} int"]
    assert said(np.zeros((2, 3))) == [f"{got} ndarray of shape (2, 3)"]
    assert said((np.zeros(2), [1])) == [f"{got} a tuple of ndarray of shape (2,) and list of 1"]
    assert said({"a": 1, "b": 2}) == [f"{got} a dict with `a`, `b`"]


def _raise(error):
    raise error


# --- calling ---

OFFERED = {"input_shape": (28, 28), "outputs": 10, "seed": 3}
CALLS = {
    "nothing": ("def f(): return 'ok'", {}, "ok"),
    "some": ("def f(seed): return seed", {}, 3),
    "in its own order": ("def f(outputs, input_shape): return outputs, input_shape",
        {}, (10, (28, 28))),
    "arguments": ("def f(seed, width=1): return seed, width", {"width": 64}, (3, 64)),
    "default": ("def f(width=1): return width", {}, 1),
    "keyword-only": ("def f(*, seed, width): return seed, width", {"width": 2}, (3, 2)),
    "kwargs take the arguments": ("def f(seed, **others): return seed, others",
        {"w": 2}, (3, {"w": 2})),
    "kwargs alone": ("def f(**others): return others", {}, {}),
    "positional-only": ("def f(seed, width=5, outputs=1, /): return seed, width, outputs",
        {}, (3, 5, 10)),
    "positional-only arguments": ("def f(width, seed, /): return width, seed",
        {"width": 2}, (2, 3)),
    "args": ("def f(seed, *others): return seed, others", {}, (3, ())),
    "the user's word wins": ("def f(seed): return seed", {"seed": 8}, 8),
    "class": ("class f:\n    def __new__(cls, seed): return seed", {}, 3),
    "partial": ("import functools\nf = functools.partial(lambda seed, w: (seed, w), w=2)",
        {}, (3, 2)),
    "lambda": ("f = lambda seed: seed", {}, 3),
    "C": ("f = dict", {"a": 1}, {"a": 1}),
}  # fmt: skip


@pytest.mark.parametrize(("source", "args", "expected"), CALLS.values(), ids=CALLS)
def test_calls(source, args, expected, write):
    write(nets=source)
    assert load("nets.py:f").call(OFFERED, args) == expected


ARGUMENTS = {
    "unknown": ("def f(width, depth): pass", {"widht": 1}, [
        "`nets.py:f` has no parameter `widht`; did you mean `width`?",
        "hint: its parameters are `width`, `depth`",
    ]),
    "none": ("def f(): pass", {"width": 1}, [
        "`nets.py:f` has no parameter `width`", "hint: it has no parameters",
    ]),
    "missing": ("def f(seed, width): pass", {}, [
        "`nets.py:f` needs `width`, which nobody gives",
        "hint: state it in `args`; lrlab offers `input_shape`, `outputs`, `seed`",
    ]),
    "missing positional": ("def f(width, /): pass", {}, [
        "`nets.py:f` needs `width`, which nobody gives",
        "hint: state it in `args`; lrlab offers `input_shape`, `outputs`, `seed`",
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("source", "args", "expected"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments_that_do_not_fit(source, args, expected, write):
    write(nets=source)
    assert told(load("nets.py:f").call, OFFERED, args) == expected


def test_a_type_error_of_theirs_is_theirs(write):
    write(nets="def f(seed):\n    return seed + 'a'\n")
    said = told(load("nets.py:f").call, OFFERED)
    assert said[0].startswith("`nets.py:f` raised TypeError: unsupported operand")
    assert said[1] == "  nets.py:2, in f"


# --- what it does to the process is undone ---

MEDDLING = """
import os, random, sys
import numpy as np
os.chdir('/')
sys.path.insert(0, '/nowhere')
sys.argv.append('--more')
sys.setrecursionlimit(5000)
print('printed')
random.seed(1); np.random.seed(1)
sys.stderr = sys.stdout
def f():
    os.chdir('/')
    sys.path.clear()
    random.seed(1)
    print('printed again')
    sys.stdout = None
    return 1
"""


def test_meddling_is_undone(write, here, capfd):
    write(nets=MEDDLING)
    kept = [list(sys.path), list(sys.argv), sys.stdout, sys.stderr, sys.getrecursionlimit()]
    state, bytecode = random.getstate(), sys.dont_write_bytecode
    assert call("nets.py:f") == 1
    assert Path.cwd() == here
    assert [sys.path, sys.argv, sys.stdout, sys.stderr, sys.getrecursionlimit()] == kept
    assert (random.getstate(), sys.dont_write_bytecode) == (state, bytecode)
    out, err = capfd.readouterr()
    assert out == ""
    assert err == "printed\nprinted again\n"


def test_it_writes_nothing_beside_the_code(write, here):
    write(nets="import layers\ndef f(): pass", layers="")
    call("nets.py:f")
    assert sorted(path.name for path in here.iterdir()) == ["layers.py", "nets.py"]


def test_a_parser_of_arguments_does_not_see_ours(write, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["lrlab", "compare", "x.yaml"])
    write(nets="import argparse\nargparse.ArgumentParser().parse_args()\ndef f(): return 1")
    assert call("nets.py:f") == 1


def test_ctrl_c_goes_through(write):
    write(nets="def f(): raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        call("nets.py:f")


def test_settings_of_keras_are_kept_for_it_and_restored(write):
    import keras

    write(
        nets="import keras\nkeras.mixed_precision.set_global_policy('mixed_float16')\n"
        "def f(): return keras.config.dtype_policy().name\n",
        plain="import keras\ndef f(): return keras.config.dtype_policy().name\n",
    )
    (Path("other")).mkdir()
    Path("plain.py").rename("other/plain.py")
    loaded = load("nets.py:f")
    assert keras.config.dtype_policy().name == "float32"
    assert loaded.call({}) == "mixed_float16"
    assert call("other/plain.py:f") == "float32"
    assert keras.config.dtype_policy().name == "float32"


def test_a_call_draws_from_the_seed_it_is_given(write):
    write(nets="import random\ndef f(): return random.random()")
    loaded = load("nets.py:f")
    drawn = []
    for seed in (1, 1, 2):
        with preserved_random_state(seed):
            drawn.append(loaded.call({}))
    assert drawn[0] == drawn[1] != drawn[2]


NOTEBOOK = """
import keras
from layers_of_mine import Doubled
class Net(keras.Model):
    def __init__(self, width):
        super().__init__()
        self.inner = keras.layers.Dense(width)
        self.outer = Doubled()
    def call(self, x):
        return self.outer(self.inner(x))
def build(input_shape, width=3):
    model = Net(width)
    model(keras.Input(input_shape))
    return model
"""


def test_a_model_as_in_a_notebook_is_a_function_of_the_seed(write):
    import keras

    write(nets=NOTEBOOK, layers_of_mine="import keras\nclass Doubled(keras.layers.Layer):\n"
          "    def call(self, x): return 2 * x")  # fmt: skip
    loaded = load("nets.py:build")
    weights = []
    for seed in (1, 1, 2):
        with preserved_random_state(seed):
            model = loaded.call({"input_shape": (4,), "seed": seed}, {"width": 5})
        assert isinstance(model, keras.Model)
        assert model(np.ones((2, 4))).shape == (2, 5)
        weights.append(model.get_weights()[0])
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])
    said = told(loaded.call, {"input_shape": ("x",)})  # From within Keras.
    assert said[0].startswith("`nets.py:build` raised ")
    assert "  nets.py:13, in build" in said
    assert not [line for line in said if "site-packages" in line]


# --- where its modules come from ---


def test_modules_beside_the_file_are_found_then_and_later(write):
    write(sub__nets="import layers\ndef f():\n    import late\n    return layers.x + late.x",
          sub__layers="x = 1", sub__late="x = 2")  # fmt: skip
    assert call("sub/nets.py:f") == 3
    assert str(Path.cwd() / "sub") not in sys.path


def test_two_projects_with_files_of_one_name_do_not_meet(write):
    for folder in ("one", "two"):
        write(**{
            f"{folder}__nets": "import layers\ndef f():\n    import layers as again\n"
                               "    return layers.name, again.name, __file__",
            f"{folder}__layers": f"name = '{folder}'",
        })  # fmt: skip
    one, two = load("one/nets.py:f"), load("two/nets.py:f")
    for _ in range(2):
        assert one.call({}) == ("one", "one", str(Path.cwd() / "one" / "nets.py"))
        assert two.call({}) == ("two", "two", str(Path.cwd() / "two" / "nets.py"))


def test_a_file_named_like_a_library_is_not_taken_for_it(write):
    import json as library

    write(
        sub__json="def f(): return 'theirs'", sub__nets="import json\ndef f(): return json.dumps(1)"
    )
    assert call("sub/json.py:f") == "theirs"
    assert sys.modules["json"] is library
    assert call("sub/nets.py:f") == "1"


def test_what_it_adds_to_the_path_is_there_when_it_runs(write, here):
    write(sub__nets="import sys\nsys.path.append('lib')\ndef f():\n    import tools_of_mine\n"
                    "    return tools_of_mine.x", lib__tools_of_mine="x = 5")  # fmt: skip
    assert call("sub/nets.py:f") == 5
    assert "lib" not in sys.path


def test_a_module_of_the_working_directory(write):
    write(my__nets="from . import layers\nfrom my.deep.er import y\ndef f(): return layers.x + y",
          my__layers="x = 1", my__deep__er="y = 2")  # fmt: skip
    assert call("my.nets:f") == 3


def test_functions_of_one_file_share_its_module(write):
    write(nets="state = []\ndef f(): state.append(1)\ndef g(): return state")
    call("nets.py:f")
    assert call("nets.py:g") == [1]


def test_packages_of_one_name_in_two_projects(write, monkeypatch):
    write(one__my__nets="from my import layers\ndef f(): return layers.x", one__my__layers="x = 1",
          two__my__INIT="", two__my__nets="from my import layers\ndef f(): return layers.x",
          two__my__layers="x = 2")  # fmt: skip
    loaded = []
    for folder in ("one", "../two"):
        monkeypatch.chdir(folder)
        loaded.append(load("my.nets:f"))
    assert [each.call({}) for each in loaded * 2] == [1, 2, 1, 2]


def test_an_installed_module():
    loaded = load("json.decoder:JSONDecoder")
    assert "json/decoder.py" in loaded.sources
    assert all(name.startswith("json/") for name in loaded.sources)


def test_a_file_changed_between_is_run_anew_with_all_that_it_imports(write):
    write(nets="import layers\ndef f(): return layers.x", layers="x = 1")
    first = load("nets.py:f")
    write(layers="x = 22")
    assert told(first.check_unchanged) == [
        "`layers.py` has changed since this command began",
        "hint: run it again; runs of the new code are kept apart from those of the old",
    ]
    second = load("nets.py:f")
    assert (first.call({}), second.call({})) == (1, 22)
    assert first.identity() != second.identity()
    write(nets="import layers\ndef f(): return -layers.x")
    assert call("nets.py:f") == -22
    Path("nets.py").unlink()
    assert told(second.check_unchanged)[0].startswith("`nets.py` has changed")


def test_a_file_that_failed_may_be_mended(write):
    write(nets="1 / 0")
    told(load, "nets.py:f")
    write(nets="def f(): return 1")
    assert call("nets.py:f") == 1


# --- identity ---


def identity(text, **args):
    return load(text).identity(args)


def test_identity_names_the_code_its_arguments_and_its_files(write):
    write(sub__nets="import layers, json\ndef f():\n    from package import inner\n",
          sub__layers="", sub__unused="",
          sub__package__inner="from .. import x\nfrom .other import y",
          sub__package__other="", sub__package__INIT="")  # fmt: skip
    found = identity("sub/nets.py:f", width=64, names=("a", "b"))
    assert found["import"] == "nets.py:f"
    assert found["args"] == {"width": 64, "names": ["a", "b"]}
    assert list(found["sha256"]) == [
        "layers.py", "nets.py", "package/__init__.py", "package/inner.py", "package/other.py",
    ]  # fmt: skip
    assert json.loads(json.dumps(found)) == found
    assert "args" not in identity("sub/nets.py:f")


def test_identity_stays_when_the_project_moves(write, here):
    write(sub__nets="import layers\ndef f(): pass", sub__layers="x = 1")
    first = identity("sub/nets.py:f")
    (here / "sub").rename(here / "moved")
    assert identity("moved/nets.py:f") == first


@pytest.mark.parametrize("changed", ["nets", "layers", "package__deep", "late"])
def test_identity_changes_with_every_file_that_is_imported(changed, write):
    files = {"nets": "import layers\ndef f():\n    import late", "late": "",
             "layers": "import package.deep as deep", "package__deep": "x = 1"}  # fmt: skip
    write(**files)
    first = identity("nets.py:f")
    write(**{changed: files[changed] + "\n# changed\n"})
    second = identity("nets.py:f")
    name = f"{changed.replace('__', '/')}.py"
    differ = {key for key in first["sha256"] if first["sha256"][key] != second["sha256"][key]}
    assert differ == {name}


def test_identity_knows_what_was_imported_by_other_means(write):
    write(nets="import importlib\nlayers = importlib.import_module('lay' + 'ers')\ndef f(): pass\n"
               "def g(): pass", layers="")  # fmt: skip
    assert list(identity("nets.py:f")["sha256"]) == ["layers.py", "nets.py"]
    assert list(identity("nets.py:g")["sha256"]) == ["layers.py", "nets.py"]


def test_identity_of_a_package(write):
    write(my__INIT="", my__nets="from . import layers\ndef f(): pass", my__layers="")
    assert list(identity("my.nets:f")["sha256"]) == ["my/__init__.py", "my/layers.py", "my/nets.py"]


def test_identity_refuses_arguments_that_json_does_not_know(write):
    write(nets="def f(**others): pass")
    for value in (float("nan"), {1, 2}):
        assert told(identity, "nets.py:f", x=value)[0].startswith("`args` of `nets.py:f`: ")


def test_identity_of_a_saved_model(here):
    (here / "m.keras").write_bytes(b"abc")
    assert code_loading.file_identity(code.parse("m.keras", here)) == {
        "import": "m.keras",
        "sha256": {"m.keras": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    }
    assert told(code_loading.file_identity, code.parse("n.keras", here)) == [
        f"`{here}/n.keras` cannot be read: No such file or directory"
    ]
