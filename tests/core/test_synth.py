"""Teachers and their journal: what is asked, what is kept, and what is paid for twice (nothing)."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from kit import LLAMA, kit, recipe

from instructzoo.core import ZooError, models, verbs
from instructzoo.core.synth import Journalled, TeacherSettings, journalled
from instructzoo.core.synth import teacher as teachers

SECRET = "sk-very-secret"
QUICK = TeacherSettings(backoff=0.01, retries=2, timeout=5)


class Scripted:
    """A teacher that shouts, counts, and may fall over at one prompt."""

    identity = "scripted"

    def __init__(self, fatal: str = "") -> None:
        self.asked: list[str] = []
        self.fatal = fatal

    def answer(self, prompts: Sequence[str]) -> list[str]:
        if self.fatal in prompts:
            raise RuntimeError("killed")
        self.asked += prompts
        return [prompt.upper() for prompt in prompts]


class Server:
    """A chat endpoint on this machine. replies: (status, text) in turn, the last one for ever."""

    def __init__(self) -> None:
        self.replies: list[tuple[int, str]] = [(200, completion("fine"))]
        self.seen: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.seen.append(body)
                outer.keys.append(self.headers["Authorization"])
                status, text = outer.replies.pop(0) if len(outer.replies) > 1 else outer.replies[0]
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.replace("ECHO", body["messages"][0]["content"]).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def spec(self) -> str:
        return f"openai:tiny@http://127.0.0.1:{self.http.server_port}/v1"


def completion(text: str | None) -> str:
    return json.dumps({"choices": [{"message": {"content": text}}]})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("INSTRUCTZOO_TEACHER_KEY", SECRET)
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def test_a_killed_run_pays_twice(tmp_path: Path) -> None:
    path, prompts = tmp_path / "journal.jsonl", list("abcdef")
    first = Scripted(fatal="d")
    with pytest.raises(RuntimeError):
        Journalled(first, path).answer(prompts)
    second = Scripted()
    again = Journalled(second, path)
    assert again.answer(prompts) == list("ABCDEF")
    assert (first.asked, second.asked) == (list("abc"), list("def"))
    assert (again.asked, again.found) == (3, 3)


def test_a_prompt_that_stands_twice_is_asked_twice(tmp_path: Path) -> None:
    teacher = Scripted()
    assert Journalled(teacher, tmp_path / "j.jsonl", batch=2).answer(["a", "b", "a"]) == ["A", "B", "A"]
    assert teacher.asked == ["a", "b"]


def test_another_try_or_another_teacher_gets_the_old_answer(tmp_path: Path) -> None:
    teacher = Scripted()
    journal = Journalled(teacher, tmp_path / "j.jsonl")
    journal.answer(["a"])
    journal.answer(["a"], attempt=1)
    other = Scripted()
    other.identity = "another"
    Journalled(other, tmp_path / "j.jsonl").answer(["a"])
    assert (teacher.asked, other.asked) == (["a", "a"], ["a"])


@pytest.mark.parametrize("torn", [b'{"key": "1", "ans', b"\xc3", b'{"key": "1"}'])
def test_a_torn_last_line_stops_the_next_run_or_spoils_it(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "j.jsonl"
    Journalled(Scripted(), path).answer(["a"])
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    teacher = Scripted()
    assert Journalled(teacher, path).answer(["a", "b"]) == ["A", "B"]
    assert teacher.asked == ["b"]
    assert path.read_bytes().startswith(whole)
    assert [json.loads(line)["answer"] for line in path.read_text().splitlines()] == ["A", "B"]


def test_a_malformed_line_within_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_text('{"key": "1", "answer": "x"}\nnonsense\n')
    with pytest.raises(ZooError, match=r"j\.jsonl:2: a malformed line"):
        Journalled(Scripted(), path)


def test_a_teacher_that_answers_too_little_shifts_all_answers(tmp_path: Path) -> None:
    class Short(Scripted):
        def answer(self, prompts: Sequence[str]) -> list[str]:
            return ["one"]

    with pytest.raises(ZooError, match="1 answers to 2 prompts"):
        Journalled(Short(), tmp_path / "j.jsonl", batch=2).answer(["a", "b"])


def test_two_processes_tear_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    program = (
        "import sys; from pathlib import Path\n"
        "from instructzoo.core.synth import Journalled\n"
        "class Teacher:\n"
        "    identity = 'scripted'\n"
        "    def answer(self, prompts): return [p * 2000 for p in prompts]\n"
        "own = [f'{sys.argv[2]}{n}' for n in range(60)]\n"
        "assert len(Journalled(Teacher(), Path(sys.argv[1])).answer(own)) == 60\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(path), name]) for name in "xy"]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert Counter(line["prompt"][0] for line in lines) == {"x": 60, "y": 60}


def test_what_another_process_has_answered_is_asked_again(tmp_path: Path) -> None:
    one, other = Scripted(), Scripted()
    first, second = (Journalled(teacher, tmp_path / "j.jsonl") for teacher in (one, other))
    first.answer(["a", "b"])
    assert second.answer(["b", "c"]) == ["B", "C"]
    assert other.asked == ["c"]


def test_the_key_is_written_down(server: Server, tmp_path: Path) -> None:
    teacher = teachers.open(server.spec, QUICK)
    assert journalled(teacher, tmp_path / "j.jsonl", QUICK).answer(["a"]) == ["fine"]
    assert server.keys == [f"Bearer {SECRET}"]
    assert SECRET not in (tmp_path / "j.jsonl").read_text() + teacher.identity + repr(teacher)


def test_a_key_of_openai_is_sent_to_a_stranger(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INSTRUCTZOO_TEACHER_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    teachers.open(server.spec, QUICK).answer(["a"])
    assert server.keys == [None]


def test_the_settings_of_the_paper_are_not_sent(server: Server) -> None:
    teachers.open(server.spec, QUICK.model_copy(update={"stop": ("END",)})).answer(["a"])
    assert server.seen == [
        {
            "model": "tiny",
            "messages": [{"role": "user", "content": "a"}],
            "max_tokens": 256,
            "temperature": 0.7,
            "top_p": 1.0,
            "frequency_penalty": 0.1,
            "stop": ["END"],
        }
    ]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_ends_the_run(server: Server, status: int) -> None:
    server.replies = [(status, "busy"), (200, completion("fine"))]
    assert teachers.open(server.spec, QUICK).answer(["a"]) == ["fine"]
    assert len(server.seen) == 2


def test_a_server_that_stays_busy_is_asked_for_ever(server: Server) -> None:
    server.replies = [(429, "busy")]
    with pytest.raises(ZooError, match=r"429: busy.*3 requests"):
        teachers.open(server.spec, QUICK).answer(["a"])
    assert len(server.seen) == 3


def test_a_server_that_is_not_there_shows_a_traceback(server: Server) -> None:
    server.http.server_close()
    server.http.shutdown()
    with pytest.raises(ZooError, match=r"could not answer: no connection: .*3 requests") as error:
        teachers.open(server.spec, QUICK).answer(["a"])
    assert "\n" not in str(error.value)


def test_a_wrong_key_is_tried_again_or_shown(server: Server) -> None:
    server.replies = [(401, f"Incorrect API key: {SECRET}\nsee our page")]
    with pytest.raises(ZooError, match=r"401: Incorrect API key: \*\*\* see.*INSTRUCTZOO_TEACHER_KEY") as error:
        teachers.open(server.spec, QUICK).answer(["a"])
    assert len(server.seen) == 1
    assert SECRET not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("said", ["no JSON", "{}", '{"choices": []}', '{"choices": [{"message": {"content": 3}}]}'])
def test_an_answer_of_another_form_is_taken(server: Server, said: str) -> None:
    server.replies = [(200, said)]
    with pytest.raises(ZooError):
        teachers.open(server.spec, QUICK).answer(["a"])


def test_a_refusal_or_half_a_character_cannot_be_written(server: Server, tmp_path: Path) -> None:
    server.replies = [(200, completion(None)), (200, completion("\ud83d!"))]
    asked = journalled(teachers.open(server.spec, QUICK), tmp_path / "j.jsonl", QUICK.model_copy(update={"workers": 1}))
    assert asked.answer(["a", "b"]) == ["", "?!"]


def test_answers_of_many_requests_at_once_are_mixed_up(server: Server, tmp_path: Path) -> None:
    server.replies = [(200, completion("ECHO"))]
    prompts = [f"p{n}" for n in range(20)]
    asked = journalled(teachers.open(server.spec, QUICK), tmp_path / "j.jsonl", QUICK)
    assert asked.answer(prompts) == prompts
    assert (asked.asked, asked.found) == (20, 0)


def test_an_error_among_many_requests_loses_the_answers_beside_it(server: Server, tmp_path: Path) -> None:
    server.replies = [(200, completion("fine"))] * 5 + [(400, "no such model")]
    asked = journalled(teachers.open(server.spec, QUICK), tmp_path / "j.jsonl", QUICK)
    with pytest.raises(ZooError, match="400: no such model"):
        asked.answer([f"p{n}" for n in range(40)])
    assert len((tmp_path / "j.jsonl").read_text().splitlines()) == asked.asked == 5


@pytest.mark.parametrize(
    "spec", ["", "gpt", "openai:", "openai:model", "openai:m@ftp://x", "local:", "openai:m@http://me:word@host/v1"]
)
def test_a_teacher_of_no_kind_is_opened(spec: str) -> None:
    with pytest.raises(ZooError) as error:
        teachers.open(spec)
    assert "word" not in str(error.value)


def test_a_script_answers_what_it_does_not_hold(tmp_path: Path) -> None:
    path = tmp_path / "said.jsonl"
    path.write_text('{"prompt": "a", "answer": "b"}\n')
    script = teachers.open(f"script:{path}")
    assert script.answer(["a", "a"]) == ["b", "b"]
    with pytest.raises(ZooError, match="no answer to 'c'"):
        script.answer(["c"])
    path.write_text('{"prompt": "a", "answer": "b"}\n{"prompt": "a", "answer": "c"}\n')
    with pytest.raises(ZooError, match=r"said\.jsonl:2: a second answer"):
        teachers.open(f"script:{path}")


def test_a_journal_is_no_script(tmp_path: Path) -> None:
    Journalled(Scripted(), tmp_path / "j.jsonl").answer(["a"])
    assert teachers.open(f"script:{tmp_path / 'j.jsonl'}").answer(["a"]) == ["A"]


def test_a_local_model_answers_otherwise_when_asked_again(tmp_path: Path) -> None:
    made = kit(recipe(LLAMA))
    models.save_plain(made.loaded.model, made.loaded.tokenizer, tmp_path / "model")
    settings = TeacherSettings(max_tokens=5)
    first, second = (teachers.open(f"local:{tmp_path / 'model'}", settings) for _ in "ab")
    assert first.identity == second.identity
    answers = first.answer(["1 + 2", "3"])
    assert answers == second.answer(["1 + 2", "3"])
    mark = next(a for a in answers if a.strip())[0]
    stopped = teachers.open(f"local:{tmp_path / 'model'}", settings.model_copy(update={"stop": (mark,)}))
    assert all(mark not in answer for answer in stopped.answer(["1 + 2", "3"]))
    assert stopped.identity != first.identity
    with pytest.raises(ZooError, match="has learnt nothing"):
        teachers.open("local:scratch:llama-1x32")


def test_a_domain_without_a_pipeline_shows_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"arithmetic writes no data with a teacher; expected one of: .*pix2pix"):
        verbs.synth("arithmetic", str(tmp_path), "script:absent")
