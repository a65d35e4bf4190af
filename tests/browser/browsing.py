"""A demo as a person works with it in the browser; what a test waits for, and what the browser says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SECONDS = 60


class Browsed:
    """The open demo; elements are waited for, since every answer is a round trip. ready: what an open page shows."""

    def __init__(self, browser: Any, address: str, ready: str, dark: bool = False) -> None:
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        self.browser, self.address = browser, address
        self.wait = WebDriverWait(browser, SECONDS, ignored_exceptions=(StaleElementReferenceException,))
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.get(f"{address}?__theme={'dark' if dark else 'light'}")
        self.find(ready)

    def all(self, css: str) -> list[Any]:
        from selenium.webdriver.common.by import By

        return list(self.browser.find_elements(By.CSS_SELECTOR, css))

    def find(self, css: str) -> Any:
        """The first element that is seen."""
        return self.wait.until(lambda _: next((e for e in self.all(css) if e.is_displayed()), None))

    def texts(self, css: str) -> list[str]:
        return [" ".join(e.text.split()) for e in self.all(css)]

    def until(self, css: str, wanted: str) -> str:
        """The element's text once it holds `wanted`; fails with what it holds instead."""
        from selenium.common.exceptions import TimeoutException

        try:
            self.wait.until(lambda _: wanted in self.find(css).text)
        except TimeoutException:
            pytest.fail(f'no "{wanted}" in {css}: {self.find(css).text!r}')
        return str(self.find(css).text)

    def click(self, css: str) -> None:
        self.find(css).click()

    def type(self, css: str, text: str) -> None:
        from selenium.webdriver.common.keys import Keys

        box = self.find(css)
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(Keys.DELETE)
        box.send_keys(text)

    def choose(self, css: str, name: str) -> None:
        """An option of a dropdown."""
        self.click(f"{css} input")
        option = self.wait.until(
            lambda _: next((e for e in self.all("[role=option]") if e.is_displayed() and name in e.text), None)
        )
        option.click()

    def tab(self, name: str) -> None:
        tabs = self.wait.until(lambda _: self.all("button[role=tab]"))
        next(t for t in tabs if t.is_displayed() and t.text == name).click()

    def send(self, css: str, path: Path) -> None:
        """A file, as if it were chosen."""
        self.wait.until(lambda _: self.all(f"{css} input[type=file]"))[0].send_keys(str(path))
        self.until(css, path.stem)

    def save(self, css: str, folder: Path, name: str) -> Path:
        """What a download button saves."""
        folder.mkdir(exist_ok=True)
        self.browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
        self.click(css)
        self.wait.until(lambda _: (folder / name).is_file())
        return folder / name

    def light(self, css: str, name: str) -> float:
        """Brightness of a colour, 0 to 255."""
        import re

        red, green, blue = map(int, re.findall(r"\d+", self.find(css).value_of_css_property(name))[:3])
        return 0.3 * red + 0.59 * green + 0.11 * blue

    def too_wide(self) -> int:
        """Pixels that the page is wider than the screen."""
        return int(self.browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth"))

    def complaints(self) -> list[str]:
        """What the browser's console holds of errors."""
        return [str(e["message"]) for e in self.browser.get_log("browser") if e["level"] == "SEVERE"]

    def foreign(self) -> set[str]:
        """Addresses of other machines that the page asked for something."""
        asked = set()
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.add(str(message["params"]["request"]["url"]))
        assert any(url.startswith(self.address) for url in asked)
        return {url for url in asked if url.startswith(("http", "ws")) and not url.startswith(self.address)}


@contextmanager
def phone(browser: Any, height: int = 1800) -> Iterator[None]:
    """A screen of 400 pixels' width."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 400, "height": height, "deviceScaleFactor": 1, "mobile": True}
    )
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
