"""Examples that are answered by the click on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def clickable_examples(
    rows: Sequence[Sequence[Any]],
    fields: Sequence[Any],
    answer: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Any,
    labels: Sequence[str] | None = None,
) -> Any:
    """Put examples into the page that is being built. A click fills the fields and answers.

    Args:
        rows: The examples: a value for every field.
        fields: The components that an example fills.
        answer: The handler that answers, as of the page's button.
        inputs: Its inputs.
        outputs: Its outputs.
        labels: What the examples are called on the page; none: their values.

    Returns:
        The event of the answer.
    """
    import gradio as gr

    examples = gr.Examples(
        [list(row) for row in rows],
        list(fields),
        label="Click an example to answer it",
        example_labels=labels and list(labels),
        elem_id="examples",
        api_visibility="private",
    )
    return examples.load_input_event.then(answer, list(inputs), outputs, api_visibility="private")
