"""The vocabulary of the microworld: aspect terms and opinion terms by topic. Written for this package.

A topic is an entity with its aspect terms and, by attribute, the opinion terms that are positive, negative or neutral.
A modifier can precede a term ("grilled" + "salmon") and becomes part of it. A term with an asterisk is a plural. The
first attribute is the topic's main one: the category of a bare "loved" or "hated". No opinion term belongs to two
attributes of one topic, so that topic and opinion term determine the category.
"""

from __future__ import annotations

from dataclasses import dataclass


def _split(text: str) -> tuple[str, ...]:
    """The terms of a comma-separated text."""
    return tuple(piece.strip() for piece in text.split(",") if piece.strip())


@dataclass(frozen=True)
class Opinions:
    """Opinion terms of one attribute by sentiment."""

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    neutral: tuple[str, ...] = ()


def _opinions(positive: str, negative: str, neutral: str = "") -> Opinions:
    return Opinions(_split(positive), _split(negative), _split(neutral))


@dataclass(frozen=True)
class Topic:
    """An entity of reviews: its aspect terms, and its opinion terms by attribute."""

    entity: str
    terms: tuple[str, ...]
    attributes: dict[str, Opinions]
    modifiers: tuple[str, ...] = ()

    @property
    def main(self) -> str:
        """The first attribute."""
        return next(iter(self.attributes))


PRICE_WORDS = (
    "cheap, affordable, reasonable, fairly priced, a bargain, worth every cent, good value, easy on the wallet",
    "overpriced, expensive, pricey, costly, a rip-off, not worth the money, far too dear, priced like gold",
    "neither cheap nor dear, priced as elsewhere, mid-priced",
)
NEUTRAL = "average, ordinary, so-so, nothing special, passable, middling, neither good nor bad, acceptable"

_FOOD = _split(
    "pizza, pasta, salmon, chicken, steak, soup, salad, burger, fries*, sushi, ramen, noodles*, dumplings*,"
    " curry, rice, lamb, duck, tuna, shrimp, lobster, oysters*, tacos*, burrito, quesadilla, sandwich, bagel,"
    " omelette, pancakes*, waffles*, bread, cheese plate, risotto, lasagna, gnocchi*, ravioli*, meatballs*, ribs*,"
    " brisket, pork belly, tofu, falafel, hummus, kebab, spring rolls*, pad thai, crab cakes*, scallops*,"
    " mussels*, calamari, ceviche, paella, tapas*, gazpacho, tiramisu, cheesecake, chocolate cake, apple pie, ice"
    " cream, creme brulee, dessert, desserts*, appetizers*, main course, side dishes*, breakfast, brunch, lunch"
    " special, tasting menu, food, dishes*, portions*"
)
_MODIFIERS = _split("grilled, fried, roast, smoked, braised, stuffed, baked, house, vegan, spicy, thai, sicilian")
_DRINKS = _split(
    "wine, red wine, white wine, house wine, beer, draft beer, cocktails*, margarita, martini, mojito, sangria, sake,"
    " iced tea, green tea, coffee, espresso, cappuccino, lemonade, orange juice, milkshake, smoothie, drinks*, gin"
)
_SERVICE = _split(
    "waiter, waitress, waiters*, staff, service, server, servers*, hostess, manager, owner, bartender, chef, delivery"
    " guy, busboys*, wait staff, management, table service, sommelier, host, crew"
)
_AMBIENCE = _split(
    "atmosphere, ambience, decor, music, garden, terrace, dining room, lighting, seating, tables*, patio, back room,"
    " bar area, interior, fireplace, crowd, furniture, view, open kitchen, chairs*"
)
_PLACE = _split(
    "place, restaurant, spot, diner, bistro, trattoria, cafe, steakhouse, pizzeria, eatery, tavern, joint, brasserie"
)
_LOCATION = _split("location, neighborhood, street, parking, parking lot, entrance, area, corner, block, waterfront")

