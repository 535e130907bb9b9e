"""What `mkdocs build` checks at the end: that no page of the site makes a request elsewhere."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}
_ELSEWHERE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_IN_CSS = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)


class _Requests(HTMLParser):
    """Collects the addresses that a browser loads when it shows a page; links are not loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        address = given.get(_LOADED.get(tag, ""))
        if tag == "link" and given.get("rel") not in ("canonical", "next", "prev", "alternate"):
            address = given.get("href")
        if address and _ELSEWHERE.match(address):
            self.found.append(address)


def requests_of_page(html: str) -> list[str]:
    """Return the addresses on other hosts that a page loads by itself."""
    parser = _Requests()
    parser.feed(html)
    return [*parser.found, *_IN_CSS.findall(html)]


def requests_of(site: Path) -> Iterator[tuple[Path, str]]:
    """Yield each page or stylesheet of a site with an address on another host that it loads."""
    for path in sorted(site.rglob("*")):
        if path.suffix not in (".html", ".css"):
            continue
        text = path.read_text(encoding="utf-8")
        found = requests_of_page(text) if path.suffix == ".html" else _IN_CSS.findall(text)
        for address in found:
            yield path.relative_to(site), address


def on_post_build(config: Any) -> None:
    """Fail the build if the site loads anything from elsewhere."""
    from mkdocs.exceptions import PluginError

    if found := [f"{path}: {address}" for path, address in requests_of(Path(config["site_dir"]))]:
        raise PluginError("the site must work without a network:\n" + "\n".join(found))
