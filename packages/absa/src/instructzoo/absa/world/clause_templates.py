"""Clause templates of the microworld, with slots for aspect and opinion terms. Written for this package.

    {a}, {b}   aspect terms             {was} {is}        verbs that agree with {a}
    {o}, {p}   opinion terms            {very}            an adverb that is no part of the opinion term, or nothing
    {w}        a one-word opinion term  {who} {day} {n}   fillers

The dictionaries by category contain clauses whose aspect, opinion or both are implicit. The order of the templates
matters: the random draws index into it.
"""

from __future__ import annotations

PREDICATE = (
    "the {a} {was} {very}{o}",
    "the {a} {is} {very}{o}",
    "the {a} here {is} {very}{o}",
    "i found the {a} {very}{o}",
    "we thought the {a} {was} {very}{o}",
    "their {a} {is} {very}{o}",
    "my {who} called the {a} {o}",
    "the {a} turned out to be {very}{o}",
    "if you ask me the {a} {is} {very}{o}",
    "the {a} struck me as {very}{o}",
    "{a} : {o}",
    "the {a} {was} {o} , as always",
    "on {day} the {a} {was} {very}{o}",
    "{o} is the word for the {a}",
    "you will find the {a} {very}{o}",
    "sadly or not , the {a} {is} {o}",
    "as for the {a} , {very}{o}",
    "the {a} , which my {who} wanted , {was} {very}{o}",
)

ATTRIBUTIVE = (
    "they have {o} {a}",
    "{very}{o} {a}",
    "expect {o} {a}",
    "we got {very}{o} {a}",
    "it has {o} {a}",
    "i keep talking about the {o} {a}",
    "what we remember is the {o} {a}",
    "my {who} still mentions that {o} {a}",
    "{o} {a} , that is all i can say",
    "with {o} {a} like this you need nothing else",
)

NEGATED = (
    ("the {a} {was} {o}", "not {}"),
    ("the {a} {is} {o}", "not {}"),
    ("the {a} {was} {o}", "hardly {}"),
    ("the {a} {is} {o}", "never {}"),
    ("the {a} {was} {o}", "far from {}"),
    ("the {a} {was} {o}", "anything but {}"),
    ("i did not find the {a} {o}", "{}"),
    ("nobody can call the {a} {o}", "{}"),
    ("i would not say that the {a} {is} {o}", "{}"),
)
"""(template, form of the opinion term): clauses that negate a positive opinion term."""

VERBS = (
    ("we {o} the {a}", ("loved", "adored", "enjoyed", "liked"), ("hated", "disliked", "regretted", "could not stand")),
    ("i {o} the {a}", ("love", "recommend", "like", "admire"), ("hate", "dislike", "avoid", "cannot stand")),
    ("my {who} {o} the {a}", ("praised", "raved about", "fell for"), ("complained about", "cursed", "gave up on")),
)

TWO_OPINIONS = (
    ("the {a} {was} {o} and {p}", True),
    ("the {a} {is} both {o} and {p}", True),
    ("the {a} {was} {o} but {p}", False),
    ("the {a} {is} {o} , yet {p}", False),
    ("although {o} , the {a} {was} {p}", False),
)
"""(template, whether the two opinions on one aspect agree)."""

TWO_ASPECTS = (
    ("the {a} and the {b} were {very}{o}", True),
    ("{o} {a} and {p} {b}", None),
    ("unlike the {a} , which {was} {o} , the {b} turned out {p}", False),
    ("from the {o} {a} to the {p} {b}", None),
    ("the {a} {was} {o} while the {b} seemed {p}", False),
)
"""(template, relation of two aspects). True: they share one opinion; False: their opinions disagree; None: either."""

IMPLICIT_ASPECT: dict[str, tuple[str, ...]] = {
    "FOOD#QUALITY": ("everything tasted {very}{o}", "{very}{o} from the first bite to the last", "all we ate was {o}"),
    "FOOD#STYLE_OPTIONS": ("what came on our plates was {very}{o}",),
    "DRINKS#QUALITY": ("what they poured us was {very}{o}",),
    "SERVICE#GENERAL": ("they were {very}{o} when we asked for the bill", "we were served in such a {w} way"),
    "AMBIENCE#GENERAL": ("inside it felt {very}{o}", "once you sit down it is {very}{o}"),
    "LOCATION#GENERAL": ("coming by train you will find it {o}",),
    "RESTAURANT#GENERAL": ("such a {w} evening", "eating here was {very}{o}", "for a night out {o}"),
    "RESTAURANT#PRICES": ("when the bill came it was {very}{o}", "for dinner in this town {o}"),
    "LAPTOP#GENERAL": ("as computers go {o}", "after a month of use i can say : {o}", "such a {w} purchase"),
    "LAPTOP#PRICE": ("for what i paid it is {very}{o}", "at this price {o}"),
    "LAPTOP#OPERATION_PERFORMANCE": ("it runs {very}{o} even with many tabs open", "at work it is {very}{o}"),
    "LAPTOP#PORTABILITY": ("on the train it is {very}{o}",),
    "LAPTOP#USABILITY": ("once set up it is {very}{o}",),
    "LAPTOP#DESIGN_FEATURES": ("to look at it is {very}{o}",),
}

