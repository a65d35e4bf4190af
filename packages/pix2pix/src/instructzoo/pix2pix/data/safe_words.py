"""English words whose meaning a mirrored picture keeps: colours, tones, styles, weather, seasons, things without sides.

    is_made_of_safe_words("make it a snowy winter night")    True
    is_made_of_safe_words("a la izquierda")                  False, as every text with a word that is not in the list

A list of what is allowed, not of what is forbidden: sides, turns and writing have more names, in more languages, than
anybody can list. Left out on purpose is all that may name a side or a direction, writing and what often carries it
(shirts, shops, screens), numbers, clocks, flags, maps, hands, faces, instruments, traffic, and names.
"""

from __future__ import annotations

import re

_GRAMMAR = """
a an the it its this that these those they them their there he him his she her we us our you your who which what
is are was be been being am has have had do does did will would should could can may might must let make makes made
making please just only also too so as if while when where with without of to into in on at by for over under above
below behind beside near among across through against within and or but not no more most less much many some any all
every each other others another very quite slightly little bit really rather even still again instead like than then
now up down out off away towards toward everything everyone everybody
"""
_VERBS = """
add adding added put putting place placed draw drawn drawing paint painted change changed changing become becomes give
given take taken remove removed removing delete deleted erase erased get rid gone disappear vanish clear replace
replaced replacing swap swapped exchange move moved shift bring belong belongs keep kept show shown want see look looks
set apply use used using fill filled cover covered blend mix colour color coloured colored recolour recolor tint tinted
tinting dye dyed brighten darken lighten dim dimmed raise lower increase decrease reduce enhance improve soften sharpen
blur blurred smooth saturate desaturate invert enlarge shrink grow growing fade faded glow glowing shine shining
sparkle sparkling snow snowing rain raining fall falling melt melting freeze burn burning bloom blooming float floating
sit sitting stand standing sleep sleeping swim swimming fly flying jump jumping run running walk walking eat eating
wear wearing smile smiling decorate decorated surround surrounded transform render rendered depict simplify stylize
restore colorize colourise age zoom crop cut focus enlarged enlarging shrunk
"""
_COLOURS = """
red green blue yellow purple orange white black grey gray pink brown violet turquoise teal cyan magenta maroon crimson
scarlet beige cream ivory gold golden silver silvery bronze copper olive lime lavender lilac indigo navy khaki peach
coral salmon amber mint rose ruby emerald sapphire charcoal tan rainbow multicoloured multicolored colourful colorful
colourless monochrome sepia pastel grayscale greyscale bluish reddish greenish yellowish brownish purplish
"""
_TONES = """
bright brighter brightest dark darker darkest light lighter lightest pale paler vivid vibrant dull warm warmer cool
cooler cold colder hot dramatic moody muted rich richer deep deeper intense soft softer sharp sharper blurry crisp
contrast saturation saturated brightness exposure tone toned tonal shade shaded shadow hue lighting lit sunlit moonlit
glossy shiny matte metallic transparent clean dirty rusty dusty wet dry old older new young younger ancient modern
antique vintage retro futuristic rustic elegant beautiful pretty lovely ugly scary spooky creepy gloomy happy sad
cheerful cute funny magical mystical mysterious peaceful calm quiet wild big bigger biggest large larger largest small
smaller smallest tiny huge giant enormous tall taller short shorter thick thicker thin thinner wide wider narrow long
longer fluffy furry smoother rough bare empty full fresh rotten ripe frozen broken whole simple detailed realistic
abstract natural real fake same different upright
"""
_STYLES = """
style styled painting watercolor watercolour oil acrylic sketch pencil charcoal ink pastel crayon chalk cartoon anime
drawing illustration art artwork artistic photo photograph photographic photography picture image portrait landscape
scene scenery background backdrop foreground ground impressionist impressionism expressionist cubist cubism surreal
surrealist surrealism baroque renaissance gothic medieval romantic minimalist pixel mosaic stained glass sculpture
statue origami clay plasticine claymation lego felt wool knitted embroidery paper pottery ceramic porcelain marble stone
brick wood wooden metal steel iron bronze plastic rubber leather silk velvet cotton lace crystal diamond ice fantasy
fairytale fairy cyberpunk steampunk noir cinematic film negative filter effect texture pattern collage still life
animation render mural engraving woodcut linocut etching fresco low poly
"""
_WEATHER = """
weather season seasonal spring summer autumn autumnal winter wintry snowy rainy sunny cloudy foggy misty stormy windy
icy frosty hazy clear overcast snow snowfall snowflake rain raindrop sun sunlight sunshine sunrise sunset dawn dusk
twilight day daytime daylight night nighttime midnight noon morning evening afternoon fog mist haze smoke cloud storm
thunderstorm lightning thunder wind frost hail blizzard sky skies moon moonlight star starry starlight aurora halloween
christmas easter drought flood
"""
_THINGS = """
tree forest wood jungle bush hedge leaf leaves foliage grass meadow field lawn garden park flower rose tulip daisy
sunflower lily poppy moss fern ivy vine cactus palm oak pine fir willow birch maple mountain hill valley cliff rock
pebble sand desert dune beach coast shore sea seaside ocean lake pond river stream waterfall island volcano lava cave
canyon glacier iceberg water wave puddle mud soil dust fire flame campfire fireplace firework ash bubble feather fur
dog puppy cat kitten fox wolf bear lion tiger leopard elephant giraffe zebra horse pony donkey cow bull sheep lamb goat
pig rabbit hare mouse squirrel deer hedgehog monkey gorilla panda kangaroo koala camel bird eagle owl parrot swan duck
goose chicken hen rooster penguin flamingo peacock fish shark whale dolphin octopus turtle frog lizard snake crocodile
dragon unicorn dinosaur butterfly bee ladybird spider animal creature monster ghost witch wizard zombie skeleton robot
alien mermaid angel
man men woman women girl boy child children baby person people lady gentleman king queen prince princess knight pirate
family crowd hair beard moustache eyes sunglasses glasses hat cap crown helmet scarf coat dress skirt suit cloak robe
wings fur
house home cottage cabin castle tower lighthouse barn church bridge fence wall roof door window chimney stairs room
kitchen bedroom bathroom floor ceiling table chair sofa couch bed bench lamp candle lantern curtain carpet rug pillow
blanket vase basket bowl dish plate cup mug pot pan bucket barrel chest tent umbrella balloon kite boat sail sailboat
swing ball piano
apple pear orange lemon lime banana grape cherry strawberry raspberry blueberry peach plum melon watermelon pineapple
mango coconut tomato potato carrot onion pumpkin pepper cucumber lettuce cabbage mushroom corn bread cake pie cookie
biscuit pizza pasta soup salad cheese egg butter honey chocolate icecream cream sugar milk juice tea coffee fruit
vegetable food leftovers
circle square triangle shape object thing size center centre middle top bottom corner edges borders copyright
"""
_PLURALS = """
colours colors lights darks shadows shades tones tints stars clouds eyes paintings sketches pictures photos photographs
bushes benches dishes foxes cherries strawberries raspberries blueberries peaches berries tomatoes potatoes puppies
images ponies butterflies ladies families daisies lilies poppies beaches churches torches
"""

