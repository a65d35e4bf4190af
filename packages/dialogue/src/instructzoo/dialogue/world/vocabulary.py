"""The values of the microworld's slots. Written for this package.

A value is kept in the words in which it is said: "half past seven" is a time, and so is "7:30". Names have their
capitals here; speakers who write small letters only lose them.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    """The values of a comma-separated text."""
    return tuple(value.strip() for value in text.split(","))


_CITIES = _words(
    "Oslo, Rome, Lima, Cairo, Delhi, Paris, Quito, Tunis, Berlin, Madrid, Lisbon, Vienna, Prague, Dublin, Athens, "
    "Warsaw, Zurich, Geneva, Boston, Denver, Dallas, Austin, Sydney, Perth, Tokyo, Osaka, Kyoto, Seoul, Hanoi, Mumbai, "
    "Dakar, Accra, Lagos, Havana, Bogota, New York, Cape Town, Hong Kong, San Diego, Abu Dhabi"
)
_FOODS = _words(
    "Italian, Thai, Mexican, Indian, Chinese, Japanese, Korean, French, Greek, Turkish, Lebanese, Spanish, vegan, "
    "Vietnamese, Moroccan, Persian, Polish, Swedish, Ethiopian, Peruvian, Cuban, Brazilian, Hungarian, vegetarian"
)
_PEOPLE = _words("two, three, four, five, six, seven, eight, nine, ten, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12")
_DAYS = _words(
    "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, next Monday, next Tuesday, next Friday, "
    "next Sunday, Christmas Eve, New Year's Day"
)
_HOURS = _words("one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve")
_TIMES = (
    *_HOURS,
    *(f"{part} {hour}" for part in ("half past", "quarter past", "quarter to") for hour in _HOURS),
    *(f"{hour} {half}" for hour in range(1, 13) for half in ("am", "pm")),
    *(f"{hour}:{minute}" for hour in range(6, 22) for minute in ("00", "15", "30", "45")),
    "noon",
    "midnight",
)
_COLOURS = _words(
    "Silver, Golden, Broken, Hidden, Lonely, Electric, Velvet, Paper, Midnight, Crooked, Wild, Frozen, Quiet, Burning, "
    "Purple, Wooden"
)
_BAND_NOUNS = _words(
    "Foxes, Rivers, Mirrors, Pilots, Sailors, Engines, Tigers, Lanterns, Shadows, Dancers, Kites, Thieves, Gardens, "
    "Comets, Wolves, Oceans"
)
_GENRES = _words(
    "jazz, rock, blues, techno, opera, folk, soul, funk, disco, reggae, country, metal, punk, house, salsa, swing, "
    "gospel, hip hop, dance, piano"
)
_ROOMS = _words(
    "kitchen, bedroom, bathroom, hall, office, garage, cellar, attic, nursery, library, dining room, living room, "
    "guest room, studio"
)
_DEVICES = _words(
    "lights, lamp, fan, heater, television, radio, oven, kettle, dishwasher, washing machine, projector, humidifier, "
    "air conditioner, coffee machine, ceiling light, speaker"
)
_PLACES = (
    *_words(
        "station, airport, harbour, museum, stadium, theatre, hospital, university, zoo, market, town hall, cinema"
    ),
    *(f"{name} {kind}" for name in _words("grand, royal, park, river") for kind in _words("hotel, square, bridge")),
)

VALUES: dict[str, tuple[str, ...]] = {
    "city": _CITIES,
    "food": _FOODS,
    "people": _PEOPLE,
    "day": _DAYS,
    "time": _TIMES,
    "artist": tuple(f"the {colour} {noun}" for colour in _COLOURS for noun in _BAND_NOUNS),
    "genre": _GENRES,
    "room": _ROOMS,
    "device": _DEVICES,
    "temperature": tuple(str(degrees) for degrees in range(14, 28)),
    "departure": _PLACES,
    "destination": _PLACES,
}
"""By slot, the values that users give it."""

ANY = "any"
"""The value of a slot for which the user says that all values will do."""

FORECASTS = _words(
    "rain, sunshine, snow, fog, storms, clear skies, light rain, heavy rain, strong wind, clouds, hail, thunder"
)
RESTAURANTS = tuple(
    f"{name} {kind}"
    for name in _words("Blue, Old, Green, Red, White, Little, Lucky, Sunny, Happy, Royal")
    for kind in _words("Lotus, Mill, Table, Garden, Anchor, Spoon, Corner, Lion, Pepper, Terrace")
)
"""Names of restaurants that the system offers."""
