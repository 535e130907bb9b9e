"""Fixtures that several test modules share."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from lrlab.io.quiet import prepare_tensorflow
from lrlab.tasks import fashion_mnist, models

# Before any test module imports Keras itself: in-process runs then equal those of the commands.
prepare_tensorflow()

# A busy machine is no reason to fail.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

SMALL_CLASSES = 4


@pytest.fixture(scope="session")
def small_npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set that trains in a moment: 611 and 120 noisy images of 8x8 in 4 classes."""
    rng = np.random.default_rng(7)
    centres = rng.uniform(60, 190, (SMALL_CLASSES, 8, 8))

    def draw(images: int) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.permutation(np.arange(images) % SMALL_CLASSES).astype(np.uint8)
        pixels = centres[labels] + rng.normal(0, 90, (images, 8, 8))
        return np.clip(pixels, 0, 255).astype(np.uint8), labels

    (x_train, y_train), (x_test, y_test) = draw(611), draw(120)
    path = tmp_path_factory.mktemp("data") / "small.npz"
    np.savez_compressed(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a config file into the test's folder."""

    def write(text: str, name: str = "x.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def broken_cnn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the model `cnn` fail when it is built, in this process."""
    build = models.build

    def broken(model: str, *others: object, **settings: object) -> object:
        if model == "cnn":
            raise ValueError("no such luck")
        return build(model, *others, **settings)

    monkeypatch.setattr(models, "build", broken)


@pytest.fixture(scope="session")
def fashion_dir() -> Path:
    """The folder of the real Fashion-MNIST files; without them the test is skipped, and says so."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "fashion-mnist"
    folder = Path(os.environ.get("LRLAB_DATA_DIR") or beside)
    missing = [name for name in fashion_mnist.FILES if not (folder / name).is_file()]
    if missing:
        pytest.skip(f"no {missing[0]} in `{folder}`; set LRLAB_DATA_DIR to the real Fashion-MNIST")
    return folder


@pytest.fixture
def mount_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts a disk of a size as `128k`, in memory, for the test.

    Where none may be mounted the test is skipped, and says so.
    """
    folder = tmp_path / "disk"

    def mount(size: str) -> Path:
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            folder.rmdir()
            pytest.skip(f"a small disk cannot be mounted here: {made.stderr.strip()}")
        return folder

    yield mount
    if folder.exists():
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="session", autouse=True)
def heed_ctrl_c() -> None:
    """Undo what a shell does to background jobs: SIGINT is ignored, and children inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
