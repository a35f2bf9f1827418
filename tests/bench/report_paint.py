"""When the page of a report is painted first: ``python -m tests.bench.report_paint REPORT``.

Chromium's own performance timing, the median of nine loads from the disk, in milliseconds after
the navigation began; and when the first live figure stands there.
"""

import shutil
import sys
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

_LOADS = 9
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def measured(report: Path) -> list[tuple[float, float]]:
    """First paint and first live figure of each load, milliseconds."""
    found = []
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for _ in range(_LOADS):
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(report.resolve().as_uri())
            page.locator(".plot").first.scroll_into_view_if_needed()
            page.wait_for_selector(".plot .main-svg")
            found.append((page.evaluate(_PAINT), page.evaluate("performance.now()")))
            page.close()
        browser.close()
    return found


if __name__ == "__main__":
    paints, figures = zip(*measured(Path(sys.argv[1])), strict=True)
    print(f"first paint {median(paints):.0f} ms, first live figure {median(figures):.0f} ms")
