"""The common theme of the demos and their safe launch: this machine only, no sharing, no telemetry, a bounded queue."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.score.types import MetricValue, Scores
from instructzoo.core.ui import highlighting, serving

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

CSS = """
.gradio-container, .gradio-container .fillable {max-width: 58rem !important; width: 100% !important; margin: 0 auto}
.html-container {padding: 0 !important}
.zoo-head {padding: .4rem 0 .2rem}
.zoo-head h1 {font-size: 1.9rem; font-weight: 650; letter-spacing: -.02em; margin: 0 0 .2rem;
  color: var(--body-text-color)}
.zoo-head p {color: var(--body-text-color-subdued); margin: 0; font-size: 1rem}
.zoo-ask {align-items: stretch !important}
.zoo-ask textarea, .zoo-ask input {font: 500 1.2rem/1.4 var(--font-mono) !important; padding: .8rem 1rem !important;
  border: 1px solid var(--border-color-primary) !important}
.zoo-card {border: 1px solid var(--border-color-primary); border-radius: 12px; background: var(--block-background-fill);
  padding: 1.15rem 1.35rem; box-shadow: 0 1px 2px rgb(0 0 0 / .04); color: var(--body-text-color)}
.zoo-card .label {font-size: .82rem; color: var(--body-text-color-subdued); margin: 0 0 .2rem}
.zoo-big {font: 600 2.1rem/1.25 var(--font-mono); letter-spacing: -.02em; overflow-wrap: anywhere; margin: 0 0 .7rem}
.zoo-badge {display: inline-block; padding: .28rem .7rem; border-radius: 999px; font-weight: 600; font-size: .95rem}
.zoo-badge.zoo-right {background: #e3f6ea}
.zoo-badge.zoo-wrong {background: #fdeae8}
.zoo-badge.zoo-unknown {background: #eeeff2}
.zoo-right {color: #0d7a43}
.zoo-wrong {color: #a32018}
.zoo-unknown {color: #5b5f6b}
.dark .zoo-badge.zoo-right {background: #10341f}
.dark .zoo-badge.zoo-wrong {background: #43130f}
.dark .zoo-badge.zoo-unknown {background: #2a2d35}
.dark .zoo-right {color: #86e2ac}
.dark .zoo-wrong {color: #ffb0a8}
.dark .zoo-unknown {color: #c3c7d1}
.zoo-hint {color: var(--body-text-color-subdued); font-size: .92rem; margin: .7rem 0 .2rem}
.zoo-scroll {overflow-x: auto}
table.zoo-table {border-collapse: collapse !important; border: 0 !important; font-size: .95rem; margin: 0 !important}
table.zoo-table.wide {width: 100%}
table.zoo-table tr, table.zoo-table th, table.zoo-table td {border: 0 !important; background: none !important;
  text-align: left; vertical-align: top}
table.zoo-table th, table.zoo-table td {padding: .34rem 1.6rem .34rem 0 !important; color: var(--body-text-color)}
table.zoo-table th {font-weight: 600; color: var(--body-text-color-subdued) !important; font-size: .82rem}
table.zoo-table.wide tr + tr {border-top: 1px solid var(--border-color-primary) !important}
table.zoo-table .mono {font-family: var(--font-mono); white-space: pre}
table.zoo-table .zoo-right {color: #0d7a43 !important}
table.zoo-table .zoo-wrong {color: #a32018 !important}
table.zoo-table .zoo-unknown {color: var(--body-text-color-subdued) !important}
.dark table.zoo-table .zoo-right {color: #86e2ac !important}
.dark table.zoo-table .zoo-wrong {color: #ffb0a8 !important}
@media (max-width: 600px) {
  .zoo-card {padding: .9rem 1rem}
  table.zoo-table th, table.zoo-table td {padding-right: .5rem !important; font-size: .82rem}
}
"""


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
        color_accent="*primary_600",
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        block_border_width="1px",
        block_shadow="none",
        block_label_text_size="*text_sm",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_text_color="white",
        button_primary_background_fill_dark="*primary_600",
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
        demo = domain.module("demo").build(infer.load(domain, domain.bundled_model()))
    except ZooError as error:
        gr.HTML(note(str(error)))
    else:
        demo.render()


def head(title: str, text: str) -> str:
    """HTML of a demo's heading."""
    return f'<div class="zoo-head"><h1>{escape(title)}</h1><p>{escape(text)}</p></div>'


def badge(kind: str, text: str) -> str:
    """HTML of a verdict; kind: right, wrong or unknown."""
    return f'<span class="zoo-badge zoo-{kind}">{escape(text)}</span>'


def note(text: str) -> str:
    """HTML of one line of text, for input that cannot be answered."""
    return f'<div class="zoo-card">{escape(text)}</div>'


Cell = str | tuple[str, str]
"""A plain text, or a text and the classes of its cell: mono, zoo-right, zoo-wrong, zoo-unknown."""


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """HTML of a full-width table; all texts are escaped. A header of empty texts is left out."""
    lines = ["<tr>" + "".join(f"<th>{escape(h)}</th>" for h in header) + "</tr>"] if any(header) else []
    for row in rows:
        pairs = [(cell, "") if isinstance(cell, str) else cell for cell in row]
        lines.append("<tr>" + "".join(f'<td class="{kind}">{escape(text)}</td>' for text, kind in pairs) + "</tr>")
    return f'<div class="zoo-scroll"><table class="zoo-table wide">{"".join(lines)}</table></div>'


def card(recipe: Recipe, scores: dict[str, Any] | None, limits: Sequence[tuple[str, str]] = ()) -> str:
    """HTML of a model card: what the model is, its training data, its limits, and its scores with n and interval.

    Args:
        recipe: The recipe of the model.
        scores: The content of its scores.json; None where it has not been scored.
        limits: Further rows of the card: name and text.
    """
    backbone = (scores or {}).get("backbone") or recipe.model.backbone
    sources = ", ".join(recipe.data.sources)
    size = f"{recipe.data.sizes.train:,} rows" if "world" in recipe.data.sources else "see the run's data card"
    facts = [
        ("Backbone", str(backbone)),
        (
            "Tuning",
            "all weights" if recipe.method.name == "full" else f"{recipe.method.name}, rank {recipe.method.rank}",
        ),
        ("Recipe", f"{recipe.domain}/{recipe.name}" + (f", after {recipe.paper}" if recipe.paper else "")),
        ("Training data", f"{sources} ({size}); seed {recipe.seed}"),
        *limits,
    ]
    return table(("", ""), facts) + _scores(recipe, scores)


def _scores(recipe: Recipe, scores: dict[str, Any] | None) -> str:
    """HTML of the scores of the model and of its baselines."""
    if not scores:
        return f'<p class="zoo-hint">Not scored yet: zoo eval {escape(recipe.domain)}</p>'
    model = Scores.from_dict(scores["systems"]["model"])
    rows = [_row(value) for value in model.metric_values]
    baselines = [
        (name, *_row(Scores.from_dict(values).headline_value())[1:])
        for name, values in scores["systems"].items()
        if name != "model" and values.get("figures")
    ]
    text = f"Held-out {scores.get('part', 'test')} split, scorer {model.scorer}; 95% intervals."
    headline = model.headline_value()
    blocks = [f'<p class="zoo-hint">{escape(text)}</p>', table(("model", "value", "95% interval", "n"), rows)]
    if baselines:
        head = (f"baselines: {headline.metric}, {headline.group}", "value", "95% interval", "n")
        blocks.append(table(head, baselines))
    return "".join(blocks)


def _row(metric: MetricValue) -> tuple[str, str, str, str]:
    """The cells of a metric value: name, value, interval and n."""
    name = metric.metric if metric.group == "all" else f"{metric.metric}, {metric.group}"
    return name, f"{100 * metric.value:.1f}%", f"{100 * metric.low:.1f} to {100 * metric.high:.1f}%", f"{metric.n:,}"


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
