"""zoo demo: the domain's Gradio interface on this machine."""

from __future__ import annotations

from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core.errors import ZooError
from instructzoo.core.terminal import model_option


def demo(
    domain_name: str,
    model: str | None = None,
    port: int | None = None,
    open_browser: bool = False,
    yes: bool = False,
) -> dict[str, Any]:
    """Serve a domain's demo on 127.0.0.1 until interrupted.

    Args:
        domain_name: An installed domain.
        model: A name of `zoo models`, a run directory, a folder or a hub id; by default small where the domain has it
            and its base is or may be fetched, else tiny.
        port: The port; by default the first free one from 7860.
        open_browser: Whether to open the demo in the browser.
        yes: Whether the base of the default model may be fetched without a question.

    Returns:
        {"domain": domain_name}, once the demo has ended.

    Raises:
        ZooError: gradio is not installed, there is no such domain or model, or the port is taken or
            out of range.
    """
    from importlib.util import find_spec

    if find_spec("gradio") is None:
        raise ZooError("gradio is not installed", "the demo's interface", "pip install 'instructzoo-core[demo]'")
    from instructzoo.core.ui import serving

    serving.check_port(port)
    domain = domains.get(domain_name)
    chosen = model_option.for_answers(domain, model, yes)
    model_option.tell(f"opening the demo with {model_option.label(domain, chosen)}")  # the imports below take seconds
    from instructzoo.core import infer, ui

    predictor = infer.open_chosen(domain, chosen)
    ui.launch(domain.module("demo").build(predictor), port=port, open_browser=open_browser)
    return {"domain": domain_name}
