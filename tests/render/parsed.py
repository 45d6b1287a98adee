"""HTML and markdown read back by parsers that are not ours: which tags, attributes, comments and texts are in it."""

from __future__ import annotations

from html.parser import HTMLParser

from markdown_it import MarkdownIt

VOID = frozenset({"meta", "input", "br", "hr"})


class Parsed(HTMLParser):
    """The elements of a document; what is not closed, or closed twice, is an error at once."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.comments: list[str] = []
        self.plain: list[str] = []
        self.code: list[str] = []
        self.counts: dict[str, int] = {}
        self.feed(document)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag and its attributes."""
        self.tags.add(tag)
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that ends itself, as Markdown writes a line break."""
        assert tag in VOID, (tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Every end is the end of what was opened last."""
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text, by whether a forge looks for mentions and links in it."""
        (self.code if {"code", "pre", "style"} & set(self.open) else self.plain).append(data)

    def handle_comment(self, data: str) -> None:
        """Note a comment."""
        self.comments.append(data)

    def handle_pi(self, data: str) -> None:
        """There is none."""
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        """There is none."""
        raise AssertionError(data)

    @property
    def text(self) -> str:
        """All text."""
        return "".join([*self.plain, *self.code])


def markdown(document: str) -> Parsed:
    """Return a comment as a platform renders it, before it looks for mentions and links."""
    return Parsed(MarkdownIt("commonmark", {"html": True}).render(document))
