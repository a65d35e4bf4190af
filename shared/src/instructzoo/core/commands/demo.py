"""zoo demo: the domain's Gradio interface on this machine."""

from __future__ import annotations

import sys
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.errors import ZooError


def demo(
    domain_name: str, run: str | None = None, port: int | None = None, open_browser: bool = False
) -> dict[str, Any]:
    """Serve a domain's demo on 127.0.0.1 until interrupted.

    Args:
        domain_name: An installed domain.
        run: A run directory; without it the demo uses the domain's bundled model.
        port: The port; by default the first free one from 7860.
        open_browser: Whether to open the demo in the browser.

    Returns:
        {"domain": domain_name}, once the demo has ended.

    Raises:
        ZooError: gradio is not installed, there is no such domain, run or bundled model, or the port is taken or
            out of range.
    """
    from importlib.util import find_spec

    if find_spec("gradio") is None:
        raise ZooError("gradio is not installed", "the demo's interface", "pip install 'instructzoo-core[demo]'")
    from instructzoo.core.ui import serving

    serving.check_port(port)
    domain = domains.get(domain_name)
    folder = runs.find(run).folder if run else domain.bundled_model()
    sys.stderr.write(f"opening the demo of {domain_name} with {'the bundled model' if run is None else folder}\n")
    sys.stderr.flush()  # the imports below take seconds
    from instructzoo.core import infer, ui

    predictor = infer.load(domain, folder)
    ui.launch(domain.module("demo").build(predictor), port=port, open_browser=open_browser)
    return {"domain": domain_name}
