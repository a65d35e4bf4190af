"""Seed triplets: a caption, an instruction to edit its picture, and the caption afterwards. Written for this package.

They are a teacher's examples. A caption consists of a subject, a place and perhaps a style, which are recombined into
captions for users who bring none. Like the paper's annotators (arXiv:2211.09800, section 3.1) they avoid what the image
model cannot do: zooming, moving the camera, swapping positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

ANYWHERE = ("at ", "beside ", "by ", "in ", "on ", "under ")
"""Beginnings of places that fit any subject."""


class Triplet(NamedTuple):
    """input: the caption before; edit: the instruction; output: the caption after."""

    input: str
    edit: str
    output: str


class Seed(NamedTuple):
    """A seed triplet whose caption before is stored in pieces. edit: the instruction; output: the caption after."""

    subject: str
    place: str
    style: str
    edit: str
    output: str

    @property
    def triplet(self) -> Triplet:
        """The seed with its caption joined."""
        return Triplet(join_caption(self.subject, self.place, self.style), self.edit, self.output)


def join_caption(subject: str, place: str, style: str) -> str:
    """The caption of a subject, a place and, unless it is "", a style."""
    return f"{subject} {place}" + (f", {style}" if style else "")


def recombine_captions(seed: int) -> Iterator[str]:
    """Every subject with every place and style, each caption once, in an order set by the seed.

    Only places that fit any subject are used, not "driving a blue tractor". Some captions are odd all the same (a whale
    in a private library), so real captions are better if there are some.
    """
    subjects = [s.subject for s in SEEDS]
    places = sorted({s.place for s in SEEDS if s.place.startswith(ANYWHERE)})
    styles = sorted({s.style for s in SEEDS})
    numbers = list(range(len(subjects) * len(places) * len(styles)))
    Random(seed).shuffle(numbers)
    for number in numbers:
        subject_and_place, style = divmod(number, len(styles))
        yield join_caption(
            subjects[subject_and_place // len(places)], places[subject_and_place % len(places)], styles[style]
        )


SEEDS = (
    Seed("a lighthouse", "on a rocky coast", "oil painting", "let snow fall on it",
         "a lighthouse on a rocky coast in falling snow, oil painting"),
    Seed("a red fishing boat", "in a small harbour", "", "paint the boat green",
         "a green fishing boat in a small harbour"),
    Seed("an old baker", "in front of a brick oven", "portrait photograph", "give him a straw hat",
         "an old baker with a straw hat in front of a brick oven, portrait photograph"),
    Seed("a tabby cat", "on a window sill", "", "make it a fox", "a fox on a window sill"),
    Seed("two children", "flying a kite on the beach", "watercolour", "turn it into a pencil sketch",
         "two children flying a kite on the beach, pencil sketch"),
    Seed("a bowl of oranges", "on a wooden table", "still life", "swap the oranges for lemons",
         "a bowl of lemons on a wooden table, still life"),
    Seed("a tram", "in a narrow street", "photograph from the 1930s", "set it in our own time",
         "a modern tram in a narrow street, photograph"),
    Seed("a mountain lake", "under a clear sky", "", "have a storm come up", "a mountain lake under dark storm clouds"),
    Seed("a knight in armour", "at the gate of a castle", "digital art", "make the armour of gold",
         "a knight in golden armour at the gate of a castle, digital art"),
    Seed("a row of beach huts", "by the sea", "", "as if it were night", "a row of beach huts by the sea at night"),
    Seed("a violinist", "on an empty stage", "black and white photograph", "let her play the cello",
         "a cellist on an empty stage, black and white photograph"),
    Seed("an elephant", "crossing a dry plain", "wildlife photograph", "cover the plain with flowers",
         "an elephant crossing a plain full of flowers, wildlife photograph"),
    Seed("a cottage", "at the edge of a forest", "", "put ivy on the walls",
         "a cottage overgrown with ivy at the edge of a forest"),
    Seed("a cup of black coffee", "on a marble counter", "", "add cream on top",
         "a cup of coffee with whipped cream on a marble counter"),
    Seed("a steam train", "on a stone viaduct", "", "as a woodcut", "a steam train on a stone viaduct, woodcut"),
    Seed("a girl with a yellow umbrella", "in the rain", "", "let the sun come out",
         "a girl with a yellow umbrella in bright sunshine"),
    Seed("a hummingbird at a red flower", "in a garden", "macro photograph", "make the flower blue",
         "a hummingbird at a blue flower in a garden, macro photograph"),
    Seed("an astronaut", "on the surface of the moon", "science fiction illustration", "replace the moon by a desert",
         "an astronaut in a sandy desert, science fiction illustration"),
    Seed("a market stall", "in a covered hall", "", "sell carpets at it",
         "a market stall with carpets in a covered hall"),
    Seed("a sleeping dog", "beside a fireplace", "", "let it wear a knitted jumper",
         "a sleeping dog in a knitted jumper beside a fireplace"),
    Seed("a glass skyscraper", "in the middle of a city", "architectural rendering", "build it of wood",
         "a wooden skyscraper in the middle of a city, architectural rendering"),
    Seed("a waterfall", "in a green valley", "", "freeze the water", "a frozen waterfall in a green valley"),
    Seed("a dancer in a long white dress", "on a rooftop", "pastel drawing", "colour the dress crimson",
         "a dancer in a long crimson dress on a rooftop, pastel drawing"),
    Seed("a stone bridge", "over a quiet river", "", "it should be autumn",
         "a stone bridge over a quiet river between autumn trees"),
    Seed("a shelf of books", "in a private library", "", "let candles light the room",
         "a shelf of books in a private library by candlelight"),
    Seed("a teapot", "on an embroidered cloth", "", "make it out of glass", "a glass teapot on an embroidered cloth"),
    Seed("a polar bear", "on drifting ice", "", "give it the stripes of a zebra",
         "a polar bear with the stripes of a zebra on drifting ice"),
    Seed("a farmer", "driving a blue tractor", "", "in the style of a comic", "a farmer driving a blue tractor, comic"),
    Seed("a vase of tulips", "in an empty room", "still life", "let them wither",
         "a vase of withered tulips in an empty room, still life"),
    Seed("a windmill", "among fields of wheat", "landscape painting", "burn the fields",
         "a windmill among burning fields, landscape painting"),
    Seed("a young man", "with curly hair", "portrait photograph", "make him eighty years old",
         "an old man with curly white hair, portrait photograph"),
    Seed("a sailing ship", "on a calm sea", "oil painting", "raise high waves",
         "a sailing ship on a sea of high waves, oil painting"),
    Seed("a bakery window", "full of bread", "", "fill it with toys", "a shop window full of toys"),
    Seed("a bicycle", "leaning on a white wall", "", "cover the wall with graffiti",
         "a bicycle leaning on a wall covered with graffiti"),
    Seed("an owl", "on a bare branch", "ink drawing", "with cherry blossom on the branch",
         "an owl on a branch in cherry blossom, ink drawing"),
    Seed("a chess board", "in a park", "", "let the pieces be of ice", "a chess board with pieces of ice in a park"),
    Seed("a chef", "in a restaurant kitchen", "", "turn the chef into a robot", "a robot chef in a restaurant kitchen"),
    Seed("a hot-air balloon", "above the clouds", "", "colour it like a rainbow",
         "a rainbow-coloured hot-air balloon above the clouds"),
    Seed("a village church", "on a hill", "", "let fog lie over it", "a village church on a hill in thick fog"),
    Seed("a plate of pancakes", "with maple syrup", "food photograph", "put strawberries on them",
         "a plate of pancakes with strawberries and maple syrup, food photograph"),
    Seed("a woman", "reading a newspaper in a café", "", "have her look angry",
         "an angry woman reading a newspaper in a café"),
    Seed("a whale", "in the deep sea", "children's book illustration", "take away its colours",
         "a whale in the deep sea, black and white children's book illustration"),
    Seed("an old car", "in a barn", "", "polish it until it shines", "a gleaming old car in a barn"),
    Seed("a street musician", "in an underground station", "", "draw it as pixel art",
         "a street musician in an underground station, pixel art"),
    Seed("a garden path", "between rose bushes", "", "make the roses white", "a garden path between white rose bushes"),
    Seed("a wolf", "in a pine forest", "", "let it be full moon", "a wolf in a pine forest under a full moon"),
    Seed("a marble statue", "in a museum", "", "cast it in bronze", "a bronze statue in a museum"),
    Seed("a football team", "on a muddy pitch", "", "dress them as pirates", "a team of pirates on a muddy pitch"),
    Seed("a desert road", "towards the horizon", "", "flood the land",
         "a road through flooded land towards the horizon"),
    Seed("a grandmother", "knitting in an armchair", "", "dye her hair purple",
         "a grandmother with purple hair knitting in an armchair"),
    Seed("a dragon", "asleep on a heap of gold", "fantasy illustration", "make it a toy of felt",
         "a felt toy dragon asleep on a heap of gold"),
    Seed("a greenhouse", "full of ferns", "", "break the panes", "a greenhouse with broken panes full of ferns"),
    Seed("a night sky", "over a wide plain", "", "add northern lights",
         "northern lights in a night sky over a wide plain"),
    Seed("a wooden chair", "in a bright studio", "product photograph", "upholster it in velvet",
         "a velvet chair in a bright studio, product photograph"),
    Seed("a carousel", "at a fairground", "", "let it look abandoned",
         "an abandoned carousel at an overgrown fairground"),
    Seed("a horse", "galloping through surf", "", "make it a unicorn", "a unicorn galloping through surf"),
    Seed("a tea plantation", "in the morning light", "aerial photograph", "at sunset, please",
         "a tea plantation at sunset, aerial photograph"),
    Seed("a birthday cake", "with five candles", "", "decorate it with seashells",
         "a birthday cake with five candles and seashells"),
    Seed("a submarine", "beside a coral reef", "", "as a stained-glass window",
         "a submarine beside a coral reef, stained-glass window"),
    Seed("a scarecrow", "in a pumpkin patch", "", "make it look friendly", "a smiling scarecrow in a pumpkin patch"),
)  # fmt: skip
