"""Data sets: find, read, split off validation, standardise.

`resolve` says which data a name means; `load` gives what is trained on.
"""

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lrlab.errors import DataError
from lrlab.io import reading
from lrlab.tasks import (
    code,
    code_loading,
    fashion_mnist,
    labels,
    parts,
    sizes,
    sketches,
    stream_source,
)
from lrlab.tasks.code import Origin
from lrlab.tasks.cycling import TRAIN_ROWS, cycling
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.parts import Given, Part, Tree, joined
from lrlab.tasks.random_state import preserved_random_state
from lrlab.tasks.readers import csv_table, keras_sets, named_arrays, returned
from lrlab.tasks.scale import Scale
from lrlab.tasks.sentences import TRAIN_SENTENCES, sentences
from lrlab.tasks.split import BOOK, DRAWN, Split
from lrlab.tasks.streamed import Streams
from lrlab.tasks.task import CLASSIFICATION, Task, of_targets
from lrlab.tasks.wanted import BUILT_IN, EMBEDDED, KERAS, Wanted

Warn = Callable[[str], None]

USUAL_IMAGES = fashion_mnist.TRAIN_IMAGES - BOOK.count(fashion_mnist.TRAIN_IMAGES)
"""Images of Fashion-MNIST to train on."""

FALLBACK_WARNING = (
    "Fashion-MNIST was not found and could not be downloaded; using `sketches` instead, drawings "
    "made by lrlab. Results are NOT comparable with those on Fashion-MNIST"
)


@dataclass(frozen=True, eq=False)
class DataSet:
    """What is trained on, as it was read; `scale` is applied batch by batch.

    Args:
        train: What to train on.
        validation: What was held out.
        test: What a finished model is measured on once, None without it.
        task: What the targets ask for.
        scale: How inputs are standardised, None if they are not; by name where there are several.
        target_scale: How amounts are standardised that a model learns, None if they are not.
    """

    train: Part
    validation: Part
    test: Part | None
    task: Task = CLASSIFICATION
    scale: Any = None
    target_scale: Scale | None = None

    def inputs(self, part: Part) -> Any:
        """Return the inputs of a part as a model takes them."""
        return scaled(part.x, self.scale)

    def targets(self, split: Literal["train", "validation"]) -> Tree:
        """Return the targets to train or to validate on."""
        return (self.train if split == "train" else self.validation).y

    @property
    def x_train(self) -> Any:
        """The inputs to train on, as a model takes them."""
        return self.inputs(self.train)

    @property
    def x_val(self) -> Any:
        """The inputs to validate on."""
        return self.inputs(self.validation)

    @property
    def x_test(self) -> Any:
        """The inputs to test on, None without them."""
        return None if self.test is None else self.inputs(self.test)


def scaled(x: Tree, scale: Any) -> Any:
    """Return inputs standardised by a scale, or by one for each name."""
    if isinstance(scale, Scale) and isinstance(x, np.ndarray):
        return scale(x)
    if isinstance(scale, dict) and isinstance(x, dict):
        return {name: scaled(array, scale[name]) for name, array in x.items()}
    return x


def resolve(
    wanted: Wanted | str,
    data_dir: Path | None = None,
    warn: Warn | None = None,
    *,
    trusted: Collection[Origin] = (),
) -> DataSource:
    """Return the data that an experiment asks for.

    Args:
        wanted: What it asks for, or a name as in a config.
        data_dir: Where the files of Fashion-MNIST are looked for first.
        warn: Called with a text when `auto` falls back to `sketches`, and about targets that are
            probably a mistake.
        trusted: The files and modules whose code may run.

    Raises:
        DataError: If it is not there and cannot be had.
        CodeError: If it is a user's function that is not trusted, or fails.
    """
    if isinstance(wanted, str):
        wanted = Wanted(wanted)
    if data_dir is not None and not reading.is_folder(data_dir):
        raise DataError(
            f"`{data_dir}` is not a folder", "pass an existing folder with `--data-dir`"
        )
    if wanted.name in BUILT_IN:
        return _split_as_stated(_built_in(wanted.name, data_dir, warn), wanted)
    name, given, digest = _read_own(wanted, trusted)
    if isinstance(given, Streams):
        return _resolve_streams(name, wanted, trusted, warn)
    if wanted.standardise is not None:
        given = given.scaled(wanted.standardise)
    split = wanted.split or DRAWN
    return resolve_given(name, given, digest, split=split, warn=warn, place=f"`{wanted.name}`")


