"""A key that is refused is named by its source, and an address that lacks the protocol's `/v1` by the line to write."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

from tests.cli.place import Place
from trueup.core.projects.project import Portkey, SecretRef, Target
from trueup.local.faults import Fault, Kind
from trueup.wire.registry import adapter_for

Arm = Callable[..., None]
WRONG = "sk-wrong-0123456789"
FORMATS = ("text", "json", "markdown", "html", "github")


@pytest.mark.parametrize("form", FORMATS)
def test_a_401_names_the_target_and_the_variable(hosted: Place, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setenv("CANARY_KEY", WRONG)
    ran = hosted.run("plan", "--format", form)
    assert ran.code == 1
    said = ran.said.replace("`", "").replace("<code>", "").replace("</code>", "")
    assert "prod refused the key in CANARY_KEY: HTTP 401: " in said
    assert WRONG not in ran.out + ran.err


def test_a_403_is_access_that_is_denied(hosted: Place, faulty: Arm) -> None:
    faulty(Fault(Kind.ANSWER, method="GET", times=0, status=403, body={"error": {"message": "Not yours."}}))
    assert "prod denied access with the key in CANARY_KEY: HTTP 403: Not yours." in hosted.run("drift").said


def test_the_key_of_a_write_is_named_too(hosted: Place, faulty: Arm) -> None:
    faulty(Fault(Kind.ANSWER, method="POST", times=0, status=403, body={"error": {"message": "Read only."}}))
    ran = hosted.run("apply", "--yes")
    assert ran.code == 5
    assert "prod denied access with the key in CANARY_KEY: HTTP 403: Read only." in ran.said


def test_a_command_is_named_without_its_arguments(hosted: Place) -> None:
    command = [sys.executable, "-c", f"print('{WRONG}')"]
    text = (hosted.root / "trueup.yaml").read_text("utf-8")
    hosted.write(
        "trueup.yaml", text.replace("api_key: {env: CANARY_KEY}", f"token: {{command: {json.dumps(command)}}}")
    )
    ran = hosted.run("plan")
    assert f"prod refused the token from the command `{sys.executable}`: HTTP 401: " in ran.said
    assert "print" not in ran.said
    assert WRONG not in ran.said


def test_several_keys_are_named_once_each() -> None:
    gate = Portkey(api_key=SecretRef(env="GATE"), config={"provider": "openai", "api_key": SecretRef(env="OURS")})
    target = Target("prod", "p", base_url="", api_key=SecretRef(env="OURS"), gateway="portkey", portkey=gate)
    assert sorted(adapter_for(target).access.keys.removeprefix("the keys ").split(" and ")) == ["in GATE", "in OURS"]


@pytest.mark.parametrize("command", ["plan", "apply --yes", "drift", "export x.json", "import", "state rebuild"])
def test_a_404_without_the_version_names_the_line_to_write(hosted: Place, command: str) -> None:
    text = (hosted.root / "trueup.yaml").read_text("utf-8")
    url = text.split('"')[1].removesuffix("/v1")
    hosted.write("trueup.yaml", text.replace("/v1", ""))
    ran = hosted.run(*command.split())
    assert ran.code == 1
    assert f"There is no assistants endpoint at {url}/assistants: HTTP 404" in ran.said
    assert "trueup.yaml:3:20: error[no-endpoint]: the URL does not end in /v1" in ran.said
    assert f"If the API is there, write `base_url: {url}/v1`." in ran.said
    hosted.write("trueup.yaml", text.replace(url + "/v1", ran.said.split("write `base_url: ")[1].split("`")[0]))
    assert hosted.run("plan").code == 0, "what is printed works"


def test_the_json_has_the_place(hosted: Place) -> None:
    hosted.replace("trueup.yaml", "/v1", "")
    (found,) = hosted.run("plan", "--json").json["diagnostics"]
    assert (found["code"], found["path"]) == ("no-endpoint", ["targets", "prod", "base_url"])
    assert (found["position"]["file"], found["position"]["line"]) == ("trueup.yaml", 3)


def test_another_version_or_the_right_one_is_not_proposed(hosted: Place, faulty: Arm) -> None:
    faulty(Fault(Kind.ANSWER, method="GET", times=0, status=404, body={"detail": "Not Found"}))
    ran = hosted.run("plan")
    assert ran.code == 1
    assert "/v1/assistants: HTTP 404: Not Found" in ran.said
    assert "write `base_url" not in ran.said
    for url in ("https://host.example/v2", "https://host.example/api/v1/proxy"):
        assert adapter_for(Target("prod", "p", base_url=url)).access.proposal == ""
    access = adapter_for(Target("prod", "p", base_url="https://host.example/openai")).access
    assert access.proposal == "https://host.example/openai/v1"
    azure = Target("prod", "p", dialect="azure-openai", base_url="https://host.example")
    assert adapter_for(azure).access.proposal == ""
