"""The common theme of the demos and their safe launch: this machine only, no sharing, no telemetry, a bounded queue."""

from __future__ import annotations

import os
import sys
from typing import Any

from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.ui import highlighting, serving
from instructzoo.core.ui.about import card
from instructzoo.core.ui.css import CSS
from instructzoo.core.ui.html import Cell, badge, head, note, table

__all__ = ["CSS", "Cell", "badge", "card", "gallery", "head", "launch", "note", "page", "table", "theme"]

HOST = "127.0.0.1"
FIRST_PORT, PORTS = 7860, 100

MAX_CHARACTERS = 400
"""Characters of one question at most."""
MAX_LINES = 200
"""Lines of one pasted batch at most."""
MAX_UPLOAD = "5mb"
"""Size of an uploaded file at most."""
MAX_QUEUE = 32
"""Requests that wait at most; further ones are rejected with a message."""
FILES_SECONDS, FILES_AGE = 3600, 6 * 3600
"""Seconds between clean-ups of uploaded and offered files, and the age at which they are deleted."""
CONCURRENT_REQUESTS = 1
"""Requests that are answered at the same time: a model on a CPU gains nothing from two."""


def theme() -> Any:
    """The common Gradio theme: greys, one teal accent, and fonts of the machine (none is downloaded)."""
    import gradio as gr

    sans = ("Inter", "ui-sans-serif", "system-ui", "sans-serif")
    mono = ("JetBrains Mono", "ui-monospace", "DejaVu Sans Mono", "monospace")
    base = gr.themes.Base(
        primary_hue="teal", secondary_hue="teal", neutral_hue="slate", radius_size="lg", font=sans, font_mono=mono
    )
    return base.set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        color_accent="*primary_700",
        link_text_color="*primary_700",
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        block_border_width="1px",
        block_shadow="none",
        block_label_text_size="*text_sm",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_text_color="white",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_800",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        input_background_fill="white",
        input_background_fill_dark="*neutral_900",
    )


def page(title: str) -> Any:
    """An empty gr.Blocks to build a demo in, without telemetry. Files of its visitors are deleted after some hours.

    Args:
        title: The title of the browser's window.
    """
    import gradio as gr

    _disable_telemetry()
    return gr.Blocks(title=title, analytics_enabled=False, delete_cache=(FILES_SECONDS, FILES_AGE))


def _disable_telemetry() -> None:
    """Set the variables that gradio and huggingface_hub read before they report usage."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def gallery() -> Any:
    """One page with a tab for every installed domain; the tab of a domain that cannot be loaded says why."""
    import gradio as gr

    from instructzoo.core import domain as domains

    with page("instructzoo") as blocks:
        for name, domain in domains.discover().items():
            with gr.Tab(name if isinstance(domain, domains.BrokenDomain) else domain.title):
                if isinstance(domain, domains.BrokenDomain):
                    gr.HTML(note(f"{name} cannot be loaded: {domain.reason}"))
                else:
                    _tab(domain)
    return blocks


def _tab(domain: Domain) -> None:
    """Render the demo of a domain with its bundled model, or the reason why there is none."""
    import gradio as gr

    from instructzoo.core import infer

    try:
        domain.module("demo").build(infer.open_model(domain))  # within the tab, which shows it
    except ZooError as error:
        gr.HTML(note(str(error)))


def launch(
    blocks: Any, port: int | None = None, open_browser: bool = False, hosted: bool = False, wait: bool = True
) -> str:
    """Serve a demo on 127.0.0.1 and print its address.

    Args:
        blocks: The demo, built in `page`.
        port: 1 to 65535; None: the first free port from FIRST_PORT.
        open_browser: Whether to open the demo in the browser.
        hosted: For the app.py of a Space: address and port come from the environment (GRADIO_SERVER_NAME and
            GRADIO_SERVER_PORT), which gives 127.0.0.1 where they are not set.
        wait: Whether to serve until interrupted before returning.

    Returns:
        The address, such as http://127.0.0.1:7860/.

    Raises:
        ZooError: The port is in use or out of range.
    """
    serving.check_port(port)
    _disable_telemetry()
    blocks.queue(max_size=MAX_QUEUE, default_concurrency_limit=CONCURRENT_REQUESTS, api_open=False)
    try:
        _, address, _ = blocks.launch(
            server_name=None if hosted else HOST,
            server_port=port if port is not None or hosted else _free_port(),
            share=False,
            inbrowser=open_browser,
            prevent_thread_lock=True,
            show_error=True,
            quiet=True,
            max_file_size=MAX_UPLOAD,
            theme=theme(),
            css=CSS + highlighting.CSS,
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            enable_monitoring=False,
        )
    except OSError as error:
        raise ZooError(f"cannot open port {port or FIRST_PORT}", "a free one", "choose another with --port") from error
    sys.stdout.write(f"demo: {address} (Ctrl-C ends it)\n")
    sys.stdout.flush()
    if wait:
        serving.serve_until_stopped(blocks)
    return str(address)


def _free_port() -> int:
    """The first port from FIRST_PORT that nothing on this machine listens on."""
    import socket

    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise ZooError(
        f"ports {FIRST_PORT} to {FIRST_PORT + PORTS - 1} are all taken", "a free one", "choose another with --port"
    )
