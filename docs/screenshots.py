"""Photographs the index and a county's report for the README: ``make screenshots``, or this with a folder of reports.

Desk and phone, as a reader first sees them, in few colours: each picture stays below 150 kB.
"""

import base64
import io
import sys
from pathlib import Path

from PIL import Image
from selenium import webdriver

from qyx_analysis.files import project_dir

SHOTS = {
    "index-desktop": ("index.en.html", (1280, 860, 1)),
    "index-phone": ("index.html", (360, 720, 2)),
    "report-desktop": ("330213-fenghua.en.html", (1280, 860, 1)),
    "report-phone": ("330213-fenghua.zh.html", (360, 720, 2)),
}


def photograph(browser: webdriver.Chrome, page: Path, size: tuple[int, int, int]) -> Image.Image:
    """The first screen of a page; ``size`` is width, height and how many pixels make one."""
    width, height, scale = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page.as_uri())
    data = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def main(folder: Path) -> None:
    """Write the pictures beside this script."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("headless", "no-sandbox", "disable-gpu", "hide-scrollbars", "disable-background-networking"):
        options.add_argument(f"--{flag}")
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        for name, (page, size) in SHOTS.items():
            picture = photograph(browser, (folder / page).resolve(), size)
            picture.quantize(64, dither=Image.Dither.NONE).save(Path(__file__).with_name(f"{name}.png"), optimize=True)
    finally:
        browser.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else project_dir() / "reports")
