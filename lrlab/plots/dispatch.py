"""What `lrlab plot` does: find out what was given, and draw it."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from lrlab.analysis import gathering
from lrlab.config import Experiment
from lrlab.errors import ResultsError, UsageError
from lrlab.io import atomic, reading
from lrlab.plots import canvas, comparison_figures, sensitivity_figure, sweep_figure
from lrlab.results import comparison, sweep_record, tuning_record
from lrlab.results.inspection import check_directory
from lrlab.schedules import Length
from lrlab.tasks.code import Origin

Warn = Callable[[str], None]
"""Takes what is allowed in a config but surely not meant."""


def plot(
    given: Sequence[Path],
    out: Path | None,
    kind: str,
    warn: Warn,
    width: float | None = None,
    trusted: Collection[Origin] = (),
) -> list[Path]:
    """Draw what a results directory holds, or preview the schedules of configs.

    Args:
        given: One results directory, or config files.
        out: Where the figures go; default the directory itself, `results` for configs.
        kind: `png`, `svg` or `pdf`.
        warn: Takes warnings: about configs, and that a comparison is not whole.
        width: How wide the figures are, in inches; None is the usual width.
        trusted: The files and modules whose code may run for the schedules of configs.

    Returns:
        The files written.

    Raises:
        UsageError: If files and directories are mixed, or the kind is unknown.
        ConfigError: If a config is wrong.
        ResultsError: If the directory holds nothing to draw, or cannot be read or written.
    """
    if kind not in canvas.FORMATS:
        raise UsageError(f"unknown format `{kind}`", f"use one of {', '.join(canvas.FORMATS)}")
    folders = _folders(given)
    if not folders:
        from lrlab.plots import schedule_figure

        previews = previewed(given, warn, trusted)
        return schedule_figure.save(out or Path("results"), previews, kind, width)
    if len(given) > 1:
        raise UsageError(
            f"cannot draw `{folders[0]}` together with other arguments",
            "give one results directory, or config files",
        )
    return _redraw(folders[0], out or folders[0], kind, warn, width)


def _redraw(folder: Path, target: Path, kind: str, warn: Warn, width: float | None) -> list[Path]:
    check_directory(folder)
    drawn: list[Path] = []
    named = (
        comparison.FILE,
        tuning_record.FILE,
        sweep_record.JSON_FILE,
        sweep_record.CSV_FILE,
        gathering.RUNS,
    )
    for name in named:
        atomic.check_within(folder, folder / name)
    if reading.exists(folder / comparison.FILE):
        compared = comparison.read(folder)
        drawn += comparison_figures.save(folder, compared, target, kind, width=width)
    if reading.exists(folder / tuning_record.FILE):
        drawn += sensitivity_figure.save(target, tuning_record.read(folder), kind, width)
    if reading.exists(folder / sweep_record.JSON_FILE):
        drawn += sweep_figure.save(target, sweep_record.read(folder), kind, width)
    if not drawn and (gathered := gathering.gather(folder)) is not None:
        warn(f"`{folder}`: {gathered.in_words}")
        for text in gathered.left_out:
            warn(f"{text}; not drawn")
        compared, results = gathered.comparison, gathered.results
        drawn += comparison_figures.save(folder, compared, target, kind, results, width)
    if not drawn:
        raise ResultsError(
            f"holds none of `{comparison.FILE}`, `{tuning_record.FILE}` and "
            f"`{sweep_record.JSON_FILE}`, and no run has ended",
            "make them with `lrlab compare`, `lrlab tune` or `lrlab find-lr`",
            path=folder,
        )
    return drawn


def previewed(
    given: Sequence[Path], warn: Warn, trusted: Collection[Origin] = ()
) -> list[tuple[Experiment, int]]:
    """Return the experiments that configs state, each with its steps an epoch.

    Raises:
        UsageError: If something else than configs is given, or a rate is `auto`.
        ConfigError: If a config is wrong.
        CodeError: If the function that is a schedule cannot be had, or gives no sound rates.
    """
    from lrlab import config
    from lrlab.config import own_rates
    from lrlab.fields import auto_rates
    from lrlab.tasks import data

    if folders := _folders(given):
        raise UsageError(
            f"`{folders[0]}` is no config, and only the curves of configs are drawn in a terminal",
            "give config files; `lrlab plot` without `--terminal` draws a directory's figures",
        )
    experiments = []
    for read in map(own_rates.loaded, config.read(given, (), trusted, "schedule")):
        e = read.experiment
        if wanted := auto_rates(e.schedule):
            raise UsageError(
                f"`{read.source.path}`: {', '.join(wanted)} is `auto`, so there is no curve yet",
                "`lrlab compare` finds it by a sweep; or put in what `lrlab find-lr` suggests",
            )
        images = data.train_images(e.wanted)
        if images is None:
            images = data.USUAL_IMAGES
            warn(
                f"`{read.source.path}`: how many examples `{e.wanted.name}` has is known when it "
                f"is read; the curve is drawn for {images:,}"
            )
        steps_per_epoch = Length.of(images, e.batch_size, e.epochs).steps_per_epoch
        for text in config.warnings(read, steps_per_epoch):
            warn(text)
        experiments.append((e, steps_per_epoch))
    return experiments


def _folders(given: Sequence[Path]) -> list[Path]:
    return [path for path in given if reading.is_folder(path) or path.suffix == ""]
