"""A demo in the browser, as a user operates it: waiting for elements, typing, files, and the browser's own logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TIMEOUT_SECONDS = 60

DESKTOP, PHONE = (1280, 720), (390, 844)
"""Screens that show the input of a demo and its answer in one view: width and height in pixels."""


FAINT_TEXTS = """
const rgba = css => { const n = css.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1] }
const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat([1])
const linear = v => v <= 10 ? v / 3294.6 : ((v / 255 + .055) / 1.055) ** 2.4
const luminance = c => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2])
const background = element => {
  const layers = []
  for (let node = element; node && layers.at(-1)?.[3] !== 1; node = node.parentElement)
    layers.push(rgba(getComputedStyle(node).backgroundColor))
  return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255, 1])
}
const faint = []
const check = (element, css, text) => {
  const behind = background(element), colour = over(rgba(css), behind)
  const [dark, light] = [luminance(behind), luminance(colour)].sort((a, b) => a - b)
  const contrast = (light + .05) / (dark + .05)
  if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} ${text.slice(0, 40)}`)
}
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
while (walk.nextNode()) {
  const element = walk.currentNode.parentElement, text = walk.currentNode.textContent.trim()
  const shown = text && element.checkVisibility({opacityProperty: true, visibilityProperty: true})
  if (!shown || ["SCRIPT", "STYLE"].includes(element.tagName) || element.getBoundingClientRect().width < 2) continue
  const style = getComputedStyle(element)
  check(element, element instanceof SVGElement ? style.fill : style.color, text)
}
for (const box of document.querySelectorAll(":is(input, textarea)[placeholder]:not([placeholder=''])"))
  if (box.checkVisibility()) check(box, getComputedStyle(box, "::placeholder").color, box.placeholder)
return faint
"""
"""Reads the contrast of every text and of every hint in a box, as WCAG 2.2 defines it (success criterion 1.4.3)."""


FOCUS = """
const element = document.activeElement, label = element.closest("label")
const ringed = [element, label].some(e => e && parseFloat(getComputedStyle(e).outlineWidth) >= 2
  && getComputedStyle(e).outlineStyle !== "none")
return [ringed || element === document.body, element.outerHTML.slice(0, 80)]
"""
"""Whether the element that the keyboard has reached, or its label, shows a ring."""


class Browsed:
    """An open demo. Every method waits for its element, since each answer is a request to the server.

    Args:
        browser: The Selenium driver.
        address: The address of the demo.
        ready: The CSS selector of an element that the loaded page shows.
        dark: Whether to open the dark theme.
    """

    def __init__(self, browser: Any, address: str, ready: str, dark: bool = False) -> None:
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        self.browser, self.address = browser, address
        self.wait = WebDriverWait(browser, TIMEOUT_SECONDS, ignored_exceptions=(StaleElementReferenceException,))
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.get(f"{address}?__theme={'dark' if dark else 'light'}")
        self.find(ready)

    def all(self, css: str) -> list[Any]:
        """All elements of a CSS selector, visible or not."""
        from selenium.webdriver.common.by import By

        return list(self.browser.find_elements(By.CSS_SELECTOR, css))

    def find(self, css: str) -> Any:
        """The first visible element of a CSS selector."""
        return self.wait.until(lambda _: next((e for e in self.all(css) if e.is_displayed()), None))

    def texts(self, css: str) -> list[str]:
        """The texts of all elements, with single spaces."""
        return [" ".join(e.text.split()) for e in self.all(css)]

    def until(self, css: str, expected: str) -> str:
        """Wait until the text of an element contains `expected` and return it; fail with the actual text."""
        from selenium.common.exceptions import TimeoutException

        try:
            self.wait.until(lambda _: expected in self.find(css).text)
        except TimeoutException:
            pytest.fail(f'no "{expected}" in {css}: {self.find(css).text!r}')
        return str(self.find(css).text)

    def click(self, css: str) -> None:
        """Click an element."""
        self.find(css).click()

    def click_text(self, css: str, text: str) -> None:
        """Click the first visible element whose text contains `text`."""
        self.wait.until(lambda _: next((e for e in self.all(css) if e.is_displayed() and text in e.text), None)).click()

    def type(self, css: str, text: str) -> None:
        """Replace the content of a text box."""
        from selenium.webdriver.common.keys import Keys

        box = self.find(css)
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(Keys.DELETE)
        box.send_keys(text)

    def choose(self, css: str, name: str) -> None:
        """Select an option of a dropdown."""
        self.click(f"{css} input")
        option = self.wait.until(
            lambda _: next((e for e in self.all("[role=option]") if e.is_displayed() and name in e.text), None)
        )
        option.click()

    def tab(self, name: str) -> None:
        """Open a tab of the page."""
        tabs = self.wait.until(lambda _: self.all("button[role=tab]"))
        next(tab for tab in tabs if tab.is_displayed() and tab.text == name).click()

    def send(self, css: str, path: Path) -> None:
        """Upload a file, as if the user had chosen it."""
        self.wait.until(lambda _: self.all(f"{css} input[type=file]"))[0].send_keys(str(path))
        self.until(css, path.stem)

    def save(self, css: str, folder: Path, name: str) -> Path:
        """Click a download button and return the path of the saved file."""
        folder.mkdir(exist_ok=True)
        self.browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
        self.click(css)
        self.wait.until(lambda _: (folder / name).is_file())
        return folder / name

    def light(self, css: str, name: str) -> float:
        """The brightness of a CSS colour property, 0 to 255."""
        import re

        red, green, blue = map(int, re.findall(r"\d+", self.find(css).value_of_css_property(name))[:3])
        return 0.3 * red + 0.59 * green + 0.11 * blue

    def too_wide(self) -> int:
        """The number of pixels by which the page is wider than the window."""
        return int(self.browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth"))

    def out_of_view(self, *selectors: str) -> list[str]:
        """Those of the elements that do not stand wholly in the window, before anybody scrolls."""
        script = """
        window.scrollTo(0, 0)
        const box = document.querySelector(arguments[0]).getBoundingClientRect()
        return [box.left, box.top, box.right - window.innerWidth, box.bottom - window.innerHeight, box.height]
        """
        boxes = {css: self.browser.execute_script(script, css) for css in selectors}
        return [
            f"{css}: {box}"
            for css, box in boxes.items()
            if box[0] < 0 or box[1] < 0 or box[2] > 0 or box[3] > 0 or box[4] < 1
        ]

    def faint_texts(self) -> list[str]:
        """The visible texts whose contrast with their background is below 4.5 to 1, with the contrast."""
        return [str(text) for text in self.browser.execute_script(FAINT_TEXTS)]

    def focus_by_keyboard(self, css: str) -> str:
        """Press the tab key in an element; the width of the ring around the one that then has the focus."""
        from selenium.webdriver.common.keys import Keys

        self.find(css).send_keys(Keys.TAB)
        script = "const s = getComputedStyle(document.activeElement); return s.outlineStyle + ' ' + s.outlineWidth"
        return str(self.browser.execute_script(script))

    def unmarked_by_focus(self, stops: int) -> list[str]:
        """Those of the first elements that the tab key reaches which show no ring."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        without = []
        for _ in range(stops):
            ActionChains(self.browser).send_keys(Keys.TAB).perform()
            ring, name = self.browser.execute_script(FOCUS)
            without += [] if ring else [name]
        return without

    def complaints(self) -> list[str]:
        """The errors in the browser's console."""
        entries = self.browser.get_log("browser")
        return [str(entry["message"]) for entry in entries if entry["level"] == "SEVERE"]

    def foreign(self) -> set[str]:
        """The addresses of other machines that the page sent requests to."""
        requested = set()
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                requested.add(str(message["params"]["request"]["url"]))
        assert any(url.startswith(self.address) for url in requested)
        return {url for url in requested if url.startswith(("http", "ws")) and not url.startswith(self.address)}


@contextmanager
def phone(browser: Any, height: int = 1800) -> Iterator[None]:
    """Emulate a screen that is 400 pixels wide."""
    with screen(browser, 400, height):
        yield


@contextmanager
def screen(browser: Any, width: int, height: int) -> Iterator[None]:
    """Emulate a screen of a size; one below 600 pixels in width is a phone's."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
