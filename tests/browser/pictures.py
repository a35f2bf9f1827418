"""The pictures of a report in docs/images: ``python -m tests.browser.pictures REPORT OUT``.

REPORT is an ``index.html``; OUT gets the page at 1400 and 400 pixels, light and dark: its start
and, below a line, its poses. Then a picture of a trial that was clicked on, and one of the poses.
"""

import io
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from PIL import Image
from playwright.sync_api import FloatRect, ViewportSize, sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Width to the height of the beginning, and to that of the poses.
_SIZES: Final = {1400: (830, 960), 400: (800, 900)}
_LINE: Final = 6
_QUALITY: Final = 72
_Scheme = Literal["light", "dark"]
_SCHEMES: Final[tuple[_Scheme, ...]] = ("light", "dark")


def _opened(browser: "Browser", report: Path, width: int, scheme: _Scheme) -> "Page":
    size: ViewportSize = {"width": width, "height": sum(_SIZES[width])}
    page = browser.new_page(viewport=size, color_scheme=scheme)
    page.goto(report.resolve().as_uri())
    return page


def _settled(page: "Page", name: str) -> None:
    """Waits until a figure in sight is live."""
    place = page.locator(f"#plot-{name}")
    place.scroll_into_view_if_needed()
    page.wait_for_selector(f"#plot-{name} .main-svg")
    page.wait_for_timeout(500)


def take(report: Path, out: Path) -> list[Path]:
    """Takes all pictures.

    Args:
        report: The page.
        out: Folder of the pictures.
    """
    program = shutil.which("chromium") or shutil.which("google-chrome")
    taken = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for width in _SIZES:
            for scheme in _SCHEMES:
                page = _opened(browser, report, width, scheme)
                taken.append(_both(page, width, out / f"report-{width}-{scheme}.jpg"))
                page.close()
        page = _opened(browser, report, 1400, "light")
        _settled(page, "slices")
        page.locator("#mattered").scroll_into_view_if_needed()
        page.evaluate(
            "selection.choose(Number(document.querySelector('tr.winner').dataset.trial))"
        )
        page.evaluate("document.getElementById('mattered').scrollIntoView()")
        page.wait_for_timeout(1500)
        taken.append(_shot(page, out / "report-trial.jpg"))
        page.close()
        taken.append(_poses(_opened(browser, report, 1400, "light"), out / "report-poses.jpg"))
        browser.close()
    return taken


def _both(page: "Page", width: int, file: Path) -> Path:
    """The beginning of the page, a line, and its poses."""
    first, second = _SIZES[width]
    parts = [_part(page, width, 0.0, first)]
    parts.append(_part(page, width, _top_of_poses(page) - 50, second))
    whole = Image.new("RGB", (width, first + _LINE + second), (138, 143, 152))
    whole.paste(parts[0], (0, 0))
    whole.paste(parts[1], (0, first + _LINE))
    whole.save(file, quality=_QUALITY)
    return file


def _part(page: "Page", width: int, top: float, height: int) -> Image.Image:
    clip: FloatRect = {"x": 0, "y": top, "width": width, "height": height}
    content = page.screenshot(full_page=True, clip=clip)
    return Image.open(io.BytesIO(content)).convert("RGB")


def _top_of_poses(page: "Page") -> float:
    """Where the images stand side by side, in pixels from the page's top."""
    heading = page.locator("h3", has_text="Side by side")
    heading.scroll_into_view_if_needed()
    page.wait_for_timeout(1500)
    box = heading.bounding_box()
    if box is None:
        raise ValueError("a picture shows poses, and the report has none")
    return float(box["y"] + page.evaluate("scrollY"))


def _poses(page: "Page", file: Path) -> Path:
    """The same images side by side, and the beginning of the worst of the winner."""
    top = _top_of_poses(page)
    page.screenshot(
        path=file,
        type="jpeg",
        quality=_QUALITY,
        full_page=True,
        clip={"x": 120, "y": top - 10, "width": 1160, "height": 950},
    )
    return file


def _shot(page: "Page", file: Path) -> Path:
    page.screenshot(path=file, type="jpeg", quality=_QUALITY)
    return file


if __name__ == "__main__":
    for picture in take(Path(sys.argv[1]), Path(sys.argv[2])):
        sys.stdout.write(f"{picture} {picture.stat().st_size / 1e3:.0f} kB\n")
