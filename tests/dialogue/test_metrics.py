"""The metrics against values that were computed by hand, and the flaws of InstructDial's own scorer."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.core.score import Scores
from instructzoo.core.testing import Scripted
from instructzoo.dialogue import metrics
from instructzoo.dialogue.metrics import instructdial_scorer, outcomes
from instructzoo.dialogue.metrics.labels import confusion_table, label_table
from instructzoo.dialogue.metrics.slots import slot_table
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Example
from instructzoo.dialogue.tasks import NONE_OF_THE_ABOVE

MESSAGE = (("CONTEXT", ""), ("RESPONSE", "a table for two in Oslo today"))
CONTEXT = (("CONTEXT", "We want thai food in the north"),)
INTENTS = ("play music", "get weather", "set alarm", "book table")


def row(example: Example, dataset: str = "made up") -> Row:
    return make_row(example, dataset, "made up", "Apache-2.0")


def intent(label: str, references: tuple[str, ...] = (), options: tuple[str, ...] = INTENTS) -> Row:
    return row(Example("intent_classification", MESSAGE, label, options, references=references))


def slots(output: str, dataset: str = "made up") -> Row:
    return row(Example("slot_filling", MESSAGE, output, ("city", "people", "date")), dataset)


def state(output: str) -> Row:
    values = {"area": ("dontcare",)}
    return row(Example("belief_state_generation", CONTEXT, output, ("food", "area", "price"), values=values))


def response(output: str, task: str = "response_generation", fields: tuple[tuple[str, str], ...] = CONTEXT) -> Row:
    return row(Example(task, fields, output, names={"count": "3"} if task.endswith("n_words") else {}))


def values(scores: Scores, group: str) -> dict[str, float]:
    return {value.metric: value.value for value in scores.metric_values if value.group == group}


def scored(rows: Sequence[Row], answers: Sequence[str], group: str) -> dict[str, float]:
    return values(metrics.score(rows, answers, "strict"), group)


# --- labels


def test_f1_of_labels_is_the_one_computed_by_hand() -> None:
    """F1: play music 4/5, get weather 2/4, set alarm 0. One answer is no option, and one is silence."""
    rows = [intent(INTENTS[i]) for i in (0, 0, 0, 1, 1, 2)]
    answers = ["play music", "play music", "get weather", "get weather", "sing", ""]
    assert scored(rows, answers, "intent_classification") == pytest.approx(
        {
            "accuracy": 3 / 6,
            "out-of-label answers": 1 / 6,
            "micro F1": 2 * 3 / (6 + 5),
            "weighted F1": (3 * 0.8 + 2 * 0.5) / 6,
            "macro F1": (0.8 + 0.5 + 0) / 3,
        }
    )


def test_a_label_that_is_answered_and_never_true_counts_in_the_macro_average() -> None:
    rows = [intent("play music"), intent("play music")]
    assert scored(rows, ["play music", "book table"], "intent_classification")["macro F1"] == pytest.approx(
        (2 / 3 + 0) / 2
    )


def test_further_right_labels_are_right_and_a_part_of_a_label_is_not() -> None:
    rows = [intent("play music", ("set alarm",))] * 3
    assert metrics.correct(rows, ["set alarm", "play music", "alarm"], "strict") == [True, True, False]


def test_an_interval_holds_its_value_and_narrows_with_more_questions() -> None:
    def interval(times: int) -> float:
        rows = [intent(INTENTS[i]) for i in (0, 0, 1, 1)] * times
        value = metrics.score(rows, ["play music", "get weather", *["get weather"] * 2] * times, "strict").get(
            "weighted F1", "intent_classification"
        )
        assert value and value.low <= value.value <= value.high and value.n == 4 * times
        return value.high - value.low

    assert interval(40) < interval(10)


@pytest.mark.parametrize("answer", ["play music", "set alarm"])
def test_answers_that_are_all_right_or_all_wrong_leave_room_in_the_interval(answer: str) -> None:
    scores = metrics.score([intent("play music")] * 20, [answer] * 20, "strict")
    for metric in ("micro F1", "weighted F1", "macro F1"):
        value = scores.get(metric, "intent_classification")
        assert value and value.high - value.low > 0.1, metric


def test_tables_of_labels_and_of_errors_count_what_was_answered() -> None:
    rows = [intent(INTENTS[i]) for i in (0, 0, 1, 2)]
    found = outcomes.outcomes_of(rows, ["play music", "get weather", "get weather", ""])
    assert label_table(found).rows == (
        ("play music", "2", "100.0", "50.0", "66.7"),
        ("get weather", "1", "50.0", "100.0", "66.7"),
        ("set alarm", "1", "–", "0.0", "0.0"),
    )
    assert confusion_table(found).rows == (("play music", "get weather", "1"), ("set alarm", "(nothing)", "1"))


def test_scores_hold_tables_of_each_data_set_by_label_and_by_slot() -> None:
    rows = [intent("play music"), intent("set alarm"), slots("city: Oslo"), response("x")]
    scores = metrics.score(rows, ["play music", "play music", "city: Oslo", "x"], "strict")
    assert [table.caption for table in scores.tables] == [
        "made up intent_classification: by label",
        "made up intent_classification: the most frequent errors",
        "made up slot_filling: by slot",
    ]
    of_world = [{**question, "dataset": "world"} for question in rows]
    captions = [table.caption for table in metrics.score(of_world, ["set alarm"] * 4, "strict").tables]
    assert captions[0] == "intent_classification: by label" and len(captions) == 3


class FirstOption(Scripted):
    """A predictor that answers every question with the first option."""

    def answer_counted(self, rows: Sequence[Row], on_answered: object = None) -> tuple[list[str], dict[str, int]]:
        return [json.loads(question["options"])[0] for question in rows], {}

    def untuned(self) -> FirstOption:
        raise ZooError("a program has no base")


def test_an_evaluation_keeps_the_tables_of_the_model_and_of_no_baseline(tmp_path: Path) -> None:
    from instructzoo.core.commands.eval import evaluate_predictor
    from instructzoo.dialogue import domain

    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(intent(label)) + "\n" for label in INTENTS), encoding="utf-8")
    scores, _ = evaluate_predictor(FirstOption(domain), quiet=True, rows=str(path))
    assert scores["systems"]["model"]["tables"][0]["rows"][0][0] in INTENTS
    assert all("tables" not in system for name, system in scores["systems"].items() if name != "model")
    assert len(scores["systems"]) > 1


def test_letters_and_words_of_an_option_count_alike() -> None:
    question = row(Example("answer_selection", CONTEXT, "Hello", ("Bye", "Hello"), option_labels="letters"))
    assert metrics.correct([question] * 3, ["B", "A", "Hello"], "strict") == [True, False, True]


def test_a_baseline_is_not_told_that_a_question_is_out_of_scope() -> None:
    options = (*INTENTS, NONE_OF_THE_ABOVE)

    def question(label: str, dataset: str) -> Row:
        return row(Example("intent_classification", MESSAGE, label, options), dataset)

    apart = question(NONE_OF_THE_ABOVE, "clinc150 out of scope")
    train = [question("play music", "clinc150")] * 2 + [apart]
    for name in ("most frequent answer", "nearest question of the task"):
        assert metrics.BASELINES[name](train, [apart]) == ["play music"], name
    scores = metrics.score([train[0], apart], ["play music"] * 2, "strict")
    assert values(scores, "clinc150 intent_classification")["accuracy"] == 1
    assert values(scores, "clinc150 out of scope intent_classification")["accuracy"] == 0


# --- slots and states


def test_slot_f1_is_the_one_computed_by_hand_and_slots_of_zero_stay_in_its_mean() -> None:
    rows = [slots("city: Oslo; people: two"), slots("none"), slots("date: today")]
    found = scored(rows, ["people: three; city: Oslo", "city: Oslo", "none"], "slot_filling")
    assert found["slot F1"] == pytest.approx(2 * 1 / (3 + 3))
    assert found["macro slot F1"] == pytest.approx((2 / 3 + 0 + 0) / 3)
    assert found["accuracy"] == 0
    table = slot_table(outcomes.outcomes_of(rows, ["people: three; city: Oslo", "city: Oslo", "none"]))
    assert table.rows == (("city", "2", "66.7"), ("date", "1", "0.0"), ("people", "1", "0.0"))


def test_a_slot_value_is_exact_and_the_order_of_slots_is_free() -> None:
    rows = [slots("city: Oslo; people: two")] * 4
    answers = ["people: two; city: Oslo", "city: oslo; people: two", "city: Oslo; city: Oslo; people: two", "city Oslo"]
    assert metrics.correct(rows, answers, "strict") == [True, False, False, False]
    scores = metrics.score(rows, answers, "strict")
    assert scores.counts["unparseable outputs"] == 1


def test_values_that_the_question_does_not_hold_are_counted_as_invented() -> None:
    rows = [slots("city: Oslo"), state("area: dontcare")]
    scores = metrics.score(rows, ["city: Oslo; people: nine", "area: dontcare"], "strict")
    assert values(scores, "slot_filling")["invented values"] == 0.5
    assert values(scores, "belief_state_generation")["invented values"] == 0


def test_a_state_is_right_where_the_sets_of_its_normalised_pairs_are_equal() -> None:
    rows = [state("food: Thai; area: don't care")] * 5
    answers = [
        "area: dontcare; food:  thai",
        "food: thai; area: does not matter; food: Thai",
        "food: thai",
        "food: thai; area: dontcare; price: cheap",
        "food: thai; area: north",
    ]
    assert metrics.correct(rows, answers, "strict") == [True, True, False, False, False]
    assert scored(rows, answers, "belief_state_generation")["joint goal accuracy"] == 2 / 5


def test_slot_accuracy_counts_the_slots_on_offer_and_is_zero_without_an_answer() -> None:
    question = [state("food: thai; area: north")]
    for answer, expected in (
        ("food: thai; price: cheap", 1 / 3),
        ("none", 1 / 3),
        ("food: thai; area: north", 1),
        ("", 0),
    ):
        assert scored(question, [answer], "belief_state_generation")["slot accuracy"] == pytest.approx(expected)


def test_a_state_that_is_empty_and_said_to_be_empty_is_right() -> None:
    assert scored([state("none")], ["none"], "belief_state_generation")["joint goal accuracy"] == 1
    assert scored([state("none")], [""], "belief_state_generation")["joint goal accuracy"] == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [("Don\u2019t  Care", "dontcare"), ("Chez Nous , Oslo", "chez nous, oslo"), ("any", "any"), (" A  b ", "a b")],
)
def test_values_are_normalised_as_the_docstring_says(value: str, expected: str) -> None:
    assert outcomes.normalised(value) == expected


# --- free text


def test_bleu_and_rouge_are_those_computed_by_hand() -> None:
    """n-grams 5/6, 3/5, 1/4 and 0/3, the last one smoothed to 1/6; a common subsequence of 5 of 6 words."""
    found = scored([response("the cat sat on the mat")], ["the cat is on the mat"], "response_generation")
    assert found["BLEU"] == pytest.approx((5 / 6 * 3 / 5 * 1 / 4 * 1 / 6) ** 0.25)
    assert found["ROUGE-L"] == pytest.approx(5 / 6)
    assert "ROUGE-1" not in found


def test_bleu_is_that_of_the_whole_corpus_as_sacrebleu_computes_it() -> None:
    import sacrebleu

    truths = ["the cat sat on the mat today", "we can book a table for two", "hello there my friend , hello"]
    answers = ["the cat sat on a mat", "we can book a table for four people", "hello my friend"]
    expected = sacrebleu.corpus_bleu(answers, [truths]).score / 100
    assert scored([response(t) for t in truths], answers, "response_generation")["BLEU"] == pytest.approx(expected)


def test_the_best_of_several_references_counts() -> None:
    question = row(Example("response_generation", CONTEXT, "in the north of town", references=("yes of course we do",)))
    found = scored([question], ["yes of course we do"], "response_generation")
    assert (found["accuracy"], found["BLEU"], found["ROUGE-L"]) == pytest.approx((1, 1, 1))


def test_summaries_have_rouge_1_and_2_besides() -> None:
    found = scored([response("a b c d", "summarization")], ["a b d c"], "summarization")
    assert found["ROUGE-1"] == pytest.approx(1)
    assert found["ROUGE-2"] == pytest.approx(1 / 3)
    assert found["ROUGE-L"] == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    ("task", "token", "phrase", "answer", "hit"),
    [
        ("beginswith_controlled_generation", "INITIAL PHRASE", "well, i", "Well I do!", 1),
        ("beginswith_controlled_generation", "INITIAL PHRASE", "I am", "I amaze you", 0),
        ("beginswith_controlled_generation", "INITIAL PHRASE", "I am", "", 0),
        ("endswith_controlled_generation", "FINAL PHRASE", "see you.", "Goodbye, see you", 1),
        ("endswith_controlled_generation", "FINAL PHRASE", "see you", "see you soon", 0),
        ("keyword_controlled_generation", "KEYWORDS", "thai food, north", "North of here is Thai food.", 1),
        ("keyword_controlled_generation", "KEYWORDS", "thai, north", "northern thai food", 0),
    ],
)
def test_a_condition_is_kept_by_whole_words_whatever_their_case_and_marks(
    task: str, token: str, phrase: str, answer: str, hit: float
) -> None:
    question = response("any text", task, ((token, phrase), *CONTEXT))
    assert scored([question], [answer], task)["constraint hits"] == hit


def test_a_length_is_kept_by_as_many_words_as_were_called_for() -> None:
    question = response("one two three", "response_generation_with_n_words")
    unnamed = {**question, "names": ""}
    for text, hit in (("a b  c", 1), ("a b", 0)):
        for asked in (question, unnamed):
            assert scored([asked], [text], "response_generation_with_n_words")["constraint hits"] == hit


# --- numbers and spans


def test_numbers_are_compared_as_numbers_and_ratings_correlate() -> None:
    names = {"criterion": "fluency", "low": "1", "high": "5"}
    rows = [row(Example("eval_rating", MESSAGE, str(rating), names=names)) for rating in (1, 2, 3, 4, 5)]
    found = scored(rows, ["2", "1", "4", "3", "5.0"], "eval_rating")
    assert found["accuracy"] == 1 / 5
    assert found["Spearman (rho)"] == pytest.approx(1 - 6 * 4 / (5 * 24))
    assert found["Pearson (r)"] == pytest.approx(0.8)
    assert "Pearson (r)" not in scored(rows, ["3"] * 5, "eval_rating")


def test_correlations_have_intervals_and_none_of_too_few_or_equal_numbers() -> None:
    from instructzoo.dialogue.metrics.ratings import correlations

    _, r = correlations([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], "all")
    spread = 1.959964 / math.sqrt(2)
    assert (r.low, r.high) == pytest.approx((math.tanh(math.atanh(0.8) - spread), math.tanh(math.atanh(0.8) + spread)))
    assert correlations([1, 2, 3], [1, 2, 3], "all") == []
    assert correlations([1, 1, 1, 1], [1, 2, 3, 4], "all") == []


def test_a_span_is_right_if_it_is_one_of_the_values() -> None:
    question = row(
        Example("slot_value_generation", MESSAGE, "Oslo", names={"slot": "city"}, references=("table for two",))
    )
    assert metrics.correct([question] * 3, ["Oslo", "table  for two", "oslo"], "strict") == [True, True, False]


# --- all answers


def test_all_rows_task_groups_and_data_sets_are_reported() -> None:
    rows = [intent("play music"), slots("none"), slots("none", "other"), state("none")]
    present = row(Example("slot_present", MESSAGE, "yes", ("yes", "no"), {"slot": "city"}))
    scores = metrics.score([*rows, present], ["play music", "none", "city: Oslo", "none", "yes"], "strict")
    found = {value.group: value.value for value in scores.metric_values if value.metric == "accuracy"}
    assert found == {
        "all": 4 / 5,
        "intent_classification": 1,  # the only task type of its group, which is not reported
        "made up intent_classification": 1,
        "slots": 2 / 3,
        "slot_filling": 0.5,
        "made up slot_filling": 1,
        "other slot_filling": 0,
        "belief_state_generation": 1,
        "made up belief_state_generation": 1,
        "slot_present": 1,
        "made up slot_present": 1,
    }
    assert list(found)[:5] == [
        "all",
        "intent_classification",
        "made up intent_classification",
        "slots",
        "slot_filling",
    ]
    assert scores.headline == ("accuracy", "all")
    assert scores.counts["rows"] == 5 and scores.counts["right"] == 4


def test_a_row_whose_output_is_no_answer_is_an_error_with_its_number() -> None:
    with pytest.raises(ZooError, match=r"row 2: the output is no answer to slot_filling"):
        metrics.score([slots("none"), {**slots("none"), "output": "city Oslo"}], ["none", "none"], "strict")


# --- baselines


def test_baselines_stay_within_the_options_and_learn_from_the_same_data_set() -> None:
    two = ("set alarm", "get weather")
    train = [intent("play music"), intent("play music"), intent("get weather"), slots("city: Oslo"), slots("none", "x")]
    test = [intent("play music"), intent("set alarm", options=two), slots("none"), slots("none", "x")]
    frequent = metrics.BASELINES["most frequent answer"](train, test)
    assert frequent == ["play music", "get weather", "city: Oslo", "none"]
    nearest = metrics.BASELINES["nearest question of the task"](train, test)
    assert nearest == ["play music", "get weather", "city: Oslo", "none"]


def test_the_nearest_question_is_found_by_its_words() -> None:
    train = [
        row(Example("intent_classification", (("RESPONSE", text),), label, INTENTS))
        for text, label in (
            ("wake me at noon", "set alarm"),
            ("will it rain", "get weather"),
            ("play jazz", "play music"),
        )
    ]
    test = [row(Example("intent_classification", (("RESPONSE", "please wake me"),), "set alarm", INTENTS))]
    assert metrics.BASELINES["nearest question of the task"](train, test) == ["set alarm"]


def test_the_last_turn_answers_what_wants_a_text_and_no_slot_what_wants_slots() -> None:
    talk = (("CONTEXT", "Hello [ENDOFTURN] Where to?"),)
    letters = row(Example("answer_selection", talk, "Rome", ("Oslo", "Rome"), option_labels="letters"))
    value = row(Example("slot_value_generation", MESSAGE, "Oslo", names={"slot": "city"}))
    rows = [response("x", fields=talk), slots("none"), state("none"), letters, value]
    assert metrics.BASELINES["last turn, empty state"]([], rows) == ["Where to?", "none", "none", "A", "not present"]


# --- InstructDial's own scorer


def legacy(rows: Sequence[Row], answers: Sequence[str]) -> list[bool]:
    return metrics.correct(rows, answers, instructdial_scorer.NAME)


def test_its_own_scorer_accepts_a_part_of_one_of_several_labels() -> None:
    assert legacy([intent("play music", ("set alarm",)), intent("play music")], ["alarm", "music"]) == [True, False]


def test_its_own_scorer_compares_states_as_strings_between_commas() -> None:
    rows = [state("food: thai; area: north")] * 3
    assert legacy(rows, ["area: north, food: thai", "food: Thai; area: north", ""]) == [True, False, False]


def test_its_own_scorer_leaves_out_long_labels_and_says_so() -> None:
    long = "x" * 30
    rows = [intent(long, options=(long, "play music")), intent("play music")]
    scores = metrics.score(rows, ["play music", "play music"], instructdial_scorer.NAME)
    assert values(scores, "all")["accuracy"] == 1
    assert scores.counts[instructdial_scorer.LEFT_OUT] == 1


# --- P(yes)


SCALE = {"low": "1", "high": "5"}


class YesPredictor:
    """A predictor whose P(yes) is the number in the response; log_likelihoods is replaced by `scores`."""

    loaded = None

    def encoder(self) -> YesPredictor:
        return self

    stop = 0

    def prompt(self, question: Row) -> list[int]:
        assert question["task"] == "eval_binary"
        return [int(question["input"].rpartition(" ")[2])]


def test_p_yes_is_the_share_of_yes_and_correlates_with_ratings_by_criterion(monkeypatch: pytest.MonkeyPatch) -> None:
    from instructzoo.core.infer import choice_scoring
    from instructzoo.dialogue.metrics import ratings

    def scores(loaded: object, prompt: list[int], options: Sequence[str], stop: int) -> list[float]:
        assert tuple(options) == ("yes", "no")
        yes = prompt[0] / 100
        return [math.log(yes / 2), math.log((1 - yes) / 2)]

    monkeypatch.setattr(choice_scoring, "log_likelihoods", scores)
    rated = {
        "fluency": ((20, "2"), (10, "1"), (40, "4"), (30, "3")),
        "relevance": ((90, "1"), (80, "2"), (70, "3"), (60, "5")),
    }
    rows = [
        row(Example("eval_rating", (("RESPONSE", f"reply {percent}"),), rating, names=SCALE | {"criterion": name}))
        for name, responses in rated.items()
        for percent, rating in responses
    ]
    predictor: object = YesPredictor()
    questions = [{**question, "task": "eval_binary"} for question in rows]
    assert ratings.yes_probabilities(predictor, questions)[:2] == pytest.approx([0.2, 0.1])  # type: ignore[arg-type]
    found = ratings.correlate_yes(predictor, rows)  # type: ignore[arg-type]
    rho = {value.group: value.value for value in found if value.metric == ratings.SPEARMAN}
    assert rho["made up fluency"] == pytest.approx(1)
    assert rho["made up relevance"] == pytest.approx(-1)
    assert -1 < rho["all"] < 1
    with pytest.raises(ZooError, match="row 1: a question of slot_filling"):
        ratings.correlate_yes(predictor, [slots("none")])  # type: ignore[arg-type]