RESTAURANT = (
    Topic(
        "FOOD",
        _FOOD,
        {
            "QUALITY": _opinions(
                "delicious, tasty, fresh, juicy, tender, crisp, superb, flavorful, scrumptious, mouth-watering, divine,"
                " cooked to perfection, out of this world, well seasoned, full of flavor, to die for, yummy, succulent",
                "bland, stale, greasy, soggy, burnt, overcooked, undercooked, tasteless, inedible, rubbery, salty,"
                " cold, dry, mushy, chewy, dry as dust, swimming in oil, raw in the middle, awful, spoiled",
                NEUTRAL,
            ),
            "PRICES": _opinions(*PRICE_WORDS),
            "STYLE_OPTIONS": _opinions(
                "generous, huge, varied, inventive, creative, authentic, beautifully presented, big enough for two",
                "tiny, skimpy, unimaginative, monotonous, thrown together, always the same, a joke in size",
                "standard, what you would expect",
            ),
        },
        _MODIFIERS,
    ),
    Topic(
        "DRINKS",
        _DRINKS,
        {
            "QUALITY": _opinions(
                "refreshing, smooth, well mixed, strong, excellent, rich, fruity, perfectly chilled, delightful",
                "watered down, flat, sour, bitter, lukewarm, weak, undrinkable, mostly ice, vile",
                NEUTRAL,
            ),
            "PRICES": _opinions(*PRICE_WORDS),
            "STYLE_OPTIONS": _opinions(
                "unusual, well chosen, original, from all over the world", "limited, boring, out of a can"
            ),
        },
    ),
    Topic(
        "SERVICE",
        _SERVICE,
        {
            "GENERAL": _opinions(
                "attentive, friendly, prompt, polite, helpful, charming, gracious, quick, knowledgeable, welcoming,"
                " on top of everything, kind, professional, always smiling",
                "rude, slow, clueless, inattentive, arrogant, forgetful, careless, unfriendly, impatient, chaotic,"
                " nowhere to be seen, a disgrace, pushy, snobby",
                NEUTRAL,
            )
        },
    ),
    Topic(
        "AMBIENCE",
        _AMBIENCE,
        {
            "GENERAL": _opinions(
                "cozy, romantic, lovely, relaxing, stylish, elegant, warm, intimate, beautiful, pleasant, lively,"
                " easy on the eyes",
                "noisy, cramped, dingy, tacky, gloomy, loud, cold, shabby, uncomfortable, falling apart, dirty, stuffy",
                NEUTRAL,
            )
        },
    ),
    Topic(
        "LOCATION",
        _LOCATION,
        {
            "GENERAL": _opinions(
                "convenient, scenic, central, easy to reach, hard to beat, quiet, safe",
                "inconvenient, hard to find, remote, sketchy, miles from anywhere, unsafe",
                NEUTRAL,
            )
        },
    ),
    Topic(
        "RESTAURANT",
        _PLACE,
        {
            "GENERAL": _opinions(
                "great, wonderful, amazing, fantastic, a gem, worth a visit, a keeper, terrific, one of a kind",
                "terrible, disappointing, dreadful, horrible, a let-down, overrated, a tourist trap, mediocre",
                NEUTRAL,
            ),
            "PRICES": _opinions(*PRICE_WORDS),
            "MISCELLANEOUS": _opinions(
                "good for groups, kid-friendly, open late, good for a date, dog-friendly",
                "cash only, closed on sundays, no place for children, always booked out",
            ),
        },
    ),
)

_WORKS = _opinions(
    "fast, responsive, reliable, snappy, rock solid, flawless, powerful",
    "sluggish, buggy, unreliable, unresponsive, laggy, dead on arrival, broken, prone to crashes",
    "workable, neither fast nor slow",
)
_MADE = _opinions(
    "sturdy, well made, solid, durable, built to last", "flimsy, badly made, fragile, poorly built, defective"
)
_LOOKS = _opinions(
    "sleek, elegant, attractive, slim, well thought out", "ugly, bulky, clunky, outdated, badly placed", "plain"
)
_EASY = _opinions("easy to use, intuitive, comfortable, a joy to use", "confusing, awkward, hard to use, a pain to use")
_GOOD = _opinions(
    "great, excellent, fantastic, superb, awesome, second to none, wonderful",
    "terrible, awful, disappointing, horrible, useless, a nightmare, the worst",
    NEUTRAL,
)

