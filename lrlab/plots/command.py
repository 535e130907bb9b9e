"""What `lrlab plot` does: find out what was given, and draw it."""

from collections.abc import Sequence
from pathlib import Path

from lrlab import comparison, files, sweep_record
from lrlab.errors import ResultsError, UsageError
from lrlab.plots import canvas, comparing, sweeping


def plot(given: Sequence[Path], out: Path | None, kind: str) -> list[Path]:
    """Draw what a results directory holds, or preview the schedules of configs.

    Args:
        given: One results directory, or config files.
        out: Where the figures go; default the directory itself, `results` for configs.
        kind: `png`, `svg` or `pdf`.

    Returns:
        The files written.

    Raises:
        UsageError: If files and directories are mixed, or the kind is unknown.
        ConfigError: If a config is wrong.
        ResultsError: If the directory holds nothing to draw, or cannot be read or written.
    """
    if kind not in canvas.FORMATS:
        raise UsageError(f"unknown format `{kind}`", f"use one of {', '.join(canvas.FORMATS)}")
    folders = [path for path in given if path.is_dir() or path.suffix == ""]
    if not folders:
        return _preview(given, out or Path("results"), kind)
    if len(given) > 1:
        raise UsageError(
            f"cannot draw `{folders[0]}` together with other arguments",
            "give one results directory, or config files",
        )
    return _redraw(folders[0], out or folders[0], kind)


def _redraw(folder: Path, target: Path, kind: str) -> list[Path]:
    if not folder.is_dir():
        raise ResultsError(
            f"`{folder}` is no directory", "make results with `lrlab compare CONFIG... --out DIR`"
        )
    drawn: list[Path] = []
    for name in (comparison.FILE, sweep_record.JSON_FILE, sweep_record.CSV_FILE):
        files.check_within(folder, folder / name)
    if (folder / comparison.FILE).exists():
        drawn += comparing.save(folder, comparison.read(folder), target, kind)
    if (folder / sweep_record.JSON_FILE).exists():
        drawn += sweeping.save(target, sweep_record.read(folder), kind)
    if not drawn:
        raise ResultsError(
            f"`{folder}` holds neither `{comparison.FILE}` nor `{sweep_record.JSON_FILE}`",
            "make them with `lrlab compare` or `lrlab find-lr`",
        )
    return drawn


def _preview(paths: Sequence[Path], target: Path, kind: str) -> list[Path]:
    from lrlab import config, data
    from lrlab.config.schedules.auto import auto_rates
    from lrlab.plots import preview

    experiments = []
    for read in config.read(paths):
        e = read.experiment
        if wanted := auto_rates(e.schedule):
            raise UsageError(
                f"`{read.source.path}`: {', '.join(wanted)} is `auto`, so there is no curve yet",
                "`lrlab compare` finds it by a sweep; or put in what `lrlab find-lr` suggests",
            )
        images = data.train_images(e.data)
        steps_per_epoch = -(-images // e.batch_size)
        config.warnings(read, steps_per_epoch)  # Raises where a formula gives no rate.
        experiments.append((e, steps_per_epoch))
    return preview.save(target, experiments, kind)
