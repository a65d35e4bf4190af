"""Teachers and their response cache: what is sent, what is stored, and that nothing is paid for twice."""

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

from instructzoo.core import ZooError, api, models
from instructzoo.core.synth import CachedTeacher, TeacherSettings, open_teacher, with_cache

SECRET = "sk-very-secret"
QUICK = TeacherSettings(backoff=0.01, retries=2, timeout=5)


class Scripted:
    """A teacher that answers in capitals, records its prompts, and may fail at one of them."""

    identity = "scripted"

    def __init__(self, fatal: str = "") -> None:
        self.prompts: list[str] = []
        self.fatal = fatal

    def answer(self, prompts: Sequence[str]) -> list[str]:
        if self.fatal in prompts:
            raise RuntimeError("killed")
        self.prompts += prompts
        return [prompt.upper() for prompt in prompts]


class Server:
    """A chat endpoint on this machine. replies: (status, text) in turn; the last one is repeated."""

    def __init__(self) -> None:
        self.replies: list[tuple[int, str]] = [(200, completion("fine"))]
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.bodies.append(body)
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
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def test_a_resumed_run_asks_no_answered_prompt_again(tmp_path: Path) -> None:
    path, prompts = tmp_path / "journal.jsonl", list("abcdef")
    first = Scripted(fatal="d")
    with pytest.raises(RuntimeError):
        CachedTeacher(first, path).answer(prompts)
    second = Scripted()
    cached = CachedTeacher(second, path)
    assert cached.answer(prompts) == list("ABCDEF")
    assert (first.prompts, second.prompts) == (list("abc"), list("def"))
    assert (cached.requested_count, cached.cached_count) == (3, 3)


def test_a_repeated_prompt_is_asked_once(tmp_path: Path) -> None:
    teacher = Scripted()
    assert CachedTeacher(teacher, tmp_path / "j.jsonl", batch=2).answer(["a", "b", "a"]) == ["A", "B", "A"]
    assert teacher.prompts == ["a", "b"]


def test_another_attempt_or_teacher_gets_a_new_answer(tmp_path: Path) -> None:
    teacher = Scripted()
    cached = CachedTeacher(teacher, tmp_path / "j.jsonl")
    cached.answer(["a"])
    cached.answer(["a"], attempt=1)
    other = Scripted()
    other.identity = "another"
    CachedTeacher(other, tmp_path / "j.jsonl").answer(["a"])
    assert (teacher.prompts, other.prompts) == (["a", "a"], ["a"])


