"""Text from strangers in Markdown: it stays text."""

from collections.abc import Sequence


def literal(text: str) -> str:
    """Return a text in which Markdown finds neither HTML nor a link or an image."""
    for character, shown in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("[", "\\["),
        ("]", "\\]"),
    ):
        text = text.replace(character, shown)
    return text


def row(cells: Sequence[str]) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