LAPTOP = (
    Topic(
        "LAPTOP",
        _split("laptop, computer, machine, notebook, chromebook, device, unit, pc, netbook, ultrabook"),
        {
            "GENERAL": _GOOD,
            "PRICE": _opinions(*PRICE_WORDS),
            "OPERATION_PERFORMANCE": _WORKS,
            "QUALITY": _MADE,
            "DESIGN_FEATURES": _LOOKS,
            "USABILITY": _EASY,
            "PORTABILITY": _opinions("light, portable, easy to carry, feather-light", "heavy, too big for any bag"),
        },
        _split("gaming, refurbished, work"),
    ),
    Topic(
        "DISPLAY",
        _split("screen, display, touch screen, monitor, panel, lcd, retina display, resolution, viewing angles*"),
        {
            "QUALITY": _opinions("sharp, bright, crisp, vivid, gorgeous", "dim, blurry, washed out, grainy, cracked"),
            "GENERAL": _GOOD,
            "DESIGN_FEATURES": _opinions("large, roomy, non-glare", "small, glossy, far too reflective"),
        },
    ),
    Topic(
        "KEYBOARD",
        _split("keyboard, keys*, trackpad, touchpad, mouse pad, space bar, backlit keys*, number pad, shift key"),
        {
            "GENERAL": _GOOD,
            "OPERATION_PERFORMANCE": _WORKS,
            "DESIGN_FEATURES": _opinions("well spaced, full-size", "cramped, badly laid out, shallow"),
            "USABILITY": _EASY,
            "QUALITY": _MADE,
        },
    ),
    Topic(
        "BATTERY",
        _split("battery, battery life, spare battery, battery pack, standby time"),
        {
            "OPERATION_PERFORMANCE": _opinions(
                "long lasting, good for ten hours, dependable", "short, dead by noon, erratic", "enough for a film"
            ),
            "GENERAL": _GOOD,
        },
    ),
    Topic(
        "SOFTWARE",
        _split("software, browser, apps*, preinstalled programs*, antivirus, office suite, updates*, drivers*"),
        {"OPERATION_PERFORMANCE": _WORKS, "GENERAL": _GOOD, "USABILITY": _EASY},
    ),
    Topic(
        "OS",
        _split("windows, operating system, os, linux, chrome os, boot time, start menu"),
        {"GENERAL": _GOOD, "OPERATION_PERFORMANCE": _WORKS, "USABILITY": _EASY},
    ),
    Topic(
        "SUPPORT",
        _split("support, tech support, customer service, help desk, warranty service, repair shop, hotline"),
        {"QUALITY": _opinions("helpful, patient, quick, polite", "rude, slow, clueless, no help at all", NEUTRAL)},
    ),
    Topic(
        "MULTIMEDIA_DEVICES",
        _split("speakers*, webcam, microphone, sound, audio, camera, headphone jack, volume"),
        {
            "QUALITY": _opinions("clear, rich, balanced, loud enough", "tinny, muffled, too quiet, distorted"),
            "GENERAL": _GOOD,
        },
    ),
    Topic(
        "HARDWARE",
        _split("hardware, hinge, case, lid, motherboard, chassis, casing, frame"),
        {"QUALITY": _MADE, "GENERAL": _GOOD, "DESIGN_FEATURES": _LOOKS},
    ),
    Topic(
        "POWER_SUPPLY",
        _split("charger, power cord, adapter, power brick, charging cable, plug"),
        {"OPERATION_PERFORMANCE": _WORKS, "QUALITY": _MADE},
    ),
    Topic(
        "CPU",
        _split("processor, cpu, graphics card, chip"),
        {"OPERATION_PERFORMANCE": _WORKS, "GENERAL": _GOOD},
    ),
    Topic(
        "PORTS",
        _split("usb ports*, hdmi port, ports*, card reader, ethernet port, usb hub"),
        {"GENERAL": _GOOD, "DESIGN_FEATURES": _opinions("plentiful, handy", "scarce, on the wrong side, too few")},
    ),
    Topic(
        "SHIPPING",
        _split("shipping, delivery, packaging, courier"),
        {"GENERAL": _opinions("fast, careful, on time, flawless", "late, careless, slow, damaged", NEUTRAL)},
    ),
)

TOPICS = {"restaurant": RESTAURANT, "laptop": LAPTOP}
