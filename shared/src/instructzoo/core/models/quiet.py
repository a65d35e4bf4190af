"""Loading models without the progress bars and the advice of transformers."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide the progress bars and messages of transformers inside the block; errors are still logged."""
    from transformers.utils import logging as transformers_logging

    logger = logging.getLogger("transformers")
    progress_bar, level = transformers_logging.is_progress_bar_enabled(), logger.level
    transformers_logging.disable_progress_bar()
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
        if progress_bar:
            transformers_logging.enable_progress_bar()
