"""A teacher behind a chat endpoint: POST URL/chat/completions, as OpenAI, vLLM, llama.cpp and others serve it.

The key is read from $INSTRUCTZOO_TEACHER_KEY; a server without keys needs none. $OPENAI_API_KEY is read too, and sent
to OpenAI alone. No key is ever shown, logged or written to a file. Requests that cannot be served at the moment (429,
5xx, no connection, no answer in time) are repeated after growing delays; any other failure is an error at once.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError
from instructzoo.core.synth.teacher import Settings

KEY, OPENAI_KEY = "INSTRUCTZOO_TEACHER_KEY", "OPENAI_API_KEY"
MAX_DELAY = 60.0
"""Seconds between two requests at most."""

WHERE = "--teacher"


@dataclass(frozen=True)
class Endpoint:
    """A model of a chat endpoint; `open` makes one.

    Args:
        model: Name of the model, as the endpoint knows it.
        url: Address of the API, to which /chat/completions is added.
        settings: Sampling, timeouts and retries.
        key: Key of the API, or an empty text.
        client: An httpx.Client, which many threads may use at once.
    """

    model: str
    url: str
    settings: Settings
    key: str = field(repr=False)
    client: Any = field(repr=False)

    @classmethod
    def open(cls, text: str, settings: Settings) -> Endpoint:
        """Open an endpoint.

        Args:
            text: MODEL@URL, such as llama@http://127.0.0.1:8000/v1.
            settings: Sampling, timeouts and retries.

        Returns:
            The teacher; no request is sent yet.

        Raises:
            ZooError: `text` is not of this form, or httpx is not installed.
        """
        match = re.fullmatch(r"(?P<model>.+?)@(?P<url>https?://\S+)", text)
        parts = urlsplit(match["url"]) if match else None
        if match is None or parts is None or not parts.hostname or parts.query or "@" in parts.netloc:
            found = f"openai:{shorten(text.partition('@')[0])}@..."  # the rest may contain a password
            raise ZooError(found, "openai:MODEL@URL, such as openai:llama@http://127.0.0.1:8000/v1", where=WHERE)
        try:
            import httpx
        except ImportError as error:
            raise ZooError("httpx is not installed", "it", "pip install 'instructzoo-core[synth]'", WHERE) from error
        client = httpx.Client(timeout=settings.timeout, limits=httpx.Limits(max_connections=settings.workers))
        return cls(match["model"], match["url"].rstrip("/"), settings, _key(parts.hostname), client)

    @property
    def identity(self) -> str:
        """Model, URL and the settings that decide an answer; the key is left out."""
        names = {"temperature", "top_p", "frequency_penalty", "max_tokens", "stop"}
        return f"openai:{self.model}@{self.url} {self.settings.model_dump_json(include=names)}"

    def answer(self, prompts: Sequence[str]) -> list[str]:
        """Send one request for each prompt, one after the other.

        Args:
            prompts: Texts of the user's message.

        Returns:
            The answers in the order of the prompts.

        Raises:
            ZooError: The endpoint refuses a request, or has failed to serve it settings.retries + 1 times.
        """
        return [self._request(prompt) for prompt in prompts]

    def _request(self, prompt: str) -> str:
        for attempt in range(self.settings.retries + 1):
            status, text, delay = self._post(prompt)
            if status == 200:
                return self._content(text)
            if status != 0 and status != 429 and status < 500:
                raise self._refusal(status, text)
            if attempt < self.settings.retries:
                backoff = self.settings.backoff * 2**attempt * random.uniform(0.8, 1.2)
                time.sleep(min(MAX_DELAY, max(delay, backoff)))
        found = f"{self.url} could not answer: {self._shown(status, text)}"
        expected = f"an answer in {self.settings.retries + 1} requests"
        raise ZooError(found, expected, "run again later: what was answered is kept", WHERE)

    def _post(self, prompt: str) -> tuple[int, str, float]:
        """(status, text, seconds that the server asks to wait); status 0 if no complete response arrived."""
        import httpx

        settings = self.settings
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": settings.max_tokens,
        }
        body |= {"temperature": settings.temperature, "top_p": settings.top_p}
        body |= {"frequency_penalty": settings.frequency_penalty}
        body |= {"stop": list(settings.stop)} if settings.stop else {}
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            response = self.client.post(f"{self.url}/chat/completions", json=body, headers=headers)
        except httpx.TransportError as error:
            return 0, str(error) or type(error).__name__, 0.0
        retry_after = response.headers.get("retry-after", "")
        return response.status_code, response.text, float(retry_after) if retry_after.isdecimal() else 0.0

    def _content(self, response: str) -> str:
        """The answer in a response; "" if the model gave none (a refusal)."""
        import json

        try:
            content = json.loads(response)["choices"][0]["message"].get("content")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            found = f"{self.url} answered {self._shown(200, response)}"
            raise ZooError(found, "a chat completion with choices[0].message.content", where=WHERE) from error
        if content is not None and not isinstance(content, str):
            raise ZooError(f"an answer of type {type(content).__name__}", "text", where=WHERE)
        return (content or "").encode("utf-8", "replace").decode()  # half a surrogate pair cannot be written

    def _refusal(self, status: int, text: str) -> ZooError:
        """The error for a request that the server refuses."""
        fix = f"set ${KEY} to a key of this server" if status in (401, 403) else "check model and URL"
        return ZooError(f"{self.url} refused: {self._shown(status, text)}", "an answer", fix, WHERE)

    def _shown(self, status: int, text: str) -> str:
        """Status and text for an error message; a server may repeat the key, so it is replaced."""
        text = text.replace(self.key, "***") if self.key else text
        return f"{status or 'no connection'}: {shorten(' '.join(text.split()), 200)}"


def _key(host: str) -> str:
    is_openai = host == "openai.com" or host.endswith(".openai.com")
    key = os.environ.get(KEY) or (os.environ.get(OPENAI_KEY) if is_openai else None) or ""
    if not (key.isascii() and key.isprintable()):
        raise ZooError(
            "a key with characters that no HTTP header may contain", "plain ASCII on one line", where=f"${KEY}"
        )
    return key
