"""The parser of answers: recursive descent over the form that `prompts.format_answer` writes."""

from __future__ import annotations

from dataclasses import dataclass

from instructzoo.absa.prompts import answer_format
from instructzoo.absa.prompts.answer_format import SEPARATOR
from instructzoo.absa.schema import Quad


@dataclass
class AnswerParser:
    """Recursive-descent parser of one answer. Every method consumes text from `offset` in linear time.

    All methods raise ValueError where the text does not have the expected form.

    text: the answer; task: one of TASKS; domains: those that an aste answer may name, None for any.
    """

    text: str
    task: str
    domains: tuple[str, ...] | None
    offset: int = 0

    def quads(self) -> tuple[Quad, ...]:
        """All tuples of the answer."""
        quads = [self.quad()]
        while self.offset < len(self.text):
            self.skip(SEPARATOR)
            quads.append(self.quad())
        return tuple(quads)

    def quad(self) -> Quad:
        if self.task == "ae":
            return Quad(self.span("aspect", SEPARATOR, last=True))
        aspect = self.span("aspect", " is ")
        if self.task == "aesc":
            return Quad(aspect, sentiment=self.sentiment(SEPARATOR, last=True))
        if self.task == "tasd":
            first_sentiment = self.sentiment(" means ")
            category, sentiment = self.category(), self.sentiment(SEPARATOR, last=True)
            if first_sentiment != sentiment:
                raise ValueError(f"one tuple says both {first_sentiment} and {sentiment}")
            return Quad(aspect, category, None, sentiment)
        opinion = self.span("opinion", " means ")
        asqp_category = self.category() if self.task == "asqp" else None
        if self.task == "aste":
            self.skip_domain()
        return Quad(aspect, asqp_category, opinion, self.sentiment(SEPARATOR, last=True))

    def skip(self, mark: str) -> None:
        if not self.text.startswith(mark, self.offset):
            raise ValueError(f'no "{mark.strip()}" at "{self.text[self.offset : self.offset + 40]}"')
        self.offset += len(mark)

    def until(self, mark: str, last: bool = False) -> str:
        """The text up to the mark, which is consumed. With `last`: up to a mark that is not consumed, or to the end."""
        start, end = self.offset, self.text.find(mark, self.offset)
        if end < 0 and not last:
            raise ValueError(f'no "{mark.strip()}" after "{self.text[start : start + 40]}"')
        end = len(self.text) if end < 0 else end
        self.offset = end if last else end + len(mark)
        return self.text[start:end]

    def span(self, element: str, mark: str, last: bool = False) -> str | None:
        if not self.text.startswith('"', self.offset):
            return answer_format.read_span(self.until(mark, last), element)
        span, self.offset = answer_format.read_quoted(self.text, self.offset)
        if not last:
            self.skip(mark)
        return span

    def sentiment(self, mark: str, last: bool = False) -> str:
        word = self.until(mark, last)
        if word not in answer_format.SENTIMENT_OF:
            raise ValueError(f'no sentiment "{word[:40]}"')
        return answer_format.SENTIMENT_OF[word]

    def category(self) -> str:
        if self.text.startswith('"', self.offset):
            quoted, self.offset = answer_format.read_quoted(self.text, self.offset)
            self.skip(" is ")
            return quoted
        phrase = self.phrase()
        category = answer_format.read_category(phrase)
        if category is None:
            raise ValueError(f'no category "{phrase[:60]}"')
        return category

    def skip_domain(self) -> None:
        """Consume the fixed phrase of aste answers, which names a domain."""
        phrase = self.phrase()
        if self.domains is not None and phrase not in [f"{domain} is" for domain in self.domains]:
            raise ValueError(f'no "{self.domains[0] if self.domains else "domain"} is" but "{phrase[:40]}"')

    def phrase(self) -> str:
        """The text before the last word of the tuple: a phrase with its verb, without the space after it."""
        start, end = self.offset, self.text.find(SEPARATOR, self.offset)
        last_space = self.text.rfind(" ", start, len(self.text) if end < 0 else end)
        if last_space < 0:
            raise ValueError(f'no sentiment after "{self.text[start : start + 40]}"')
        self.offset = last_space + 1
        return self.text[start:last_space]
