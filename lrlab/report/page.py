"""`report.html`: one file that shows everything about a comparison or a sweep, without a request.

Its scripts are allowed by their hashes, nothing else is, and all text in it is escaped. Without
JavaScript there are the tables and the figures.
"""

import base64
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from lrlab.report.markup import Html, join, tag

_SCRIPTS = ("rates.js", "page.js", "curves.js", "questions.js", "results.js", "start.js")
"""Parts of one script, in their order."""


@dataclass(frozen=True)
class Picture:
    """A figure as it stands in the page.

    Args:
        content: The file.
        kind: `svg` or `png`.
        shows: What it shows, in words, for who cannot see it.
        only: Whether nothing interactive takes its place.
    """

    content: bytes
    kind: str
    shows: str
    only: bool = False

    def html(self) -> Html:
        """Return it as an image, in which no script runs and no name meets another figure's."""
        mime = "image/svg+xml" if self.kind == "svg" else "image/png"
        source = f"data:{mime};base64,{base64.b64encode(self.content).decode()}"
        image = tag("img", src=source, alt=self.shows)
        return tag("figure", image, class_=None if self.only else "static")


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        key: What a link to it is called.
        title: Its heading.
        content: What stands there.
    """

    key: str
    title: str
    content: Html

    def html(self) -> Html:
        """Return it with its heading."""
        heading = tag("h2", self.title, id=f"{self.key}-title")
        return tag(
            "section", heading, self.content, id=self.key, aria_labelledby=f"{self.key}-title"
        )


@dataclass(frozen=True)
class Page:
    """The report.

    Args:
        title: What it is about.
        about: The line under the title.
        sections: Its parts, the most important first.
        version: That of lrlab.
        data: What its scripts draw, by name; only lists, mappings, texts and finite numbers.
    """

    title: str
    about: str
    sections: Sequence[Section]
    version: str
    data: Mapping[str, Any] = field(default_factory=dict)


MOST_BYTES = 5_900_000
"""What a page should take at most."""


def room(sections: Sequence[Section]) -> int:
    """Return how many bytes sections leave for the data of a page."""
    taken = sum(len(each.content) for each in sections)
    return MOST_BYTES - taken - sum(map(len, _scripts()))


@functools.cache
def _scripts() -> tuple[str, str]:
    """Return Plotly's script and the page's own."""
    from plotly import offline

    return _as_parsed(offline.get_plotlyjs()), _own_script()


def html(page: Page) -> str:
    """Return the page as HTML."""
    scripts = _scripts()
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(scripts)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content=f"lrlab {page.version}"),
        tag("title", page.title),
        tag("style", Html(_resource("page.css"))),
    )
    links = [
        tag("li", tag("a", section.title, href=f"#{section.key}")) for section in page.sections
    ]
    body = tag(
        "body",
        tag("a", "Skip to the results", href=f"#{page.sections[0].key}", class_="skip"),
        tag("header", tag("h1", page.title), tag("p", page.about)),
        tag("nav", tag("ul", links), aria_label="Parts of the report"),
        tag("main", [section.html() for section in page.sections]),
        tag("footer", f"lrlab {page.version}. This file needs no network and sends nothing."),
        tag("script", Html(_data(page.data)), type="application/json", id="data"),
        *[tag("script", Html(script)) for script in scripts],
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _policy(scripts: Sequence[str]) -> str:
    """Return what the page may do: run these scripts, and show images that it holds itself.

    Plotly sets styles as it draws, so these are allowed; what a style could load is not.
    """
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts
    ]
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _own_script() -> str:
    parts = "\n".join(_resource(name) for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _resource(name: str) -> str:
    return _as_parsed((resources.files("lrlab.report") / "page" / name).read_text("utf-8"))


def _as_parsed(script: str) -> str:
    """Return a script as a browser reads it from a page; its hash is that of what it reads."""
    script = script.replace("\r\n", "\n").replace("\r", "\n")
    return script.replace("<!--", "<\\!--").replace("</script", "<\\/script")


def _data(data: Mapping[str, Any]) -> str:
    """Return data as JSON that ends no element and begins no comment."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def paragraphs(texts: Sequence[str], **attributes: str) -> Html:
    """Return a paragraph for each text that is not empty."""
    return join(tag("p", text, **attributes) for text in texts if text)


def definitions(rows: Mapping[str, str | Html]) -> Html:
    """Return a list of names with what they stand for."""
    return tag("dl", [(tag("dt", name), tag("dd", value)) for name, value in rows.items()])
