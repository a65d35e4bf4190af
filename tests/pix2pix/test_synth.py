"""Edit triplets by a teacher: prompts, accepted answers, and the command `zoo synth`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import ZooError, api
from instructzoo.core.record import Invalid
from instructzoo.core.terminal import printers
from instructzoo.pix2pix import synth
from instructzoo.pix2pix.synthesis import caption_triplets, seed_triplets
from instructzoo.pix2pix.synthesis.seed_triplets import SEEDS, Triplet

RULES = caption_triplets.TripletRules(
    examples=3, words=12, retries=2, blocked=frozenset({"gun", "sea monster"}), seed=0
)
CAPTION = "A lake, in winter."


class Teacher:
    """Answers by a function of the caption and of the number of times that it was asked about it."""

    identity = "scripted"

    def __init__(self, says: Callable[[str, int], str] = lambda caption, n: f"freeze it\n%%\n{caption} frozen") -> None:
        self.says, self.captions = says, list[str]()
        self.prompts: list[str] = []

    def answer(self, prompts: Sequence[str]) -> list[str]:
        answers = []
        for prompt in prompts:
            caption = prompt.splitlines()[-2]
            answers.append(self.says(caption, self.captions.count(caption)))
            self.captions.append(caption)
            self.prompts.append(prompt)
        return answers


def synthesise(folder: Path, teacher: Any, *settings: str, **files: str) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return api.synth("pix2pix", str(folder), teacher, [*settings, *(f"{n}={folder}/{n}.txt" for n in files)], True)


def lines(folder: Path, name: str = "triplets.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def test_every_seed_passes_the_rules_and_is_unique() -> None:
    rules = caption_triplets.TripletRules(6, 50, 0, frozenset(), 0)
    for seed in SEEDS:
        before, edit, after = seed.triplet
        assert caption_triplets.parse(f"{edit}\n%%\n{after}\nEND", before, rules) == seed.triplet
    assert len({caption_triplets.normalise(seed.triplet.input) for seed in SEEDS}) == len(SEEDS) == 60
    assert len({seed.edit for seed in SEEDS}) == len(SEEDS)


@pytest.mark.parametrize(
    "answer",
    [
        "freeze it\n%%\na frozen lake\nEND",
        "freeze it\n%%\na frozen lake",
        "  freeze  it %% a frozen\tlake \nEND\n\na dog\n##\nmake it a cat\n%%\na cat",
        "##\nfreeze it\n%%\na frozen lake END",
        "freeze it\n%%\na frozen lake\n##\nmelt it",
    ],
)
def test_a_well_formed_answer_is_parsed(answer: str) -> None:
    assert caption_triplets.parse(answer, CAPTION, RULES) == Triplet(CAPTION, "freeze it", "a frozen lake")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "not two parts"),
        ("freeze it", "not two parts"),
        ("freeze it\n%%\na\n%%\nb", "not two parts"),
        ("freeze it\n%%\n", "an empty part"),
        ("...\n%%\na frozen lake", "an empty part"),
        ("do nothing\n%%\na LAKE in winter", "the caption is unchanged"),
        ("freeze it\n%%\n" + "very " * 12 + "cold", "too long"),
        ("go " * 13 + "\n%%\na frozen lake", "too long"),
        ("add a Gun!\n%%\na lake", "a blocked word in the answer"),
        ("freeze it\n%%\na lake with a sea-monster", "a blocked word in the answer"),
    ],
)
def test_an_unusable_answer_is_invalid_with_its_reason(answer: str, reason: str) -> None:
    assert caption_triplets.parse(answer, CAPTION, RULES) == Invalid(reason)


def test_a_blocked_word_inside_another_word_is_accepted() -> None:
    assert isinstance(caption_triplets.parse("let dawn begun\n%%\na lake at dawn, begun", CAPTION, RULES), Triplet)


def test_a_prompt_ends_where_the_answer_begins_and_varies_reproducibly() -> None:
    prompt = caption_triplets.build_prompt(CAPTION, 7, 0, RULES)
    assert prompt.endswith(f"END\n\n{CAPTION}\n##\n")
    assert prompt.count("\n%%\n") == prompt.count("\nEND") == 3
    assert prompt == caption_triplets.build_prompt(CAPTION, 7, 0, RULES)
    assert (
        len(
            {
                prompt,
                caption_triplets.build_prompt(CAPTION, 7, 1, RULES),
                caption_triplets.build_prompt(CAPTION, 8, 0, RULES),
            }
        )
        == 3
    )


def test_captions_from_seeds_are_unique_and_more_keep_the_first_ones() -> None:
    ten, more = caption_triplets.read_captions(None, 10, 0), caption_triplets.read_captions(None, 500, 0)
    assert more[:10] == ten
    assert len(set(map(caption_triplets.normalise, more))) == 500
    assert caption_triplets.read_captions(None, 10, 1) != ten
    every = list(seed_triplets.recombine_captions(0))
    assert len(set(every)) == len(every) > 30_000
    assert not [caption for caption in every if "lighthouse driving" in caption]
    with pytest.raises(ZooError, match="limit: 1,000,000 captions; expected at most"):
        caption_triplets.read_captions(None, 1_000_000, 0)


def test_captions_that_differ_only_in_case_are_sent_to_the_teacher_once(tmp_path: Path) -> None:
    teacher = Teacher()
    result = synthesise(tmp_path, teacher, captions="A lake.\n\na  LAKE\n...\nTwo dogs\n")
    assert teacher.captions == ["A lake.", "Two dogs"]
    assert result["kept"] == {"captions": 2, "triplets": 2}
    assert lines(tmp_path)[1] == {"number": 1, "input": "Two dogs", "edit": "freeze it", "output": "Two dogs frozen"}


def test_a_rejected_answer_is_retried_with_other_examples(tmp_path: Path) -> None:
    """a: good at once; b: at the last try; c: never."""
    goods = {"a": 0, "b": 2, "c": 9}
    teacher = Teacher(lambda caption, n: f"freeze it\n%%\n{caption} frozen" if n >= goods[caption] else "no")
    result = synthesise(tmp_path, teacher, "retries=2", captions="a\nb\nc")
    assert teacher.captions == ["a", "b", "c", "b", "c", "b", "c"]
    assert len(set(teacher.prompts)) == 7, "a second try shows the same examples"
    assert [line["input"] for line in lines(tmp_path)] == ["a", "b"]
    assert result["rejected"] == {"not two parts": 1}
    assert result["kept"]["captions"] == result["kept"]["triplets"] + sum(result["rejected"].values())
    assert result["notes"][0] == "4 answers were rejected and asked for again"


def test_a_blocked_caption_is_not_sent_to_the_teacher(tmp_path: Path) -> None:
    teacher = Teacher()
    result = synthesise(tmp_path, teacher, captions="a lake\na man with a GUN", blocked="gun\n")
    assert teacher.captions == ["a lake"]
    assert result["rejected"] == {"a blocked word in the caption": 1}


def test_a_resumed_run_repeats_no_request_and_ends_with_the_same_triplets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caption_triplets, "BLOCK_SIZE", 3)
    small = ("limit=8", "teacher.batch=1")

    def says(caption: str, n: int) -> str:  # the second answer is the good one
        return f"freeze it\n%%\n{caption} frozen" if n else "no"

    def dying(caption: str, n: int) -> str:
        if len(cut.captions) == 10:
            raise KeyboardInterrupt
        return says(caption, n)

    whole, cut = Teacher(says), Teacher(dying)
    synthesise(tmp_path / "whole", whole, *small)
    with pytest.raises(KeyboardInterrupt):
        synthesise(tmp_path / "cut", cut, *small)
    assert not (tmp_path / "cut" / "triplets.jsonl").exists()
    cut.says = says
    result = synthesise(tmp_path / "cut", cut, *small)
    assert (result["asked"], result["found"]) == (6, 10)
    assert cut.captions == whole.captions
    assert lines(tmp_path / "cut") == lines(tmp_path / "whole")


def test_a_larger_limit_requests_only_the_new_captions(tmp_path: Path) -> None:
    teacher = Teacher()
    synthesise(tmp_path, teacher, "limit=5")
    first = lines(tmp_path)
    assert synthesise(tmp_path, teacher, "limit=9")["asked"] == 4
    assert lines(tmp_path)[:5] == first


def test_partitions_together_request_every_caption_once(tmp_path: Path) -> None:
    teacher = Teacher()
    for part in ("0/3", "1/3", "2/3"):
        synthesise(tmp_path, teacher, "limit=7", f"partition={part}")
    assert len(teacher.captions) == 7
    assert [line["number"] for line in lines(tmp_path, "triplets-1-of-3.jsonl")] == [1, 4]
    result = synthesise(tmp_path, teacher, "limit=7")
    assert (result["asked"], result["found"], result["kept"]["triplets"]) == (0, 7, 7)


def test_a_second_process_on_one_partition_is_an_error(tmp_path: Path) -> None:
    class Second(Teacher):
        def answer(self, prompts: Sequence[str]) -> list[str]:
            synthesise(tmp_path, Teacher(), "limit=2")
            return []

    with pytest.raises(ZooError, match="another process writes"):
        synthesise(tmp_path, Second(), "limit=2")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("limits=4", 'did you mean "limit"'),
        ("teacher.temprature=1", 'did you mean "temperature"'),
        ("partition=3/3", "i from 0 to n - 1"),
        ("partition=1", "partition"),
        ("sharing=[0.9, 0.1]", "the smaller one first"),
        ("sharing=[0.1, 1.5]", "more than all steps"),
        ("words=100", "teacher.max_tokens"),
        ("captions=absent.txt", "absent.txt"),
    ],
)
def test_an_invalid_setting_is_an_error_before_any_request(tmp_path: Path, setting: str, message: str) -> None:
    teacher = Teacher()
    with pytest.raises(ZooError, match=message):
        synthesise(tmp_path, teacher, setting)
    assert teacher.captions == []


def test_teacher_settings_keep_the_default_stop_sequence(tmp_path: Path) -> None:
    settings = synth.Settings.model_validate({"teacher": {"temperature": 0.2}})
    assert settings.teacher.stop == ("\nEND",)


def test_the_summary_shows_what_was_rejected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    teacher = Teacher(lambda caption, n: "no" if caption == "a" else f"freeze it\n%%\n{caption} frozen")
    printers.synthesised(synthesise(tmp_path, teacher, captions="a\nb"))
    printed = capsys.readouterr().out
    for text in (
        "triplets",
        "not two parts",
        "5 prompts answered by the teacher now, 0 from the response cache",
        "no moderation",
    ):
        assert text in printed
