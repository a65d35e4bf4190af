"""What a page says that a command or a snippet prints, it prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_docs import PAGES

from instructzoo.core.errors import ZooError
from instructzoo.core.report.examples import Example, examples_of, main, run, update_page

EXAMPLES = [example for page in PAGES for example in examples_of(page)]


@pytest.mark.parametrize("example", [e for e in EXAMPLES if not e.base], ids=lambda example: example.name)
def test_what_a_page_says_a_model_answers_it_answers(example: Example) -> None:
    check(example)


@pytest.mark.slow
@pytest.mark.usefixtures("fetched_bases")
@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.base], ids=lambda example: example.name)
def test_what_a_page_says_a_model_on_a_fetched_base_answers_it_answers(example: Example) -> None:
    check(example)


def check(example: Example) -> None:
    fix = "python -m instructzoo.core.report.examples writes it anew"
    assert run(example) == example.output, f"{example.where}: {fix}"


def test_examples_of_the_pages_have_names_of_their_own() -> None:
    names = [example.name for example in EXAMPLES]
    assert len(names) == len(set(names))


PAGE = """# Sums

<!-- example: units/sum -->
```python
numbers = {"left": 2, "right": 3}
print(sum(numbers.values()))
numbers
```

It prints `5`, and the numbers:

```text
6
```
That was it.
<!-- /example -->

<!-- example: units/shell needs some-base -->
```sh
echo one > a.txt
cat a.txt
```
<!-- /example -->
"""


def test_an_example_prints_and_shows_the_value_of_its_last_line(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(PAGE)
    first, second = examples_of(page)
    assert (first.name, first.language, first.base, first.output) == ("units/sum", "python", "", "6\n")
    assert first.where == f"{page}:3"
    assert run(first) == "5\n{'left': 2, 'right': 3}\n"
    assert (second.base, run(second)) == ("some-base", "one\n")
    assert not Path("a.txt").exists()


def test_the_outputs_of_a_page_are_written_anew_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(PAGE)
    assert update_page(page, fetched=())  # the second one stays as it is
    assert page.read_text() == PAGE.replace("6\n", "5\n{'left': 2, 'right': 3}\n")
    assert update_page(page)
    assert page.read_text().endswith("cat a.txt\n```\n\n```text\none\n```\n<!-- /example -->\n")
    assert all(run(example) == example.output for example in examples_of(page))
    assert main([str(page)]) == 0
    assert not update_page(page)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n<!-- example: a -->\n```python\n1\n```\n", "README.md:2: the marker example: a is not closed"),
        ("<!-- example: a b -->\n<!-- /example -->\n", "README.md:1: <!-- example: a b -->; expected"),
        ("<!-- example: a -->\n    1 + 1\n<!-- /example -->\n", "README.md:1: the example a has another form"),
        ("<!-- example: a -->\n```python\n1 +\n```\n<!-- /example -->\n", "README.md:1: no Python"),
        ("<!-- example: a -->\n```python\n1 / 0\n```\n<!-- /example -->\n", "README.md:1: ZeroDivisionError"),
        ("<!-- example: a -->\n```sh\nfalse\n```\n<!-- /example -->\n", "README.md:1: exit code 1"),
    ],
)
def test_a_malformed_or_failing_example_is_an_error_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    page = tmp_path / "README.md"
    page.write_text(text)
    with pytest.raises(ZooError) as raised:
        update_page(page)
    assert message in str(raised.value)
    assert page.read_text() == text
