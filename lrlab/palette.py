"""One style per experiment, the same in all figures and in the report."""

# Okabe and Ito (2008): told apart by colour-blind people too, also in this order.
PALETTE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#8C6D1F",
)
DASHES = ("-", "--", ":", "-.")
TOLD_APART = len(PALETTE) * len(DASHES)
"""So many experiments have a style of their own; those beyond are thin grey lines."""

GREY = "#666666"


def style(index: int) -> tuple[str, str]:
    """Return colour and dashes of the experiment with that index.

    Example:
        >>> style(1), style(9)
        (('#D55E00', '-'), ('#D55E00', '--'))
    """
    return PALETTE[index % len(PALETTE)], DASHES[index // len(PALETTE) % len(DASHES)]