def _built_in(name: str, data_dir: Path | None, warn: Warn | None) -> DataSource:
    if name == "sketches":
        return sketches.resolve()
    try:
        return fashion_mnist.resolve(data_dir)
    except DataError:
        if name != "auto":
            raise
    if warn is not None:
        warn(FALLBACK_WARNING)
    return sketches.resolve()


def _split_as_stated(source: DataSource, wanted: Wanted) -> DataSource:
    """Return built-in data with another split or scale, if they are stated."""
    if wanted.split is None and wanted.standardise is None:
        return source
    split = wanted.split or BOOK
    images = fashion_mnist.TRAIN_IMAGES
    stated = [source.fingerprint, split.text, wanted.standardise]
    fingerprint = hashlib.sha256(repr(stated).encode()).hexdigest()
    return replace(
        source,
        fingerprint=fingerprint,
        train_images=images - split.count(images),
        split=split,
        standardise=wanted.standardise is not False,
    )


def _resolve_streams(
    name: str, wanted: Wanted, trusted: Collection[Origin], warn: Warn | None
) -> DataSource:
    """Return the source of streams that a user's function makes, anew for every run."""
    if wanted.split is not None or wanted.standardise is not None:
        raise DataError(
            f"`{wanted.name}` gives streams, which lrlab neither splits nor scales",
            "leave out `validation` and `scale`, and do both in the function",
        )

    def make(seed: int) -> Streams:
        _, found, _ = _read_own(wanted, trusted, seed)
        assert isinstance(found, Streams)
        return found

    return stream_source.resolve_streams(name, make, warn=warn, place=f"`{wanted.name}`")


def _read_own(
    wanted: Wanted, trusted: Collection[Origin], seed: int = 0
) -> tuple[str, Given | Streams, str | None]:
    """Return a user's own data: their name, the arrays, and the hash of the file they were in."""
    if wanted.is_code:
        reference = code.parse(wanted.name, Path())
        function = code_loading.load(reference, trusted)
        with preserved_random_state(seed):  # Unseeded randomness is then the same every time.
            found = function.call({"seed": seed}, json.loads(wanted.args))
        return reference.import_string, returned.given(found, f"`{wanted.name}`"), None
    if wanted.name in _EMBEDDED:
        return wanted.name, _EMBEDDED[wanted.name](), None
    if wanted.name.startswith(KERAS):
        return wanted.name, keras_sets.read(wanted.name.removeprefix(KERAS)), None
    path = Path(wanted.name)
    if path.suffix == ".csv":
        return path.name, csv_table.read(path, **json.loads(wanted.args)), None
    if reading.is_folder(path):
        return path.name, named_arrays.read_npy_folder(path), None
    return path.name, named_arrays.read_npz(path), None


_EMBEDDED: dict[str, Callable[[], Given]] = {"cycling": cycling, "sentences": sentences}


def resolve_given(
    name: str,
    given: Given,
    digest: str | None = None,
    *,
    split: Split = DRAWN,
    warn: Warn | None = None,
    place: str = "",
) -> DataSource:
    """Return the source of arrays that were read already.

    Args:
        name: What tables and figures call it.
        given: The arrays.
        digest: Hash of what they were read from; None: of the arrays.
        split: What is held out where there is no validation part.
        warn: Called with each text about what is probably a mistake.
        place: What messages call it.

    Raises:
        DataError: If they cannot be trained on.
    """
    about = f"{place or f'`{name}`'}: "
    if flaw := labels.flaw(given):
        raise DataError(about + flaw.found, flaw.remedy)
    given = labels.tidied(given)
    task = of_targets(_targets(given))
    count = len(given.train)
    if count < 2:
        raise DataError(f"{about}there is {count} training example", "at least 2 are needed")
    held = 0 if given.validation else split.count(count)
    stated = [digest or parts.fingerprint(given), split.text if held else "", given.standardise]
    source = DataSource(
        name,
        hashlib.sha256(repr(stated).encode()).hexdigest(),
        count - held,
        shape=parts.row_shapes(given.train.x),
        task=task,
        split=split,
        given=given,
        vocabulary=_vocabulary(given),
        scales_targets=given.standardise_targets and _may_be_amounts(given.train.y),
    )
    if warn is not None:
        train, validation = _split(source, given)
        test = None if given.test is None else given.test.y
        told = [*given.notes, *labels.doubts(train.y, validation.y, task, test)]
        told += sizes.doubts(
            train.x,
            train.y,
            task,
            scaled=given.standardise,
            scaled_targets=source.scales_targets,
        )
        for text in told:
            warn(about + text)
    return source


