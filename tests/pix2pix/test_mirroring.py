"""Which pairs are mirrored in training: only those whose texts surely still fit the mirrored pictures."""

from __future__ import annotations

import pytest

from instructzoo.pix2pix import world
from instructzoo.pix2pix.data.image_transforms import is_flippable

SIDES = """
a la izquierda | mueve el gato a la derecha | pon el sol al este | gíralo hacia la izquierda | nach links drehen
schiebe den Baum nach rechts | linksherum | die rechte Hand | déplace à gauche | mets le chat à droite | tourne à droite
sposta a sinistra | sulla destra | move para a esquerda | à direita do carro | verschuif naar links | rechtsaf
flytta till vänster | til højre | siirrä vasemmalle | przesuń w lewo | po prawej stronie | posuň doleva | mozgasd balra
поверни налево | справа от дома | пересунь ліворуч | μετακίνησε αριστερά | sola kaydır | sağa çevir | 把它移到左边
右に動かして | 左へ | 왼쪽으로 옮겨 | حركها إلى اليسار | הזז שמאלה | इसे बाईं ओर ले जाओ | ย้ายไปทางซ้าย | di chuyển sang trái
pindahkan ke kiri | hidari ni | zuo bian | sogeza kushoto | a sinistra | naar links | na levo | dreapta
move the sun to the other side | on the opposite side | swap the sides | in the east | facing west | a car turning
turn the man | turn around | turn it by ninety degrees | rotate it | clockwise | reverse it | mirror image | flip it
left | LEFT | le ft | l e f t | lеft | Ieft | lefft | left\u200bmost | l3ft | port side | starboard | stage left
the first tree | the last dog in the row | from red to blue | make a gradient | give her a wink | cover one eye
a left-handed woman | raise his hand | a profile of a man | face the camera | look sideways | driving on the road
"""
WRITING = """
a T-shirt with NASA | put NASA on it | a sign | add the word hello | add 'hello' | add "a" | add «bonjour»
write on the wall | a street with shops | a bus | a poster | the number seven | add 7 | a car of 1950 | two cats
a clock | at ten o'clock | a watch | a flag | the flag of France | a map of the world | a book cover | a newspaper
a piece of sheet music | a guitar player
a chess board | a keyboard | a portrait of Rembrandt | in the style of Monet
Paris at night | a photo by Ansel Adams | put an a on the wall | a big A | add a b | a neon light saying open
make it night 🌙 | MAKE IT DARKER | a coat of arms | a license plate | ein Schild | una señal | 写上字 | 書く
@home | 1 | make it say hi | une horloge
"""
SAFE = """
make it darker | Make it night | turn it into a watercolor painting | turn the sky purple | make it look like winter
add snow | replace the dog with a cat | swap the oranges for lemons | make the man older | give her red hair
as a pencil sketch | in the style of an oil painting | let snow fall on it | change the season to autumn
remove the clouds | turn up the light | make it black-and-white | what would it look like at sunset?
a cat sleeping on a red sofa | a lake by day | a castle on a hill in the fog, oil painting | put a crown on the lion
Make it rain. Add a rainbow. | turn it into a small one | make the red circle blue
blur the background | make it a bit warmer
"""


def texts(block: str) -> list[str]:
    return [text.strip() for line in block.strip().splitlines() for text in line.split(" | ")]


@pytest.mark.parametrize("text", texts(SIDES))
def test_a_text_that_may_name_a_side_or_a_turn_in_any_language_is_not_mirrored(text: str) -> None:
    assert not is_flippable(text, "a lake", "a lake by night")
    assert not is_flippable("make it night", text, "")


@pytest.mark.parametrize("text", texts(WRITING))
def test_a_text_that_may_name_writing_numbers_or_somebody_is_not_mirrored(text: str) -> None:
    assert not is_flippable(text)
    assert not is_flippable("make it night", "a lake", text)


@pytest.mark.parametrize("text", texts(SAFE))
def test_a_text_of_colours_styles_weather_and_things_is_mirrored(text: str) -> None:
    assert is_flippable(text, "", "")


def test_a_word_that_is_not_known_is_not_mirrored() -> None:
    assert is_flippable("make it a snowy night")
    assert not is_flippable("make it a snowy nigth")
    assert not is_flippable("make it a snowy night, zurdo")


def test_instructions_of_the_world_are_mirrored_unless_they_name_a_corner_by_its_side() -> None:
    for row in world.generate(3000, 5, "train"):
        words = row["instruction"].split()
        assert is_flippable(row["instruction"]) == (not {"left", "right"} & set(words)), row["instruction"]
