"""The pages and the launch of demos: bound to this machine, closed API, no telemetry, escaped text."""

from __future__ import annotations

import json
import os
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest

from instructzoo.core import api, ui
from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core.domain import BrokenDomain
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.testing import Scripted


@pytest.fixture
def page() -> Iterator[Any]:
    with ui.page("A page") as blocks:
        box, out = gr.Textbox(), gr.Textbox()
        box.submit(lambda text: text, box, out, api_visibility="private")
    yield blocks
    blocks.close()


def served(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}config", timeout=10) as answer:
        config: dict[str, Any] = json.load(answer)
        return config


def test_demos_bind_to_loopback_only_with_analytics_off(page: Any, capsys: pytest.CaptureFixture[str]) -> None:
    address = ui.launch(page, wait=False)
    assert address.startswith("http://127.0.0.1:")
    assert f"demo: {address}" in capsys.readouterr().out
    assert page.server_name == "127.0.0.1"
    assert page.share is False and page.share_url is None
    config = served(address)
    assert config["analytics_enabled"] is False
    assert config["title"] == "A page"
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"


def test_a_demo_has_no_named_api_and_limits_queue_and_file_size(page: Any) -> None:
    address = ui.launch(page, wait=False)
    with urllib.request.urlopen(f"{address}gradio_api/info", timeout=10) as answer:
        assert json.load(answer)["named_endpoints"] == {}
    assert page._queue.max_size == ui.MAX_QUEUE
    assert page.max_file_size == 5 * 2**20


def test_two_demos_get_different_ports() -> None:
    with ui.page("first") as first:
        gr.Textbox()
    with ui.page("second") as second:
        gr.Textbox()
    try:
        first_address, second_address = ui.launch(first, wait=False), ui.launch(second, wait=False)
        assert first_address != second_address
    finally:
        first.close()
        second.close()


def test_an_impossible_port_is_refused_before_the_model_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instructzoo.core.infer.load", lambda *given: pytest.fail("loaded a model for nothing"))
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        for port, reason in ((0, "1 to 65535"), (occupied.getsockname()[1], "cannot open port")):
            with pytest.raises(ZooError, match=reason):
                api.demo("arithmetic", port=port)


def test_a_taken_or_impossible_port_is_a_clear_error(page: Any) -> None:
    with pytest.raises(ZooError, match=r"port 70000; expected 1 to 65535"):
        ui.launch(page, port=70000, wait=False)
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        with pytest.raises(ZooError, match="cannot open port"):
            ui.launch(page, port=occupied.getsockname()[1], wait=False)


def test_html_in_texts_is_escaped() -> None:
    bad = "<img src=x onerror=alert(1)>"
    texts = [ui.note(bad), ui.badge("right", bad), ui.head(bad, bad), ui.table((bad,), [[bad, (bad, "mono")]])]
    assert all("<img" not in text and "&lt;img" in text for text in texts)


FIGURE = {"metric": "exact match", "value": 0.987, "low": 0.981, "high": 0.991, "n": 2000, "group": "all"}
SYSTEM = {"scorer": "strict", "figures": [FIGURE], "headline": ["exact match", "all"], "notes": [], "counts": {}}
COPY = SYSTEM | {"figures": [FIGURE | {"value": 0.002, "low": 0.0, "high": 0.004}]}


def test_the_card_shows_scores_with_n_and_interval() -> None:
    recipe = recipes.load("arithmetic/tiny")
    scores = {"part": "test", "backbone": "scratch:x", "systems": {"model": SYSTEM, "copy": COPY}}
    text = ui.card(recipe, scores, [("Limits", "5 digits")])
    for expected in ("98.7%", "98.1 to 99.1%", "2,000", "0.2%", "strict", "scratch:x", "5 digits", "arithmetic/tiny"):
        assert expected in text, expected


def test_the_card_of_an_unscored_model_shows_no_score() -> None:
    text = ui.card(Recipe.model_validate({"domain": "d", "model": {"backbone": "owner/name"}}), None)
    assert "Not scored yet: zoo eval d" in text
    assert "%" not in text


def test_the_gallery_names_a_broken_domain_and_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "discover", lambda: {"torn": BrokenDomain("torn", "ImportError: x")})
    page = ui.gallery()
    shown = [block.value for block in page.blocks.values() if isinstance(block, gr.HTML)]
    assert any("torn cannot be loaded: ImportError: x" in value for value in shown)


def test_the_gallery_shows_the_demo_of_a_domain_once(monkeypatch: pytest.MonkeyPatch) -> None:
    arithmetic = domains.get("arithmetic")
    monkeypatch.setattr(domains, "discover", lambda: {"arithmetic": arithmetic})
    monkeypatch.setattr("instructzoo.core.infer.open_model", lambda domain: Scripted(domain))
    blocks = ui.gallery()
    blocks.close()
    (tab,) = blocks.children[0].children
    shown = [child.value for child in tab.children if isinstance(child, gr.HTML)]
    assert len(shown) == 1 and "Arithmetic" in shown[0]


def test_the_theme_and_css_refer_to_no_remote_address() -> None:
    theme = ui.theme()
    assert not any("http" in sheet for sheet in theme._stylesheets)
    assert "http" not in ui.CSS
