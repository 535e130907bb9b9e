"""The cases of the corpus: the files beside this one, and large or derived ones that are made."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).parent
Content = Callable[[], bytes]


def all_cases() -> Iterator[tuple[str, str, Content]]:
    """Yield kind, name and content of every case."""
    for folder in sorted(path for path in HERE.iterdir() if path.is_dir()):
        for path in sorted(folder.iterdir()):
            if folder.name != "__pycache__":
                yield folder.name, path.name, path.read_bytes