SAFE_WORDS = frozenset(
    word for group in (_GRAMMAR, _VERBS, _COLOURS, _TONES, _STYLES, _WEATHER, _PLURALS) for word in group.split()
) | {form for word in _THINGS.split() for form in (word, f"{word}s")}
"""Words of safe texts, in lower case; things also with the s of their plural."""

_RECOLOURED = frozenset(_COLOURS.split())
_WORDS = re.compile(r"[A-Za-z]+")
_PUNCTUATION = re.compile(r"[a-z ,.;:!?-]*")
_ONE_OF_A_KIND = re.compile(r"\binto an? [a-z]+ one\b")  # "a one" alone may be a number that is painted somewhere
_LETTER_A = re.compile(
    r"\ban?(?=[ -](?:an?|the|on|in|at|to|of|by|and|or|for|with|over|under|is)\b|[ -]*(?:[,.;:!?]|$))"
)
_TURNED_INTO = re.compile(r"\bturn (?=(?:[a-z]+ )+into an? |(?:up|down) )")
_TURNED_A_COLOUR = re.compile(r"\bturn (?=(?:[a-z]+ )+([a-z]+)$)")


def is_made_of_safe_words(text: str) -> bool:
    """Whether a text has nothing but words of the list, commas, full stops and other marks that quote nothing.

    Args:
        text: An instruction or a caption. Only its first word, and the first after a full stop, may be capitalised:
            other capitals begin names. "turn" counts where it says what something becomes ("turn it blue", "turn it
            into a fox"), not where something is turned.

    Returns:
        False for any other word, letter, digit or sign. True for an empty text, which says nothing.
    """
    plain = re.sub(r"(?:^|(?<=[.!?] ))[A-Z](?![A-Z])", lambda match: match[0].lower(), " ".join(text.split()))
    if not _PUNCTUATION.fullmatch(plain):
        return False
    plain = _ONE_OF_A_KIND.sub(lambda match: match[0].removesuffix(" one") + " thing", plain)
    if _LETTER_A.search(plain):
        return False
    plain = _TURNED_INTO.sub("", plain)
    recoloured = _TURNED_A_COLOUR.search(plain.rstrip(" .!"))
    if recoloured and recoloured[1] in _RECOLOURED:
        plain = plain[: recoloured.start()] + plain[recoloured.start() + len("turn ") :]
    return all(word in SAFE_WORDS for word in _WORDS.findall(plain))
