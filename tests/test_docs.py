"""The documentation: links, navigation, generated parts, and no request to another host."""

import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
if not (ROOT / "mkdocs.yml").is_file():
    pytest.skip("no docs/ beside the tests: run them in a checkout", allow_module_level=True)

PAGES = sorted(DOCS.rglob("*.md"))
READ_AS_FILES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *PAGES]


def page_id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts and MkDocs make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    words = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {re.sub(r"[\s]+", "-", heading) for heading in words}


@pytest.mark.parametrize("page", READ_AS_FILES, ids=page_id)
def test_links_between_files_lead_somewhere(page):
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.S))
    for link in links:
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor and "--8<--" not in target.read_text(encoding="utf-8"):
            assert anchor in anchors(target), link


@pytest.mark.parametrize("page", sorted((DOCS / "guides").glob("*.md")), ids=page_id)
def test_guides_read_well_as_files(page):
    assert "--8<--" not in page.read_text(encoding="utf-8")


def test_every_page_is_in_the_navigation_once():
    def listed(item):
        if isinstance(item, str):
            yield item
        else:
            for inner in item.values() if isinstance(item, dict) else item:
                yield from listed(inner)

    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    found = list(listed(yaml.safe_load(text)["nav"]))
    assert sorted(found) == [str(path.relative_to(DOCS)) for path in PAGES]


def test_readme_is_short_and_has_both_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 160
    for name in ("main job", "tests"):
        assert re.search(rf"<!-- set-up: {name} -->\n```sh\n[^\n]+\n```\n", text)


# --- the scripts in docs/ ---


@pytest.fixture(scope="module")
def scripts():
    """Let the scripts in docs/ be imported."""
    sys.path.insert(0, str(DOCS))
    yield
    sys.path.remove(str(DOCS))


@pytest.mark.usefixtures("scripts")
def test_generated_parts_are_up_to_date():
    import reference

    assert reference.stale() == []


@pytest.mark.usefixtures("scripts")
def test_the_config_reference_states_shared_keys_once():
    import reference

    page = (DOCS / "reference" / "config.md").read_text(encoding="utf-8")
    for shared in reference.SHARED:
        assert page.count(f"| {shared.meaning} |") == 1


@pytest.mark.usefixtures("scripts")
@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<script src="https://cdn.example/a.js"></script>', ["https://cdn.example/a.js"]),
        ('<link rel="stylesheet" href="//fonts.example/b.css">', ["//fonts.example/b.css"]),
        ('<link href="https://fonts.example" rel="preconnect">', ["https://fonts.example"]),
        ('<img src="https://pictures.example/c.png">', ["https://pictures.example/c.png"]),
        ("<style>@import 'https://d.example/d.css';</style>", ["https://d.example/d.css"]),
        ("<p style='background: url(//e.example/e)'>", ["//e.example/e"]),
        ('<a href="https://arxiv.org">a link is followed, not loaded</a>', []),
        ('<script src="assets/a.js"></script><img src="../b.png">', []),
    ],
)
def test_what_a_page_loads_from_elsewhere_is_found(html, found):
    import hooks

    assert hooks.requests_of_page(html) == found


@pytest.mark.usefixtures("scripts")
def test_a_site_that_loads_something_from_elsewhere_is_refused(tmp_path):
    exceptions = pytest.importorskip("mkdocs.exceptions", reason="needs the extra `docs`")
    import hooks

    (tmp_path / "index.html").write_text("<p>all here</p>")
    hooks.on_post_build({"site_dir": str(tmp_path)})
    (tmp_path / "a.css").write_text("p { background: url('https://a.example/b.png') }")
    with pytest.raises(exceptions.PluginError, match=r"a\.css: https://a\.example/b\.png"):
        hooks.on_post_build({"site_dir": str(tmp_path)})
