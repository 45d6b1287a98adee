"""Tokens that end: the forms in which programs print them, and that one is had anew before its end, in one run."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.call import Call, Reply
from trueup.core.errors import CredentialError
from trueup.core.projects.project import SecretRef
from trueup.edge.http.credentials import AGAIN, EARLY, Credential, read_token, renew_credentials
from trueup.edge.http.secrets import Secrets

END = 1_900_000_000.0
UTC_TEXT = datetime.fromtimestamp(END, UTC).isoformat()
LOCAL_TEXT = datetime.fromtimestamp(END).isoformat(sep=" ")


@pytest.mark.parametrize(
    ("printed", "token", "ends"),
    [
        ("eyJ0.abc\n", "eyJ0.abc\n", None),
        ({"accessToken": "t", "expires_on": int(END), "expiresOn": "2001-01-01 00:00:00.000000"}, "t", END),
        ({"accessToken": "t", "expiresOn": LOCAL_TEXT, "tokenType": "Bearer"}, "t", END),
        ({"token": "t", "expiresOn": UTC_TEXT.replace("+00:00", "Z")}, "t", END),
        ({"access_token": "t", "token_expiry": UTC_TEXT}, "t", END),
        ({"accessToken": "t", "expires_on": str(int(END))}, "t", END),
        ({"accessToken": "t", "expires_on": "soon", "expiresOn": True}, "t", None),
        ({"accessToken": "t", "expiresOn": "9999-12-31T23:59:59Z", "expires_on": None}, "t", 253402300799.0),
        ({"accessToken": 5}, "", None),
        ({"error": "please run az login"}, "", None),
        ({}, "", None),
    ],
)
def test_each_form_of_a_token(printed: object, token: str, ends: float | None) -> None:
    text = printed if isinstance(printed, str) else json.dumps(printed, indent=2)
    assert read_token(text) == (token, ends)


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner)).map(json.dumps))
def test_what_is_no_object_is_the_token_itself(text: str) -> None:
    if not text.lstrip().startswith("{"):
        assert read_token(text) == (text, None)


@given(
    st.dictionaries(st.sampled_from(["accessToken", "expires_on", "expiresOn"]), st.integers() | st.text() | st.none())
)
def test_an_object_of_any_content_breaks_nothing(value: dict[str, object]) -> None:
    token, _ends = read_token(json.dumps(value))
    assert token == (value.get("accessToken") if isinstance(value.get("accessToken"), str) else "")


class Place:
    """A program that prints another token at each call, and clocks that only move when told."""

    def __init__(self, folder: Path, lasting: float) -> None:
        self.now = 1_800_000_000.0
        self.secrets = Secrets()
        self.count = folder / "count"
        self.count.write_text("")
        script = folder / "token.py"
        script.write_text(
            f"import json, pathlib\nplace = pathlib.Path({str(self.count)!r})\n"
            "place.write_text(place.read_text() + 'x')\n"
            "number = len(place.read_text())\n"
            f"ends = {self.now} + {lasting} * number\n"
            "print(json.dumps({'accessToken': f'token-{number:06d}', 'expires_on': ends}, indent=2))\n"
        )
        ref = SecretRef(command=(sys.executable, str(script)))
        self.credential = Credential(
            ref, {}, self.secrets, monotonic=lambda: self.now, wall=lambda: self.now, is_token=True
        )

    @property
    def runs(self) -> int:
        return len(self.count.read_text())


def sent(place: Place, times: int = 1) -> list[str]:
    """Return the token that each of several calls at once carries."""

    async def send(_call: Call) -> Reply:
        used.append(place.credential.secret().reveal())
        await asyncio.sleep(0)
        return Reply(200)

    async def all_at_once() -> None:
        through = renew_credentials(send, [place.credential])
        await asyncio.gather(*(through(Call("GET", "/assistants")) for _ in range(times)))

    used: list[str] = []
    asyncio.run(all_at_once())
    return used


def test_a_token_is_had_once_and_again_before_it_ends(tmp_path: Path) -> None:
    place = Place(tmp_path, 3600)
    assert sent(place, 5) == ["token-000001"] * 5
    place.now += 3600 - EARLY - 1
    assert sent(place) == ["token-000001"]
    place.now += 1
    assert sent(place, 20)[-1] == "token-000002"
    assert place.runs == 2
    assert place.secrets.mask("token-000001 token-000002") == "*** ***"


def test_a_program_that_gives_the_same_old_token_is_not_run_for_every_request(tmp_path: Path) -> None:
    place = Place(tmp_path, 0)
    sent(place, 3)
    assert place.runs == 1
    place.now += AGAIN
    sent(place, 50)
    assert place.runs == 2


def test_a_token_that_cannot_be_had_anew_says_so_and_shows_none(tmp_path: Path) -> None:
    place = Place(tmp_path, 60)
    assert sent(place) == ["token-000001"]
    place.now += AGAIN
    (tmp_path / "token.py").write_text('print(\'{"error": "token-999999"}\')')
    with pytest.raises(CredentialError) as caught:
        sent(place)
    assert "holds no token" in caught.value.message
    assert "token-999999" not in caught.value.message + caught.value.hint


def test_a_key_from_a_variable_is_never_due() -> None:
    credential = Credential(
        SecretRef(env="KEY"), {"KEY": '{"accessToken": "x", "expires_on": 1}'}, Secrets(), is_token=True
    )
    assert credential.secret().reveal().startswith("{")
    assert not credential.is_due()


def test_what_is_no_token_is_not_taken_apart(tmp_path: Path) -> None:
    """A configuration of Portkey's that a command prints may hold such a key too, and is sent as it is."""
    command = (sys.executable, "-c", 'print(\'{"token": "x"}\')')
    credential = Credential(SecretRef(command=command), {}, Secrets(), tmp_path)
    assert credential.secret().reveal() == '{"token": "x"}'
