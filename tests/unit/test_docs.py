"""Pages that are generated are fresh, and links lead somewhere."""

from pipelines.docs import dead_links, pages
from pipelines.options import ROOT


def test_generated_pages_say_what_the_code_says():
    for path, page in pages():
        assert path.read_text(encoding="utf-8") == page, f"{path.name} is stale; run make docs"


def test_no_link_between_pages_is_dead():
    assert list(dead_links(ROOT)) == []


def test_a_dead_link_is_found(tmp_path):
    (tmp_path / "README.md").write_text("[there](docs/nowhere.md) and [the web](https://example.org)\n")
    assert list(dead_links(tmp_path)) == ["README.md links to docs/nowhere.md, which is not there"]


def test_a_link_inside_a_code_block_is_an_example(tmp_path):
    (tmp_path / "README.md").write_text("```\n[x](nowhere.md)\n```\n")
    assert list(dead_links(tmp_path)) == []