@pytest.mark.parametrize("torn", [b'{"key": "1", "ans', b"\xc3", b'{"key": "1"}'])
def test_a_torn_last_line_is_dropped_and_the_next_run_continues(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "j.jsonl"
    CachedTeacher(Scripted(), path).answer(["a"])
    complete = path.read_bytes()
    path.write_bytes(complete + torn)
    teacher = Scripted()
    assert CachedTeacher(teacher, path).answer(["a", "b"]) == ["A", "B"]
    assert teacher.prompts == ["b"]
    assert path.read_bytes().startswith(complete)
    assert [json.loads(line)["answer"] for line in path.read_text().splitlines()] == ["A", "B"]


def test_a_malformed_line_within_the_cache_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_text('{"key": "1", "answer": "x"}\nnonsense\n')
    with pytest.raises(ZooError, match=r"j\.jsonl:2: a malformed line"):
        CachedTeacher(Scripted(), path)


def test_fewer_answers_than_prompts_are_an_error(tmp_path: Path) -> None:
    class Short(Scripted):
        def answer(self, prompts: Sequence[str]) -> list[str]:
            return ["one"]

    with pytest.raises(ZooError, match="1 answers to 2 prompts"):
        CachedTeacher(Short(), tmp_path / "j.jsonl", batch=2).answer(["a", "b"])


def test_two_processes_write_one_cache_intact(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    program = (
        "import sys; from pathlib import Path\n"
        "from instructzoo.core.synth import CachedTeacher\n"
        "class Teacher:\n"
        "    identity = 'scripted'\n"
        "    def answer(self, prompts): return [p * 2000 for p in prompts]\n"
        "prompts = [f'{sys.argv[2]}{n}' for n in range(60)]\n"
        "assert len(CachedTeacher(Teacher(), Path(sys.argv[1])).answer(prompts)) == 60\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(path), name]) for name in "xy"]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert Counter(line["prompt"][0] for line in lines) == {"x": 60, "y": 60}


def test_what_another_process_has_answered_is_not_asked_again(tmp_path: Path) -> None:
    first, second = Scripted(), Scripted()
    first_cached, second_cached = (CachedTeacher(teacher, tmp_path / "j.jsonl") for teacher in (first, second))
    first_cached.answer(["a", "b"])
    assert second_cached.answer(["b", "c"]) == ["B", "C"]
    assert second.prompts == ["c"]


def test_the_api_key_is_sent_but_not_written_down(server: Server, tmp_path: Path) -> None:
    teacher = open_teacher(server.spec, QUICK)
    assert with_cache(teacher, tmp_path / "j.jsonl", QUICK).answer(["a"]) == ["fine"]
    assert server.keys == [f"Bearer {SECRET}"]
    assert SECRET not in (tmp_path / "j.jsonl").read_text() + teacher.identity + repr(teacher)


def test_an_openai_key_is_not_sent_to_another_server(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INSTRUCTZOO_TEACHER_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    open_teacher(server.spec, QUICK).answer(["a"])
    assert server.keys == [None]


def test_the_settings_of_the_paper_are_sent(server: Server) -> None:
    open_teacher(server.spec, QUICK.model_copy(update={"stop": ("END",)})).answer(["a"])
    assert server.bodies == [
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
def test_a_busy_server_is_asked_again(server: Server, status: int) -> None:
    server.replies = [(status, "busy"), (200, completion("fine"))]
    assert open_teacher(server.spec, QUICK).answer(["a"]) == ["fine"]
    assert len(server.bodies) == 2


def test_a_server_that_stays_busy_is_an_error_after_the_retries(server: Server) -> None:
    server.replies = [(429, "busy")]
    with pytest.raises(ZooError, match=r"429: busy.*3 requests"):
        open_teacher(server.spec, QUICK).answer(["a"])
    assert len(server.bodies) == 3


def test_an_unreachable_server_is_one_clear_error(server: Server) -> None:
    server.http.server_close()
    server.http.shutdown()
    with pytest.raises(ZooError, match=r"could not answer: no connection: .*3 requests") as error:
        open_teacher(server.spec, QUICK).answer(["a"])
    assert "\n" not in str(error.value)


def test_a_wrong_key_is_not_retried_and_not_shown(server: Server) -> None:
    server.replies = [(401, f"Incorrect API key: {SECRET}\nsee our page")]
    with pytest.raises(ZooError, match=r"401: Incorrect API key: \*\*\* see.*INSTRUCTZOO_TEACHER_KEY") as error:
        open_teacher(server.spec, QUICK).answer(["a"])
    assert len(server.bodies) == 1
    assert SECRET not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("response", ["no JSON", "{}", '{"choices": []}', '{"choices": [{"message": {"content": 3}}]}'])
def test_a_malformed_response_is_an_error(server: Server, response: str) -> None:
    server.replies = [(200, response)]
    with pytest.raises(ZooError):
        open_teacher(server.spec, QUICK).answer(["a"])


def test_a_refusal_or_lone_surrogate_becomes_writable_text(server: Server, tmp_path: Path) -> None:
    server.replies = [(200, completion(None)), (200, completion("\ud83d!"))]
    cached = with_cache(open_teacher(server.spec, QUICK), tmp_path / "j.jsonl", QUICK.model_copy(update={"workers": 1}))
    assert cached.answer(["a", "b"]) == ["", "?!"]


def test_answers_of_concurrent_requests_keep_their_order(server: Server, tmp_path: Path) -> None:
    server.replies = [(200, completion("ECHO"))]
    prompts = [f"p{n}" for n in range(20)]
    cached = with_cache(open_teacher(server.spec, QUICK), tmp_path / "j.jsonl", QUICK)
    assert cached.answer(prompts) == prompts
    assert (cached.requested_count, cached.cached_count) == (20, 0)


def test_an_error_among_concurrent_requests_keeps_the_other_answers(server: Server, tmp_path: Path) -> None:
    server.replies = [(200, completion("fine"))] * 5 + [(400, "no such model")]
    cached = with_cache(open_teacher(server.spec, QUICK), tmp_path / "j.jsonl", QUICK)
    with pytest.raises(ZooError, match="400: no such model"):
        cached.answer([f"p{n}" for n in range(40)])
    assert len((tmp_path / "j.jsonl").read_text().splitlines()) == cached.requested_count == 5


@pytest.mark.parametrize(
    "spec", ["", "gpt", "openai:", "openai:model", "openai:m@ftp://x", "local:", "openai:m@http://me:word@host/v1"]
)
def test_a_malformed_teacher_spec_is_an_error_without_its_password(spec: str) -> None:
    with pytest.raises(ZooError) as error:
        open_teacher(spec)
    assert "word" not in str(error.value)


def test_a_script_answers_only_its_prompts_and_has_one_answer_for_each(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"prompt": "a", "answer": "b"}\n')
    script = open_teacher(f"script:{path}")
    assert script.answer(["a", "a"]) == ["b", "b"]
    with pytest.raises(ZooError, match="no answer to 'c'"):
        script.answer(["c"])
    path.write_text('{"prompt": "a", "answer": "b"}\n{"prompt": "a", "answer": "c"}\n')
    with pytest.raises(ZooError, match=r"answers\.jsonl:2: a second answer"):
        open_teacher(f"script:{path}")


def test_a_response_cache_can_be_used_as_a_script(tmp_path: Path) -> None:
    CachedTeacher(Scripted(), tmp_path / "j.jsonl").answer(["a"])
    assert open_teacher(f"script:{tmp_path / 'j.jsonl'}").answer(["a"]) == ["A"]


def test_a_local_model_answers_reproducibly_and_ends_at_its_stop_text(tmp_path: Path) -> None:
    setup = kit(recipe(LLAMA))
    models.save_plain(setup.bundle.model, setup.bundle.tokenizer, tmp_path / "model")
    settings = TeacherSettings(max_tokens=5)
    first, second = (open_teacher(f"local:{tmp_path / 'model'}", settings) for _ in "ab")
    assert first.identity == second.identity
    answers = first.answer(["1 + 2", "3"])
    assert answers == second.answer(["1 + 2", "3"])
    mark = next(a for a in answers if a.strip())[0]
    stopped = open_teacher(f"local:{tmp_path / 'model'}", settings.model_copy(update={"stop": (mark,)}))
    assert all(mark not in answer for answer in stopped.answer(["1 + 2", "3"]))
    assert stopped.identity != first.identity
    with pytest.raises(ZooError, match="has learnt nothing"):
        open_teacher("local:scratch:llama-1x32")


def test_synth_for_a_domain_without_a_pipeline_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"arithmetic writes no data with a teacher; expected one of: .*pix2pix"):
        api.synth("arithmetic", str(tmp_path), "script:absent")