def _may_be_amounts(y: Tree) -> bool:
    """Return whether targets are amounts, or whole numbers that a loss may say to be some."""
    return isinstance(y, np.ndarray) and (y.dtype.kind == "f" or y.ndim == 1)


def _vocabulary(given: Given) -> int | None:
    """Return how many tokens there are where examples are sequences of whole numbers."""
    x = [part.x for part in given.parts().values()]
    if given.standardise or not all(isinstance(each, np.ndarray) for each in x):
        return None
    arrays = [each for each in x if isinstance(each, np.ndarray)]
    if arrays[0].ndim != 2 or arrays[0].dtype.kind not in "iu" or arrays[0].dtype == np.uint8:
        return None
    return int(max(array.max() for array in arrays)) + 1


def _targets(given: Given) -> Tree:
    """Return the targets of all parts together, since a class may be in one of them only."""
    return joined([part.y for part in given.parts().values()])


def train_images(wanted: Wanted | str) -> int | None:
    """Return how many examples there are to train on, without looking for or reading any.

    None where only reading or running something would tell.

    Raises:
        DataError: If an npz file cannot be read.
    """
    wanted = Wanted(wanted) if isinstance(wanted, str) else wanted
    if wanted.name in BUILT_IN:
        images, split = fashion_mnist.TRAIN_IMAGES, wanted.split or BOOK
    elif wanted.name in EMBEDDED:
        images = {"cycling": TRAIN_ROWS, "sentences": TRAIN_SENTENCES}[wanted.name]
        split = wanted.split or DRAWN
    elif wanted.name.endswith(".npz"):
        images, split = named_arrays.train_rows(Path(wanted.name)), wanted.split or DRAWN
    else:
        return None
    return images - split.count(images)


def load(source: DataSource) -> DataSet:
    """Read a data set and split off the validation set.

    Of the built-in images the first twelfth, at most 5,000, is the validation set, as in the
    book; pixels are standardised with the mean and deviation of the remaining training images.

    Raises:
        DataError: If the files are damaged, or not what they were when they were resolved.
    """
    given = source.given or _read(source)
    train, validation = _split(source, given)
    scale = _scale(train.x) if given.standardise and source.standardise else None
    amounts = train.y if source.scales_targets and isinstance(train.y, np.ndarray) else None
    of_targets = None if amounts is None else Scale.of_targets(amounts)
    return DataSet(train, validation, given.test, source.task, scale, of_targets)


def _read(source: DataSource) -> Given:
    arrays = sketches.sketches() if source.path is None else fashion_mnist.read(source.path)
    x_train, y_train, x_test, y_test = arrays
    test = Part(x_test, y_test.astype(np.int32))
    return Given(Part(x_train, y_train.astype(np.int32)), test=test, standardise=True)


def _split(source: DataSource, given: Given) -> tuple[Part, Part]:
    if given.validation is not None:
        return given.train, given.validation
    train, held = source.split.of(len(given.train), labels.classes(given.train.y, source.task))
    if source.split.first:  # Views, not copies.
        return given.train.rows(slice(len(held), None)), given.train.rows(slice(len(held)))
    return given.train.picked(train), given.train.picked(held)


def _scale(x: Tree) -> Any:
    """Return how inputs are standardised; whole numbers among several inputs are categories."""
    if isinstance(x, dict):
        return {
            name: Scale.of(array) if array.dtype.kind == "f" else None for name, array in x.items()
        }
    return Scale.of(x) if isinstance(x, np.ndarray) else None
