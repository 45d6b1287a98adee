"""Secrets: where they come from, what is refused, and that nothing ever shows one."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import os
import pickle
import re
import sys
import threading
import time
import traceback
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trueup.core.call import Call, Reply
from trueup.core.errors import CredentialError
from trueup.core.projects.project import SecretRef
from trueup.edge.http import credentials as credential_command
from trueup.edge.http.credentials import Credential, read_secret, renew_credentials
from trueup.edge.http.secrets import Secret, Secrets

CANARY = "sk-canary-4711-secret"


def python(code: str) -> SecretRef:
    return SecretRef(command=(sys.executable, "-c", code))


def refused(ref: SecretRef, environ: dict[str, str] | None = None) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        read_secret(ref, environ if environ is not None else dict(os.environ))
    whole = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caught.value.hint
    assert CANARY not in whole.replace(repr(ref), "")
    chain: BaseException | None = caught.value
    while chain is not None:
        assert CANARY not in repr(chain.args)
        chain = chain.__context__
    return caught.value


def test_a_secret_has_no_text(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(CANARY)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("t").debug("%s %r", secret, secret)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", f"{secret:>40}", f"{[secret]}", caplog.text]
    assert all("***" in text and CANARY not in text for text in shown)
    assert secret.reveal() == CANARY


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy])
def test_a_secret_is_not_written_down(write: object) -> None:
    assert callable(write)
    with pytest.raises(TypeError, match="not written down"):
        write(Secret(CANARY))


def test_a_variable_gives_its_value_without_the_space_around_it() -> None:
    assert read_secret(SecretRef(env="KEY"), {"KEY": f" {CANARY}\n"}).reveal() == CANARY


@pytest.mark.parametrize(
    ("environ", "said"), [({}, "is not set"), ({"KEY": ""}, "is set, but empty"), ({"KEY": " \n"}, "empty")]
)
def test_a_missing_or_empty_variable_is_named(environ: dict[str, str], said: str) -> None:
    error = refused(SecretRef(env="KEY"), environ)
    assert "KEY" in error.message
    assert said in error.message
    assert "export KEY" in error.hint


@pytest.mark.parametrize("between", ["\n", "\r", "\0", "\x1b", "\x7f", "\x85", "ł", "😀", "\ud800"])
def test_what_no_header_can_carry_is_refused_and_not_shown(between: str) -> None:
    error = refused(SecretRef(env="KEY"), {"KEY": f"{CANARY}{between}{CANARY}"})
    assert "KEY has a line break" in error.message


def test_a_command_is_run_without_a_shell_and_its_output_stripped(tmp_path: Path) -> None:
    ref = SecretRef(command=(sys.executable, "-c", "import os, sys; print(sys.argv[1] + os.getcwd())", "$HOME; `id`"))
    assert read_secret(ref, dict(os.environ), tmp_path).reveal() == f"$HOME; `id`{tmp_path}"


@pytest.mark.parametrize("where", ["stdout", "stderr"])
def test_nothing_that_a_failing_command_says_is_shown(where: str) -> None:
    """A secret that stood only on standard error was once echoed."""
    error = refused(python(f"import sys; print('no {CANARY} today', file=sys.{where}); sys.exit(3)"))
    assert error.message.endswith("ended with code 3.")
    assert "by hand" in error.hint


def test_a_command_that_prints_nothing_or_two_lines_is_refused() -> None:
    assert "printed nothing" in refused(python("pass")).message
    assert "has a line break" in refused(python(f"print('{CANARY}'); print('{CANARY}')")).message


def test_a_command_that_is_not_there_is_named() -> None:
    error = refused(SecretRef(command=("no-such-program-at-all", CANARY)))
    assert "no-such-program-at-all" in error.message
    assert "without a shell" in error.hint
    assert "impossible character" in refused(SecretRef(command=("a\0b",))).message


def test_a_command_that_hangs_is_ended_also_when_its_child_holds_the_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_command, "TIMEOUT", 0.4)
    child = "[sys.executable, '-c', 'import time; time.sleep(4)']"
    code = f"import subprocess, sys, time; subprocess.Popen({child}); time.sleep(60)"
    started = time.monotonic()
    assert "did not end within 0.4 seconds" in refused(python(code)).message
    assert time.monotonic() - started < 3


def test_what_a_command_leaves_behind_is_neither_waited_for_nor_ended(tmp_path: Path) -> None:
    """An agent that a token helper starts holds its output open for as long as it lives."""
    alive = tmp_path / "alive"
    child = f"import time, pathlib; time.sleep(1); pathlib.Path({str(alive)!r}).touch()"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]); print({CANARY!r})"
    started = time.monotonic()
    assert read_secret(python(code), dict(os.environ)).reveal() == CANARY
    assert time.monotonic() - started < 1
    while not alive.exists():
        assert time.monotonic() - started < 20
        time.sleep(0.05)


@pytest.mark.parametrize("code", ["while True: print('y' * 1000)", "print('y' * 70_000)"])
def test_a_command_that_floods_is_ended_at_once(code: str) -> None:
    started = time.monotonic()
    tracemalloc.start()
    try:
        error = refused(python(code))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert "printed more than 64 KiB" in error.message
    assert "by hand" in error.hint
    assert time.monotonic() - started < 10


def test_the_longest_output_that_is_read_is_read_whole() -> None:
    token = "t" * 60_000
    assert read_secret(python("print('t' * 60_000)"), dict(os.environ)).reveal() == token


def test_a_command_that_closes_its_output_is_waited_for() -> None:
    code = f"import os, sys, time; print({CANARY!r}, flush=True); os.close(1); time.sleep(0.3); os._exit(3)"
    assert refused(python(code)).message.endswith("ended with code 3.")


def test_with_a_command_that_hangs_all_that_it_started_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_command, "TIMEOUT", 1.0)
    alive = tmp_path / "alive"
    child = f"import time, pathlib; time.sleep(2); pathlib.Path({str(alive)!r}).touch()"
    refused(python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"))
    time.sleep(2)
    assert not alive.exists()


def test_a_command_is_given_up_with_the_work_that_waits_for_it() -> None:
    async def work() -> None:
        read_secret(python("import time; time.sleep(60)"), dict(os.environ))

    async def run() -> None:
        task = asyncio.create_task(work())
        threading.Timer(0.3, task.cancel).start()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    started = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - started < 20


def test_a_reference_to_nothing_is_refused() -> None:
    assert "neither" in refused(SecretRef()).message


def test_known_secrets_are_masked_the_longest_first_and_short_ones_left() -> None:
    known = Secrets([Secret("abcdef"), Secret("abcdefgh"), Secret("short"), Secret("a b/c+d")])
    assert known.mask("abcdefgh abcdef short a%20b%2Fc%2Bd a b/c+d") == "*** *** short *** ***"
    assert "abcdef" not in repr(known)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def counting(tmp_path: Path) -> SecretRef:
    """Return a command that prints token-1, token-2, …"""
    file = tmp_path / "count"
    return python(
        f"from pathlib import Path; p = Path({str(file)!r}); n = int(p.read_text()) + 1 if p.exists() else 1; "
        "p.write_text(str(n)); print(f'token-{n}')"
    )


def test_a_refused_token_is_had_again_but_not_more_often_than_every_thirty_seconds(tmp_path: Path) -> None:
    clock, known = Clock(), Secrets()
    credential = Credential(counting(tmp_path), dict(os.environ), known, monotonic=clock)
    first = credential.secret()
    assert credential.secret() is first
    clock.now = 29
    assert credential.renew_refused(first) is False
    clock.now = 31
    assert credential.renew_refused(first) is True
    assert credential.secret().reveal() == "token-2"
    assert credential.renew_refused(first) is True  # another worker's refusal of the old one: nothing is run for it
    assert (tmp_path / "count").read_text() == "2"
    assert known.mask("token-1 token-2") == "*** ***"


def test_a_variable_is_never_fresh() -> None:
    clock = Clock()
    credential = Credential(SecretRef(env="KEY"), {"KEY": CANARY}, Secrets(), monotonic=clock)
    first = credential.secret()
    clock.now = 1000
    assert credential.renew_refused(first) is False


def test_after_a_401_a_call_goes_out_once_more_with_the_new_token(tmp_path: Path) -> None:
    clock = Clock()
    credential = Credential(counting(tmp_path), dict(os.environ), Secrets(), monotonic=clock)
    sent: list[str] = []

    async def send(_call: Call) -> Reply:
        sent.append(credential.secret().reveal())
        return Reply(200 if sent[-1] == "token-2" else 401)

    async def run() -> list[Reply]:
        await renew_credentials(send, [credential])(Call("GET", "/assistants"))
        clock.now = 100.0
        return list(
            await asyncio.gather(
                *(renew_credentials(send, [credential])(Call("POST", "/assistants")) for _ in range(3))
            )
        )

    assert [reply.status for reply in asyncio.run(run())] == [200, 200, 200]
    assert sent == ["token-1"] * 4 + ["token-2"] * 3


@given(
    st.text(min_size=6, max_size=12),
    st.recursive(st.text(max_size=12), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner)),
    st.sampled_from([lambda secret: secret, lambda secret: [f"a{secret}b"], lambda secret: {secret: 1}]),
)
def test_a_secret_is_found_wherever_it_stands_in_an_answer(
    secret: str, other: object, wrap: Callable[[str], object]
) -> None:
    assume(not re.fullmatch(r"[a-z]+(?:[-_. ][a-z]+)*|[0-9]+", secret))  # ordinary words are left alone
    assert Secrets([Secret(secret)]).is_in([other, wrap(secret), other])
    assert not Secrets([Secret("sk-secret")]).is_in({"data": [{"name": "sk-secre", "t": ["sk", "-secret"]}]})


@pytest.mark.parametrize(
    "body",
    [
        r'{"foo":"sk-ab\/CANARY+cd\/ef=="}',
        r'{"foo":"\u0073k-ab\/CANARY\u002bcd/ef=="',
        "sk-ab%2fCANARY%2Bcd%2Fef%3d%3d",
    ],
)
def test_a_key_is_masked_however_a_raw_answer_spells_it(body: str) -> None:
    masked = Secrets([Secret("sk-ab/CANARY+cd/ef==")]).mask(body)
    assert "CANARY" not in masked
    assert "***" in masked


def test_a_key_is_found_in_an_answer_that_quotes_json_of_ours() -> None:
    key = 'sk-INNERCANARY-12345"\\/x'
    body = {"error": {"message": f"got {json.dumps({'x-portkey-config': json.dumps({'api_key': key})})}"}}
    secrets = Secrets([Secret(key)])
    assert secrets.is_in(body)
    assert "INNERCANARY" not in json.dumps(secrets.mask_value(body))
