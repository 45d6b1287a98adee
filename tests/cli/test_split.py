"""One project becomes two, as docs/moving-names.md walks through it: never a delete and a create in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.place import Place
from trueup.local.openai_assistants import Server

SALES = "model: gpt-4.1\nname: Sales\ninstructions: Sell.\nmetadata: {team: sales}\n"
CARE = "model: gpt-4.1\nname: Care\ninstructions: Help.\n"


def _project(root: Path, name: str, url: str, extra: str = "") -> None:
    text = (
        f"project: {name}\ntargets:\n  prod: {{base_url: {json.dumps(url)}, api_key: {{env: CANARY_KEY}}, settle: 0, "
        f"prune: true}}\n{extra}"
    )
    (root / "trueup.yaml").parent.mkdir(parents=True, exist_ok=True)
    (root / "trueup.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def both(place: Place, vendor: tuple[Server, str], monkeypatch: pytest.MonkeyPatch) -> tuple[Place, str]:
    """Return the project `shop` with two assistants applied, and an empty folder `care` beside it."""
    server, url = vendor
    monkeypatch.setenv("CANARY_KEY", "sk-canary-123456")
    place.server = server
    for left in (place.root / "assistants").rglob("*.yaml"):
        left.unlink()
    _project(place.root / "shop", "shop", url)
    place.write("shop/assistants/sales.yaml", SALES)
    place.write("shop/assistants/care.yaml", CARE)
    assert place.run("apply", "-C", "shop", "--yes").code == 0
    return place, url


def test_a_definition_moves_from_one_project_to_another(both: tuple[Place, str]) -> None:
    place, url = both
    before = place.live()
    _project(place.root / "care", "care", url)
    place.write("care/assistants/care.yaml", CARE)
    (place.root / "shop/assistants/care.yaml").unlink()
    _project(place.root / "shop", "shop", url, "released: [care]\n")

    plan = place.run("plan", "-C", "shop")
    assert "~ care  release:" in plan.out
    assert "Plan: 0 to create, 1 to modify, 0 to delete" in plan.out
    applied = place.run("apply", "-C", "shop", "--yes")
    assert (applied.code, "care was released" in applied.out) == (0, True)
    assert "trueup" not in place.live()["Care"]["metadata"]
    assert place.run("plan", "-C", "shop", "--detailed-exitcode").code == 0

    held = place.run("apply", "-C", "care", "--yes")
    assert (held.code, "trueup import care=" in held.out) == (3, True)
    assert place.run("import", "-C", "care", f"care={before['Care']['id']}").code == 0
    assert place.run("plan", "-C", "care", "--detailed-exitcode").code == 0
    assert place.run("apply", "-C", "care", "--yes", "--stamp").code == 0

    after = place.live()
    assert {name: entry["id"] for name, entry in after.items()} == {name: entry["id"] for name, entry in before.items()}
    for folder in ("shop", "care"):
        assert place.run("plan", "-C", folder, "--detailed-exitcode").code == 0
        assert place.run("drift", "-C", folder).code == 0


def test_whoever_begins_at_the_wrong_end_is_told(both: tuple[Place, str]) -> None:
    """The new project first: the create says who has such a one; the import refuses what is still another's."""
    place, url = both
    live_id = place.live()["Care"]["id"]
    _project(place.root / "care", "care", url)
    place.write("care/assistants/care.yaml", CARE)
    plan = place.run("plan", "-C", "care")
    told = " ".join(plan.out.split())
    assert "Another project manages a live assistant with the same name (shop/prod)." in told
    assert "`released` there and apply" in told
    refused = place.run("import", "-C", "care", f"care={live_id}")
    assert (refused.code, "has the stamp of care of shop/prod" in " ".join(refused.err.split())) == (4, True)


@pytest.mark.parametrize("number", [4, 40])
@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_fleet_that_another_project_manages_is_told_of_once(both: tuple[Place, str], form: str, number: int) -> None:
    """A stranger's find: sixty creates with five lines of the same advice each."""
    place, url = both
    for at in range(number):
        place.write(f"shop/assistants/a{at}.yaml", f"model: m\ninstructions: Say {at}.\n")
    assert place.run("apply", "-C", "shop", "--yes").code == 0
    _project(place.root / "care", "care", url)
    (place.root / "shop/assistants").rename(place.root / "care/assistants")
    ran = place.run("plan", "-C", "care", "--format", form)
    assert f"Plan: {number + 2} to create" in ran.out
    assert ran.said.count("Another project manages a live assistant with the same name") == 1


def test_what_is_released_has_no_file(both: tuple[Place, str]) -> None:
    place, url = both
    _project(place.root / "shop", "shop", url, "released:\n  - sales\n  - care\n")
    ran = place.run("plan", "-C", "shop")
    assert ran.code == 1
    assert "trueup.yaml:5:5: error[name-given-up]" in ran.err


def test_an_interrupted_release_is_finished_by_the_next_run(
    both: tuple[Place, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the server took the stamp off and before the journal says so."""
    place, url = both
    from trueup.engine import modifies

    (place.root / "shop/assistants/care.yaml").unlink()
    _project(place.root / "shop", "shop", url, "released: [care]\n")

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(modifies, "_conclude_release", killed)
        assert place.run("apply", "-C", "shop", "--yes").code == 130
    assert "trueup" not in place.live()["Care"]["metadata"]
    assert place.run("apply", "-C", "shop", "--yes").code == 0
    assert "care" not in place.run("state", "list", "-C", "shop").out
    assert place.run("plan", "-C", "shop", "--detailed-exitcode").code == 0