IMPLICIT_OPINION: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "FOOD#QUALITY": (
        ("i could eat the {a} every day", "not a crumb of the {a} was left", "we ordered the {a} twice"),
        ("i sent the {a} back", "i left most of the {a} on the plate", "the {a} made my {who} ill"),
    ),
    "FOOD#PRICES": (
        ("the {a} cost less than a bus ticket",),
        ("they charge {n} dollars for the {a}", "i had to sell my watch to pay for the {a}"),
    ),
    "DRINKS#QUALITY": (("we had {n} more rounds of the {a}",), ("i poured the {a} into the flowers",)),
    "SERVICE#GENERAL": (
        ("the {a} remembered our names", "the {a} brought us a cake on the house"),
        ("the {a} never came back to us", "we asked the {a} {n} times", "the {a} forgot half of our order"),
    ),
    "AMBIENCE#GENERAL": (
        ("we could have stayed in that {a} all night",),
        ("we could not hear each other over the {a}", "the {a} gave my {who} a headache"),
    ),
    "RESTAURANT#GENERAL": (("we will be back at this {a}",), ("never again will i set foot in this {a}",)),
    "LAPTOP#GENERAL": (
        ("i bought a second {a} for my {who}", "i would buy this {a} again"),
        ("the {a} went back to the store", "save your money and skip this {a}"),
    ),
    "LAPTOP#OPERATION_PERFORMANCE": (
        ("the {a} starts in {n} seconds", "the {a} runs all my games"),
        ("the {a} freezes every hour", "the {a} shut down in the middle of my work"),
    ),
    "DISPLAY#QUALITY": (("i see every detail on the {a}",), ("there are lines across the {a}",)),
    "KEYBOARD#OPERATION_PERFORMANCE": (("my {who} types for hours on the {a}",), ("the {a} stopped working on {day}",)),
    "BATTERY#OPERATION_PERFORMANCE": (
        ("the {a} lasts the whole day", "i get {n} hours out of the {a}"),
        ("the {a} no longer holds a charge", "the {a} dies after {n} minutes"),
    ),
    "SUPPORT#QUALITY": (
        ("the {a} called me back at once",),
        ("the {a} hung up on me", "i waited {n} weeks for the {a}"),
    ),
    "HARDWARE#QUALITY": (("the {a} survived a fall",), ("the {a} fell apart after {n} weeks",)),
    "POWER_SUPPLY#OPERATION_PERFORMANCE": (("the {a} fills it in an hour",), ("the {a} quit after {n} days",)),
    "SOFTWARE#OPERATION_PERFORMANCE": (("the {a} never let me down",), ("the {a} crashed {n} times",)),
}
"""By category: positive clauses and negative clauses."""

IMPLICIT_BOTH: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "RESTAURANT#GENERAL": (
        ("we will be back next week", "i have told all my friends to come"),
        ("never again", "we left before the main course", "go anywhere else"),
    ),
    "SERVICE#GENERAL": (
        ("they treated us like family",),
        ("we waited {n} minutes before anybody took our order", "nobody said hello"),
    ),
    "FOOD#QUALITY": (("we licked our plates",), ("my {who} was sick all night",)),
    "LAPTOP#GENERAL": (
        ("i would buy it again", "my {who} wants one too"),
        ("i want my money back", "it went back the same day", "do not buy it"),
    ),
    "LAPTOP#OPERATION_PERFORMANCE": (("it boots in {n} seconds",), ("it died after {n} weeks", "it freezes every day")),
    "LAPTOP#PRICE": (("i paid half of what others ask",), ("i could have had {n} of them elsewhere",)),
}

NO_OPINION: dict[str, tuple[str, ...]] = {
    "restaurant": (
        "we ordered the {a} and the {b}",
        "my {who} had the {a}",
        "we went on {day} with {n} friends",
        "i did not try the {a}",
        "the {a} comes before the {b}",
        "we sat near the {a}",
        "i asked about the {a}",
        "it was the birthday of my {who}",
    ),
    "laptop": (
        "i bought it for my {who} on {day}",
        "it came with the {a}",
        "i use the {a} for work",
        "i have had it for {n} months",
        "i did not test the {a}",
        "the {a} sits next to the {b}",
        "my {who} asked about the {a}",
        "before this i had another one for {n} years",
    ),
}

JOINTS = (" , and ", " , but ", " . ", " ; ", " , ", " . ", " while ", " and ", " . ")
OPENINGS = (
    "",
    "",
    "",
    "",
    "honestly , ",
    "well , ",
    "to be fair , ",
    "in short , ",
    "after {n} visits : ",
    "update : ",
)
ENDS = (" .", " .", " .", " !", "", " ...")
ADVERBS = ("", "", "", "", "", "really ", "very ", "quite ", "so ", "rather ", "truly ", "a bit ")
FILLERS = {
    "who": ("wife", "husband", "friend", "sister", "brother", "mother", "father", "boss", "son", "daughter", "cousin"),
    "day": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "n": ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve"),
}
