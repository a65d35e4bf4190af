"""What users of the microworld want: intents, their slots, and the words for both.

    {city}     the value of a slot
    (a|b|)     one of several words, or none

A request is an opening, followed by a phrase for each slot that the user names and the opening does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Goal:
    """What a user wants from the system.

    Attributes:
        intent: The name of the intent.
        domain: booking, weather, music or smart home.
        required: Slots that the system asks for where the user has not named them.
        optional: Slots that the user may name.
        openings: Requests without a value, or with some.
        phrases: By slot, what is added to an opening.
        recap: What the system repeats before it acts; it names all required slots.
        done: The system's words when it has acted.
        summary: One sentence on the request; it names all required slots.
    """

    intent: str
    domain: str
    required: tuple[str, ...]
    openings: tuple[str, ...]
    phrases: Mapping[str, tuple[str, ...]]
    recap: tuple[str, ...]
    done: tuple[str, ...]
    summary: str
    optional: tuple[str, ...] = ()
    any_value: tuple[str, ...] = field(default=())

    @property
    def slots(self) -> tuple[str, ...]:
        """All slots of the goal."""
        return self.required + self.optional


_IN_ROOM = ("in the {room}", "for the {room}")
_BOOKED = ("it is (booked|reserved|arranged)", "your booking is (complete|confirmed)", "all booked")
_ACTED = ("(done|okay|all right), it is (set|ready)", "it is done", "okay, i have done (that|it)", "that is (set|done)")

GOALS = (
    Goal(
        "book restaurant",
        "booking",
        ("food", "city", "people", "time"),
        (
            "(i want|i need|i would like|we need|we want) a (table|restaurant)",
            "(book|reserve|find|get) (me|us) a (table|restaurant)",
            "(can|could) you (book|reserve|find) a (table|restaurant)",
            "(we|i) (would like|want) to (eat|dine) out",
            "(i am looking|we are looking) for a (restaurant|place to eat)",
            "(a table|dinner|lunch), please,",
            "(i want|we want|find me|i am looking for) (a {food} restaurant|{food} food)",
            "(book|reserve) a table for {people}",
        ),
        {
            "food": ("(with|that serves|serving) {food} food", "where the food is {food}", "with a {food} kitchen"),
            "city": ("in {city}", "(somewhere|a place) in {city}", "in the middle of {city}"),
            "people": ("for {people}", "for {people} (people|persons|guests)", "for a party of {people}"),
            "time": ("at {time}", "(around|about) {time}", "at {time} (sharp|if possible)"),
            "day": ("on {day}", "for {day}"),
        },
        (
            "{food} food in {city}, {people} people, at {time}",
            "{food} food in {city} for {people} at {time}",
            "a table for {people} at {time}, {food} food, in {city}",
        ),
        _BOOKED,
        "The user wants a table for {people} at {time} in {city} with {food} food.",
        ("day",),
        ("food",),
    ),
    Goal(
        "order taxi",
        "booking",
        ("departure", "destination", "time"),
        (
            "(i need|i want|we need|i would like) a (taxi|cab|ride)",
            "(order|book|call|send|get) (me|us) a (taxi|cab|car)",
            "(can|could) you (order|call|send) a (taxi|cab)",
            "(pick me up|pick us up|collect me)",
            "(a taxi|a cab|a ride), please,",
            "(take|bring|drive) (me|us) to the {destination}",
        ),
        {
            "departure": ("from the {departure}", "starting (at|from) the {departure}", "leaving from the {departure}"),
            "destination": ("to the {destination}", "(going|driving) to the {destination}"),
            "time": ("at {time}", "(around|about|for) {time}", "leaving at {time}"),
        },
        (
            "a taxi from the {departure} to the {destination} at {time}",
            "at {time} from the {departure} to the {destination}",
            "a cab to the {destination}, leaving the {departure} at {time}",
        ),
        ("the (taxi|cab) is (booked|on its way|ordered)", *_BOOKED),
        "The user wants a taxi from the {departure} to the {destination} at {time}.",
    ),
    Goal(
        "get weather",
        "weather",
        ("city", "day"),
        (
            "(how is|what is) the (weather|forecast)",
            "(tell|give|show) me the (weather|forecast)",
            "(will|does) it rain",
            "(is it|will it be) (sunny|cold|warm|windy)",
            "do i need (an umbrella|a coat|sunglasses)",
            "what will the weather (be|look) like",
            "(the weather|the forecast), please,",
            "(what is|how is) the weather in {city}",
        ),
        {
            "city": ("in {city}", "(over|around) {city}", "if i go to {city}"),
            "day": ("on {day}", "for {day}", "by {day}"),
        },
        ("the forecast for {city} on {day}", "{city} on {day}", "the weather on {day} in {city}"),
        (),
        "The user asks for the weather in {city} on {day}.",
    ),
    Goal(
        "play music",
        "music",
        ("genre", "room"),
        (
            "(play|put on|start) (something|some music|music)",
            "(can|could) you (play|put on) (something|a song|music)",
            "(i want|i would like) to (hear|listen to) (something|music|a song)",
            "(let us have|how about) some music",
            "(play|put on) (some|) {genre}",
            "(i want to|i would like to|let me) hear (some|) {genre}",
            "(play|put on) {genre} by {artist}",
        ),
        {
            "genre": ("in the style of {genre}", "and make it {genre}", "something like {genre}"),
            "room": ("in the {room}", "on the speakers in the {room}"),
            "artist": ("by {artist}", "from {artist}"),
        },
        ("{genre} music in the {room}", "in the {room} {genre} music"),
        ("(enjoy|here comes) the music", "the music is (on|playing)", "it is playing (now|)"),
        "The user wants {genre} music in the {room}.",
        ("artist",),
        ("genre",),
    ),
    Goal(
        "set temperature",
        "smart home",
        ("room", "temperature"),
        (
            "(set|change|adjust) the (temperature|heating|thermostat)",
            "(can|could) you (set|change|adjust) the (temperature|heating)",
            "(make it|i want it|it should be) (warmer|cooler)",
            "it is too (cold|hot|warm) here, set the (thermostat|temperature)",
            "(make it|i want it|it should be) {temperature} degrees",
            "(heat|warm up|cool) the {room}",
        ),
        {"room": _IN_ROOM, "temperature": ("to {temperature} degrees", "to {temperature}", "at {temperature} degrees")},
        ("{temperature} degrees in the {room}", "the {room} at {temperature} degrees"),
        _ACTED,
        "The user wants {temperature} degrees in the {room}.",
    ),
    Goal(
        "turn on device",
        "smart home",
        ("device", "room"),
        (
            "(turn|switch) (something|a device) on",
            "(can|could) you (turn|switch) on something",
            "(turn|switch) on the {device}",
            "(turn|switch) the {device} on",
            "(start|activate) the {device}",
            "(i need|i want) the {device} on",
        ),
        {"device": ("namely the {device}", "i mean the {device}"), "room": _IN_ROOM},
        ("the {device} in the {room} on", "switching on the {device} in the {room}"),
        ("(it is|now it is) on", *_ACTED),
        "The user wants the {device} in the {room} on.",
    ),
    Goal(
        "turn off device",
        "smart home",
        ("device", "room"),
        (
            "(turn|switch) (something|a device) off",
            "(can|could) you (turn|switch) off something",
            "(turn|switch) off the {device}",
            "(turn|switch) the {device} off",
            "(stop|deactivate) the {device}",
            "(i need|i want) the {device} off",
        ),
        {"device": ("namely the {device}", "i mean the {device}"), "room": _IN_ROOM},
        ("the {device} in the {room} off", "switching off the {device} in the {room}"),
        ("(it is|now it is) off", *_ACTED),
        "The user wants the {device} in the {room} off.",
    ),
    Goal(
        "set alarm",
        "smart home",
        ("time", "day"),
        (
            "(set|make) an alarm",
            "(can|could) you (set an alarm|wake me)",
            "wake (me|us) (up|)",
            "(i need|i want) (an alarm|to get up)",
            "do not let me (sleep in|oversleep)",
            "(i have to|i must) get up at {time}",
        ),
        {
            "time": ("at {time}", "for {time}", "(not later than|by) {time}"),
            "day": ("on {day}", "for {day}"),
        },
        ("an alarm at {time} on {day}", "{day} at {time}", "an alarm for {day}, {time}"),
        ("(the alarm|your alarm) is set", *_ACTED),
        "The user wants an alarm at {time} on {day}.",
    ),
)

QUESTIONS: dict[str, tuple[str, ...]] = {
    "food": ("(which|what) (kitchen|kind of food) (would you like|do you prefer)?", "what would you like to eat?"),
    "city": ("(in which|which) (city|town)?", "what city (is it|do you mean)?"),
    "people": ("for how many people?", "how many (people|guests|persons) (are you|will come)?"),
    "time": ("(at what|what) time?", "when (exactly|) (should it be|would you like it)?"),
    "day": ("(on which|for which|which) day?", "what day (is it|do you mean)?"),
    "genre": ("(which|what) (genre|style|kind of music)?", "what would you like to hear?"),
    "room": ("(in which|which) room?", "what room (is it|do you mean)?"),
    "temperature": ("(how many degrees|which temperature)?", "how warm should it be?"),
    "device": ("which (device|machine)?", "what device (is it|do you mean)?"),
    "departure": ("(from where|where from)?", "where (do you start|should the driver collect you)?"),
    "destination": ("(where to|to which place)?", "where (do you want to go|are you going)?"),
}
"""By slot, how the system asks for it."""

REPLIES: dict[str, tuple[str, ...]] = {
    "food": ("{food}", "{food} food", "(i like|we love|i would like|we prefer) {food} food", "something {food}"),
    "city": ("{city}", "in {city}", "(it is|i am|we are) in {city}", "{city} (of course|i think|would be good)"),
    "people": (
        "{people}",
        "for {people}",
        "{people} people",
        "(there are|we are) {people} of us",
        "{people} (guests|persons)",
    ),
    "time": (
        "{time}",
        "at {time}",
        "(around|about) {time}",
        "{time} (would be good|is fine|suits me)",
        "let us say {time}",
    ),
    "day": ("{day}", "on {day}", "{day} (would be good|is fine|suits me)", "let us say {day}", "for {day}"),
    "genre": (
        "{genre}",
        "(some|a bit of) {genre}",
        "(i like|i love|i feel like) {genre}",
        "{genre} (would be good|is fine)",
    ),
    "room": ("the {room}", "in the {room}", "(it is|i mean) the {room}", "{room}"),
    "temperature": (
        "{temperature}",
        "{temperature} degrees",
        "(about|make it) {temperature} degrees",
        "to {temperature}",
    ),
    "device": ("the {device}", "(it is|i mean) the {device}", "{device}", "the {device} (of course|i think)"),
    "departure": ("from the {departure}", "the {departure}", "(i am|we are|we start) at the {departure}"),
    "destination": ("to the {destination}", "the {destination}", "(i am|we are) going to the {destination}"),
}
"""By slot, how a user answers the question for it, or changes it."""
