"""HTML that cannot be broken out of: whatever is not made here is text, and is shown as it is."""

import html
from collections.abc import Iterable
from typing import Any

from lrlab.io.printable import printable

_VOID = ("br", "img", "input", "meta")


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | Html


def tag(name: str, /, *children: "Child | Iterable[Any]", **attributes: str | bool | None) -> Html:
    """Return an element; children that are not `Html` are escaped, as are attributes.

    A trailing underscore of an attribute is left out, inner ones are hyphens; True has no value,
    and None or False is no attribute.

    Example:
        >>> tag("p", "a < b ", tag("b", "c"), class_="x", aria_label='"')
        '<p class="x" aria-label="&quot;">a &lt; b <b>c</b></p>'
    """
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{_text(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{name}{given}>")
    return Html(f"<{name}{given}>{join(children)}</{name}>")


def join(children: Iterable[Any]) -> Html:
    """Return what stands one after another."""
    parts = []
    for child in children:
        if isinstance(child, Html):
            parts.append(str(child))
        elif isinstance(child, str):
            parts.append(_text(child))
        else:
            parts.append(str(join(child)))
    return Html("".join(parts))


def lines(text: str) -> Html:
    """Return a text of several lines, for `pre`."""
    return Html("\n".join(_text(line) for line in text.split("\n")))


def _text(text: str) -> str:
    return html.escape(printable(text))
