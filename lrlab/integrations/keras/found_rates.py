"""What `find_lr` returns: a sweep and its suggestions, to be read, printed and drawn."""

import base64
import html
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.finder.suggestion import Suggestion
from lrlab.finder.sweep import StoppedBy
from lrlab.results.sweep_record import SweepRecord, SweepSettings, summarise

_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class FoundRates(Suggestion):
    """A finished sweep and what it suggests; see `Suggestion` for the rates and the verdict.

    Printed, it is a few lines; a notebook shows the figure below them.

    Attributes:
        lr: The rates of the sweep, float64, shape (steps,).
        losses: True batch losses, float64, shape (seeds, steps), NaN after each sweep's end.
        stopped_by: What ended each sweep.
        sweeps: How many sweeps of all seeds it took; this is the last one.
        tip: What else may help where there is no rate.
    """

    lr: npt.NDArray[np.float64]
    losses: npt.NDArray[np.float64]
    stopped_by: tuple[StoppedBy, ...]
    sweeps: int = 1
    tip: str = ""

    @property
    def meaning(self) -> str:
        """The verdict in a sentence that names the arguments of `find_lr`."""
        said = _OPTION.sub(
            lambda option: f"`{option[1].replace('-', '_')}=`", self.verdict.sentence
        )
        return f"{said}; {self.tip}" if self.tip and self.steady_lr is None else said

    def plot(self, ax: Any = None) -> Any:
        """Draw the curves and the suggested rates, as `lrlab find-lr` does.

        Args:
            ax: Axes of matplotlib to draw on; None: those of a new figure, which is not pyplot's.

        Returns:
            The axes; `found.plot().figure.savefig("sweep.png")` writes the figure.
        """
        from lrlab.plots import canvas, legends, sweep_figure

        title, made = f"LR sweep · {self._size}", None
        if ax is None:
            made, ax = canvas.panel(title)
        sweep_figure.draw_sweep(ax, self._record())
        ax.set_ylabel("batch loss")
        if made is None:
            ax.set_title(title, loc="left")
            ax.legend(frameon=False, fontsize="small")
        else:
            legends.legend(made, ax)
        return ax

    def _record(self) -> SweepRecord:
        """Return the sweep as the figure takes it, which needs none of the settings."""
        settings = SweepSettings(
            model="", optimizer={}, batch_size=1, data="", min_lr=float(self.lr[0]),
            max_lr=float(self.lr[-1]), steps=self.lr.size, seeds=len(self.losses),
        )  # fmt: skip
        summary = replace(summarise(self, self.stopped_by, settings), meaning=self.meaning)
        return SweepRecord(self.lr, self.losses, summary)

    @property
    def _size(self) -> str:
        count = len(self.losses)
        return f"{count} seed{'s' if count > 1 else ''} of {self.lr.size} steps"

    def __repr__(self) -> str:
        lines = [f"verdict    {self.verdict}: {self.meaning}"]
        if self.steady_lr is not None and self.max_lr is not None:
            lines += [
                f"steady_lr  {self.steady_lr:.3g} for constant and decaying schedules",
                f"max_lr     {self.max_lr:.3g} as the peak of one_cycle",
            ]
        if self.lowest_useful_lr is not None and self.highest_stable_lr is not None:
            usable = f"{self.lowest_useful_lr:.3g} to {self.highest_stable_lr:.3g}"
            lines.append(f"usable     {usable}")
        ended = Counter(self.stopped_by).most_common(1)[0][0]
        lines.append(
            f"sweep      {self._size}, {self.lr[0]:g} to {self.lr[-1]:g}; {ended.sentence}"
            + (f"; {self.sweeps - 1} before it gave no rate" if self.sweeps > 1 else "")
        )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        content = io.BytesIO()
        self.plot().figure.savefig(content, format="png")
        picture = base64.b64encode(content.getvalue()).decode()
        source = f"data:image/png;base64,{picture}"
        return f'<pre>{html.escape(repr(self))}</pre><img src="{source}" width="800">'
