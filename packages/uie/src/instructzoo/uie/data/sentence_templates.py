"""Short everyday sentences with well-known names: the source `templates`, whose truth is known by construction.

    {person} works for {company} in {city}.  | works for: person, company

A template is a sentence with slots; what follows a bar states all its relations by slots, and a template without a bar
is not annotated with relations. Slots that end in a number are further names of the same type. Names of companies and
places are those of known_names.py, persons are combined from first and last names; all other words stand
for nothing that a label asks for.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from instructzoo.uie.data import known_names
from instructzoo.uie.data.known_names import split_names
from instructzoo.uie.data.readers.base import Sentence, make_sentence
from instructzoo.uie.data.template_texts import TEMPLATES
from instructzoo.uie.schema import Annotation, Mention, Relation

FIRST_NAMES = split_names("""
Anna; Emma; Olivia; Sophie; Laura; Julia; Maria; Elena; Clara; Nina; Alice; Grace; Lucy; Hannah; Rachel; Sarah;
Emily; Kate; Jane; Helen; Ruth; Diana; Angela; Monica; Priya; Aisha; Fatima; Leila; Mei; Yuki; Hana; Ingrid; Astrid;
Carmen; Lucia; Rosa; Chloe; Camille; Amélie; Zoe; Megan; Nora; Svetlana; Olga; Wanjiru; Amara; Ngozi; Michelle;
Susan; Linda; John; James; Robert; Michael; David; William; Richard; Thomas; Daniel; Paul; Mark; George; Peter;
Andrew; Kevin; Brian; Edward; Henry; Jack; Oliver; Harry; Liam; Noah; Lucas; Leo; Max; Felix; Hans; Klaus; Jürgen;
Pierre; Louis; Antoine; Marco; Luca; Giovanni; Carlos; Diego; Pablo; Luis; Javier; Ivan; Dmitri; Boris; Ahmed; Omar;
Hassan; Ali; Raj; Arjun; Sanjay; Wei; Jun; Kenji; Hiroshi; Kwame; Chidi; Tunde; Lars; Erik; Sven; Mikael; Bill; Tom;
Ben; Sam; Steve; Joe; Bob
""")

LAST_NAMES = split_names("""
Smith; Johnson; Brown; Taylor; Wilson; Davies; Evans; Thomas; Roberts; Walker; Wright; Hall; Green; Clark; Baker;
Young; King; Hill; Scott; Cooper; Ward; Turner; Parker; Collins; Murphy; O'Brien; Kelly; Ryan; Campbell; Stewart;
MacDonald; Müller; Schmidt; Schneider; Fischer; Weber; Wagner; Becker; Hoffmann; Dubois; Moreau; Laurent; Bernard;
Lefevre; Rossi; Russo; Ferrari; Bianchi; García; Martinez; Lopez; Sanchez; Fernandez; Silva; Santos; Costa; Pereira;
Novak; Kowalski; Nowak; Ivanov; Petrov; Popov; Volkov; Andersen; Hansen; Nilsson; Larsson; Virtanen; de Vries;
van den Berg; Jansen; Patel; Singh; Sharma; Gupta; Kumar; Khan; Ahmed; Hussein; Rahman; Chen; Wang; Li; Zhang; Liu;
Kim; Park; Lee; Tanaka; Suzuki; Sato; Yamamoto; Nguyen; Tran; Okafor; Adeyemi; Mensah; Kamau; Cohen; Levy; Goldberg;
Papadopoulos; Yilmaz
""")

KNOWN_PERSONS = split_names("""
Barack Obama; Angela Merkel; Nelson Mandela; Emmanuel Macron; Margaret Thatcher; Winston Churchill; Albert Einstein;
Marie Curie; Isaac Newton; Charles Darwin; Elon Musk; Bill Gates; Steve Jobs; Mark Zuckerberg; Jeff Bezos;
Satya Nadella; Taylor Swift; Beyoncé; Adele; Elton John; Paul McCartney; Madonna; Shakira; Lionel Messi;
Cristiano Ronaldo; Serena Williams; Roger Federer; Usain Bolt; Tom Hanks; Meryl Streep; Leonardo DiCaprio;
Emma Watson; Steven Spielberg; Greta Thunberg; J. K. Rowling; Stephen King; Agatha Christie; William Shakespeare;
Pablo Picasso; Mozart; Shakespeare; Oprah Winfrey
""")

_MONTHS = split_names(
    "January; February; March; April; May; June; July; August; September; October; November; December"
)
_DAYS = split_names("Monday; Tuesday; Wednesday; Thursday; Friday; Saturday; Sunday")
_SLOT = re.compile(r"\{([a-z ]+)(\d?)\}")

NAMES = {
    "company": known_names.COMPANIES,
    "organisation": known_names.OTHER_ORGANISATIONS,
    "university": known_names.UNIVERSITIES,
    "city": known_names.CITIES,
    "country": known_names.COUNTRIES,
    "location": known_names.OTHER_PLACES,
    "product": known_names.PRODUCTS,
    "creative work": known_names.WORKS,
}
"""Names by slot, which is also the label of what fills it."""

PATTERNS = {
    "company": ("{last} & {last2}", "{last} Ltd", "{last} {company}"),
    "organisation": ("{city} {organisation}", "{last} Foundation", "Friends of {city}"),
    "university": ("University of {city}", "{last} College"),
    "location": ("{last} Street", "{last} Park", "Lake {last}", "Mount {last}", "{city} {location}"),
}
"""Patterns of names that nobody has met, by slot; a word of ENDINGS stands for the slot itself."""

ENDINGS = {
    "company": split_names("Motors; Foods; Bank; Airlines; Energy; Media; Group; Insurance; Books; Records; Hotels"),
    "organisation": split_names(
        "City Council; Police Department; General Hospital; Chamber of Commerce; Symphony Orchestra; Rovers; United"
    ),
    "location": split_names("Airport; Central Station; Harbour; Old Town; Zoo"),
}
_PATTERN_SHARE = 0.3


def generate(n: int, seed: int) -> Iterator[Sentence]:
    """Fill templates with names.

    Args:
        n: The number of sentences.
        seed: Decides the templates and the names.

    Yields:
        Sentences with their entities; with relations where the template states them. `where` names the template.
    """
    rng = random.Random(f"{seed}\ntemplates")
    for _ in range(n):
        number = rng.randrange(len(TEMPLATES))
        yield _fill(TEMPLATES[number], f"template {number}", rng)


def _fill(template: str, where: str, rng: random.Random) -> Sentence:
    pattern, bar, relations = template.partition("|")
    text, mentions, position = "", dict[str, Mention](), 0
    for slot in _SLOT.finditer(pattern := pattern.strip()):
        text += pattern[position : slot.start()]
        used = [mention.text for mention in mentions.values()]
        name = _draw_name(slot[1], rng, used)
        if name.startswith("the "):  # an article is no part of a name
            text, name = f"{text}the ", name.removeprefix("the ")
        mentions[slot[1] + slot[2]] = Mention(_label(slot[1]), name, len(text), len(text) + len(name))
        text, position = text + name, slot.end()
    text += pattern[position:]
    related = tuple(
        Relation(type.strip(), *(mentions[slot.strip()] for slot in slots.split(",")))
        for type, _, slots in (stated.partition(":") for stated in relations.split(";") if stated.strip())
    )
    layers = ("entities", "relations") if bar else ("entities",)
    return make_sentence(text, Annotation(tuple(mentions.values()), related), where, layers=layers)


def _label(slot: str) -> str:
    return {"first": "person", "last": "person", "year": "date"}.get(slot, slot)


def _draw_name(slot: str, rng: random.Random, used: list[str]) -> str:
    """A name for a slot, which is not part of another name of the sentence, nor has one as a part."""
    while True:
        name = _any_name(slot, rng)
        if not any(name in other or other in name for other in used):
            return name


def _any_name(slot: str, rng: random.Random) -> str:
    if slot == "person":
        if rng.random() < 0.25:
            return rng.choice(KNOWN_PERSONS)
        return f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    if slot in ("first", "last"):
        return rng.choice(FIRST_NAMES if slot == "first" else LAST_NAMES)
    if slot == "year":
        return str(rng.randint(1850, 2025))
    if slot in PATTERNS and rng.random() < _PATTERN_SHARE:
        last, last2 = rng.sample(LAST_NAMES, 2)
        endings = {name: rng.choice(words) for name, words in ENDINGS.items()}
        return rng.choice(PATTERNS[slot]).format(last=last, last2=last2, city=rng.choice(known_names.CITIES), **endings)
    if slot != "date":
        return rng.choice(NAMES[slot])
    month, day, year = rng.choice(_MONTHS), rng.randint(1, 28), rng.randint(1950, 2025)
    return rng.choice(
        (rng.choice(_DAYS), rng.choice(_DAYS), f"{day} {month}", f"{month} {day}", f"{day} {month} {year}",
         f"{month} {day}, {year}", f"{rng.choice(_DAYS)}, {day} {month}")
    )  # fmt: skip
