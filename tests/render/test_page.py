"""The html format in a browser: no sideways scroll, both layouts, light and dark, nothing loaded, nothing run.

Skipped where no Chromium is installed. Contrast is reckoned from the colour tables everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.render.browser import Browser, browser, find
from tests.render.changes import field_change
from tests.render.test_formats import CASES, GOLDEN
from tests.render.test_hostile import LARGE, _large
from trueup.core.plans.plan import Cause
from trueup.render import pages
from trueup.render.markup import html
from trueup.render.markup.html import DARK, LIGHT

CHROMIUM = find()
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
WIDE = "document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all."""
    assert CHROMIUM is not None
    with browser(CHROMIUM, tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.mark.exhaustive
@needs_browser
@pytest.mark.parametrize("case", [*CASES, "_answers"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_scrolls_sideways_in_either_layout(seen: Browser, case: str, width: int) -> None:
    name = "report.html" if case == "_answers" else "plan.html"
    seen.messages.clear()
    seen.show(GOLDEN / case / name, width)
    assert seen.value(WIDE) <= width
    seen.value("document.getElementById('side')?.click()")
    assert seen.value(WIDE) <= width
    assert seen.messages == []


@needs_browser
def test_the_layout_is_chosen_without_script(seen: Browser) -> None:
    seen.show(GOLDEN / "shared-part" / "plan.html", 1280)
    both = "[...document.querySelectorAll('.changed .old')].filter(e => e.offsetWidth > 0).length"
    removed = "[...document.querySelectorAll('.changed .new del')].filter(e => e.offsetWidth > 0).length"
    assert seen.value(both) == 0
    assert seen.value(removed) > 0
    seen.value("document.getElementById('side').click()")
    assert seen.value(both) > 0
    assert seen.value(removed) == 0
    assert seen.value("document.scripts.length") == 0


@needs_browser
def test_light_and_dark_follow_the_reader(seen: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    seen.show(GOLDEN / "tools" / "plan.html", 390)
    assert seen.value(ground) == "rgb(255, 255, 255)"
    seen.show(GOLDEN / "tools" / "plan.html", 390, dark=True)
    assert seen.value(ground) == "rgb(13, 17, 23)"


@needs_browser
def test_what_slips_through_would_not_run(seen: Browser, tmp_path: Path) -> None:
    page = (GOLDEN / "tools" / "plan.html").read_text("utf-8")
    forged = page.replace("<main>", "<main><script>document.title = 'ran'</script><img src=x onerror='title=1'>")
    (tmp_path / "forged.html").write_text(forged, "utf-8")
    seen.show(tmp_path / "forged.html", 390)
    assert seen.value("document.title") == "Trueup: plan for acme-support/prod"


@needs_browser
@pytest.mark.parametrize("case", ["one line", "backticks"])
def test_a_line_of_a_megabyte_does_not_scroll(seen: Browser, tmp_path: Path, case: str) -> None:
    before, after = LARGE[case]
    page = html.write_page(pages.plan_page(_large([field_change("instructions", before, after, Cause.EDITED)])))
    (tmp_path / "large.html").write_text(page, "utf-8")
    seen.show(tmp_path / "large.html", 390)
    assert seen.value(WIDE) <= 390


@pytest.mark.parametrize("table", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_ground_differ_enough(table: dict[str, str]) -> None:
    """WCAG 2.2, 1.4.3: text and its ground differ by 4.5 to 1."""
    over: dict[str, tuple[str, ...]] = {"ground": ("text", "faint", "create", "modify", "delete", "held", "adopt")}
    over |= {"panel": over["ground"]}
    over |= {f"{side}{end}": (side,) for side in ("gone", "fresh") for end in ("-ground", "-word")}
    for ground, texts in over.items():
        for text in texts:
            assert _contrast(table[ground], table[text]) >= 4.5, (ground, text)
    assert LIGHT.keys() == DARK.keys()


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
