"""The simulated conversation: a user with a goal and a system that asks for what is missing, both of them annotated."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from instructzoo.dialogue.schema import Dialogue, Slot, Turn
from instructzoo.dialogue.world import phrases
from instructzoo.dialogue.world.goals import GOALS, QUESTIONS, REPLIES, Goal
from instructzoo.dialogue.world.vocabulary import ANY, FORECASTS, RESTAURANTS, VALUES
from instructzoo.dialogue.world.wording import expanded, filled, placeholders, split_of

_SENTENCE_START = re.compile(r"(?:^|(?<=[.!?] ))[a-z]")

_QUESTION = re.compile(r".*?\b(can|could|how|what|will|does|is it|do i) ")

Message = tuple[str, dict[str, str]]
"""A pattern without choices, and the values of its placeholders."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How often conversations take a turn, as probabilities."""

    named: float = 0.55
    confirmed: float = 0.4
    corrected: float = 0.35
    refused: float = 0.3
    emotional: float = 0.25
    toxic: float = 0.08
    second_goal: float = 0.1
    off_topic: float = 0.1
    closed: float = 0.4


@dataclass
class Conversation:
    """A conversation in the making.

    Attributes:
        rng: Draws everything.
        split: The split that all messages of the user belong to.
        rates: How often conversations take a turn.
        cased: Whether the speakers write capitals.
        turns: What was said so far.
        state: The value of each slot so far.
        sentences: The summary so far.
        labels: Labels of the dialogue so far.
        facts: What the system has looked up so far.
    """

    rng: Random
    split: str
    rates: Rates = Rates()
    cased: bool = False
    turns: list[Turn] = field(default_factory=list)
    state: dict[str, str] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    facts: list[str] = field(default_factory=list)

    def dialogue(self) -> Dialogue:
        """The dialogue as it stands."""
        fields = {"summary": " ".join(self.sentences)} | ({"db": "; ".join(self.facts)} if self.facts else {})
        return Dialogue(tuple(self.turns), fields, dict(self.labels))

    def pursue(self, goal: Goal) -> None:
        """Let the user reach a goal, or give it up."""
        self._user(goal.intent, "inform", lambda: self._opening(goal))
        while missing := [slot for slot in goal.required if slot not in self.state]:
            self._ask(goal, missing)
        if self.rng.random() < self.rates.confirmed:
            self._system("confirm", self._recap(goal))
            done = self._agree_or_correct(goal) and self._finish(goal)
        else:
            done = self._finish(goal)
        if not done:
            self._system("cancel", (self._pick(phrases.CANCELLED), {}))
        outcome = "It is done." if done else "The user gives it up."
        values = {slot: self._styled(value) for slot, value in self.state.items()}
        self.sentences += [goal.summary.format(**values), outcome]
        if goal.domain == "booking":
            self.labels["deal"] = "yes" if done else "no"

    def chat(self) -> None:
        """One message about something else, and the answer to it."""
        in_scope = self.rng.random() < 0.5
        texts = phrases.SMALL_TALK if in_scope else phrases.OUT_OF_SCOPE
        self._user("small talk" if in_scope else "", "chat", lambda: (self._pick(texts), {}))
        answers = phrases.CHAT_ANSWERS if in_scope else phrases.APOLOGIES
        self._system("chat" if in_scope else "apologize", (self._pick(answers), {}))
        self.sentences.append("They chat." if in_scope else "The user asks for something that the system cannot do.")

    def close(self) -> None:
        """Thanks or a goodbye, and the answer to it."""
        thanks = self.rng.random() < 0.6
        texts = phrases.THANKS if thanks else phrases.GOODBYES
        self._user("thanks" if thanks else "goodbye", "thank" if thanks else "bye", lambda: (self._pick(texts), {}))
        answers = phrases.WELCOMES if thanks else phrases.FAREWELLS
        self._system("welcome" if thanks else "bye", (self._pick(answers), {}))

    def _ask(self, goal: Goal, missing: Sequence[str]) -> None:
        """The system asks for one slot or two, and the user answers."""
        asked = self.rng.sample(missing, 2 if len(missing) > 1 and self.rng.random() < 0.3 else 1)
        questions = [self._pick(QUESTIONS[slot]).rstrip("?") for slot in asked]
        start, joint = self.rng.choice(phrases.REQUEST_STARTS), self.rng.choice(phrases.REQUEST_AND)
        self._system("request", (f"{start}{joint.join(questions)}?", {}))
        if len(asked) == 1 and asked[0] in goal.any_value and self.rng.random() < 0.25:
            self._user(goal.intent, "inform", lambda: (self._pick(phrases.ANY), {}))
            self._settle({asked[0]: ANY})
        else:
            self._user(goal.intent, "inform", lambda: self._reply(goal, asked))

    def _agree_or_correct(self, goal: Goal) -> bool:
        """The user's answer to what the system repeats; whether the system may act."""
        if self.rng.random() < self.rates.refused:
            self._user(goal.intent, "negate", lambda: (self._pick(phrases.REFUSALS), {}))
            return False
        if self.rng.random() < self.rates.corrected:
            slot = self.rng.choice([slot for slot in goal.required if self.state[slot] != ANY])
            self._user(goal.intent, "correct", lambda: self._change(goal, slot, phrases.CORRECTIONS))
        else:
            self._user(goal.intent, "affirm", lambda: (self._pick(phrases.AFFIRMS), {}))
        return True

    def _finish(self, goal: Goal) -> bool:
        """The system does what the user wants; whether it was done."""
        if goal.intent == "get weather":
            values = {"forecast": self.rng.choice(FORECASTS), **self.state}
            self.facts.append(self._styled("{city}, {day}: {forecast}".format(**values)))
            self._system("inform", (self._pick(phrases.FORECAST_SENTENCES), values))
            return True
        if goal.intent == "book restaurant" and self.rng.random() < 0.5 and not self._choose_restaurant(goal):
            return False
        self._system("book" if goal.domain == "booking" else "execute", (self._pick(goal.done), {}))
        return True

    def _choose_restaurant(self, goal: Goal) -> bool:
        """The system offers a restaurant, or asks for another time; whether the user agrees."""
        if self.rng.random() < 0.35:
            self.facts.append(self._styled(f"{self.state['time']}: full"))
            self._system("no offer", (self._pick(phrases.NO_OFFERS), self.state))
            if self.rng.random() < self.rates.refused:
                self._user(goal.intent, "negate", lambda: (self._pick(phrases.REFUSALS), {}))
                return False
            self._user(goal.intent, "inform", lambda: self._change(goal, "time", phrases.ALTERNATIVES))
            return True
        values = {"place": self.rng.choice(RESTAURANTS)}
        self.facts.append(self._styled("{time}: {place}".format(time=self.state["time"], **values)))
        self._system("offer", (self._pick(phrases.OFFERS), values))
        accepted = self.rng.random() >= self.rates.refused
        texts = phrases.AFFIRMS if accepted else phrases.REFUSALS
        self._user(goal.intent, "affirm" if accepted else "negate", lambda: (self._pick(texts), {}))
        return accepted

    def _opening(self, goal: Goal) -> Message:
        """The request with some of the slots."""
        named = [slot for slot in goal.required if self.rng.random() < self.rates.named]
        named += [slot for slot in goal.optional if self.rng.random() < self.rates.named / 2]
        fitting = [opening for opening in goal.openings if set(placeholders(opening)) <= set(named)]
        opening = self.rng.choice(fitting)
        others = [slot for slot in named if slot not in placeholders(opening)]
        self.rng.shuffle(others)
        parts = [opening, *(self.rng.choice(goal.phrases[slot]) for slot in others)]
        start = self.rng.choice(phrases.GREETINGS) if self.rng.random() < 0.2 else ""
        text = self._expand((start + " ".join(parts)).rstrip(",") + self.rng.choice(phrases.POLITE_ENDS))
        asks = _QUESTION.match(text) is not None and self.rng.random() < 0.7
        return text + "?" * asks, self._values(named)

    def _reply(self, goal: Goal, asked: Sequence[str]) -> Message:
        """The answer to the question for one slot or two."""
        if len(asked) == 1:
            text = self.rng.choice(REPLIES[asked[0]])
        else:
            text = self.rng.choice((", ", " and ", " ")).join(self.rng.choice(goal.phrases[slot]) for slot in asked)
        start, end = self.rng.choice(phrases.REPLY_STARTS), self.rng.choice(phrases.POLITE_ENDS)
        return self._expand(start + text + end), self._values(asked)

    def _change(self, goal: Goal, slot: str, starts: Sequence[str]) -> Message:
        """Another value for a slot."""
        text = self.rng.choice(starts) + self.rng.choice(goal.phrases[slot]) + self.rng.choice(phrases.POLITE_ENDS)
        return self._expand(text), self._values([slot])

    def _recap(self, goal: Goal) -> Message:
        text = self.rng.choice(phrases.CONFIRM_STARTS) + self.rng.choice(goal.recap)
        return self._expand(text + self.rng.choice(phrases.CONFIRM_ENDS)), self.state

    def _values(self, slots: Sequence[str]) -> dict[str, str]:
        """New values for slots, different from each other and from those of the state."""
        values: dict[str, str] = {}
        for slot in slots:
            taken = {*values.values(), *self.state.values()}
            values[slot] = self.rng.choice([value for value in VALUES[slot] if value not in taken])
        return values

    def _user(self, intent: str, act: str, draw: Callable[[], Message]) -> None:
        """Let the user say something that belongs to the split, and settle the slots that it names."""
        while True:
            pattern, values = draw()
            before, emotion, toxic = self._feeling()
            text, slots = self._said(before + pattern, values)
            if split_of(text) == self.split:
                break
        self._settle(values)
        labels = {"emotion": emotion, "toxic": "yes" if toxic else "no"}
        self.turns.append(Turn("user", text, intent, (act,), slots, self._slots(), labels))

    def _system(self, act: str, message: Message) -> None:
        text, slots = self._said(*message)
        self.turns.append(Turn("system", text, None, (act,), slots))

    def _settle(self, values: Mapping[str, str]) -> None:
        self.state |= values
        if self.turns and ANY in values.values():
            last = self.turns.pop()
            self.turns.append(
                Turn(last.role, last.text, last.intent, last.acts, last.slots, self._slots(), last.labels)
            )

    def _slots(self) -> tuple[Slot, ...]:
        return tuple(Slot(slot, self._styled(value)) for slot, value in self.state.items())

    def _feeling(self) -> tuple[str, str, bool]:
        """Words before a message, the emotion that they express, and whether they are toxic."""
        if self.rng.random() < self.rates.toxic:
            return self._pick(phrases.INSULTS), "anger", True
        if self.rng.random() < self.rates.emotional:
            emotion = self.rng.choice(sorted(phrases.FEELINGS))
            return self._pick(phrases.FEELINGS[emotion]), emotion, False
        return "", "neutral", False

    def _said(self, pattern: str, values: Mapping[str, str]) -> tuple[str, tuple[Slot, ...]]:
        """A message in the style of the conversation, and its slots. A value at its beginning gets no capital."""
        stop = "" if pattern[-1] in "?!." or self.rng.random() < 0.5 else "."
        if self.cased:
            pattern = _SENTENCE_START.sub(lambda match: match[0].upper(), re.sub(r"\bi\b", "I", pattern))
        text, slots = filled(pattern + stop, {slot: self._styled(value) for slot, value in values.items()})
        return text, tuple(slots)

    def _styled(self, text: str) -> str:
        return text if self.cased else text.lower()

    def _expand(self, pattern: str) -> str:
        return expanded(pattern, self.rng)

    def _pick(self, patterns: Sequence[str]) -> str:
        return self._expand(self.rng.choice(patterns))


def draw_dialogue(rng: Random, split: str, turns: int, rates: Rates = Rates()) -> Dialogue:
    """Draw a dialogue of a split.

    Args:
        rng: Draws everything.
        split: "train", "validation" or "test": all messages of the user belong to it.
        turns: The largest number of turns, at least 4.
        rates: How often conversations take a turn.

    Returns:
        The dialogue, annotated with intents, acts, slots, states, emotions and, where something is booked, whether it
        came to a deal.
    """
    while True:
        conversation = Conversation(rng, split, rates, cased=rng.random() < 0.4)
        _converse(conversation, rng, rates)
        if len(conversation.turns) <= turns:
            return conversation.dialogue()


def _converse(conversation: Conversation, rng: Random, rates: Rates) -> None:
    if rng.random() < rates.off_topic:
        conversation.chat()
        if rng.random() < 0.6:
            return
    goal = rng.choice(GOALS)
    conversation.pursue(goal)
    if rng.random() < rates.second_goal:
        conversation.pursue(rng.choice([other for other in GOALS if not set(other.slots) & set(goal.slots)]))
    if rng.random() < rates.closed:
        conversation.close()
