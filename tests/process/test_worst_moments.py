"""Each worst moment, brought about with the installed command: a clear message, the right code, and nothing lost."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.process.moments import holds, moments
from tests.process.project import KEY, Project, Vendor, ended, hosted, open_vendor, prod
from tests.protocols import current
from trueup.local.faults import Fault, Kind
from trueup.local.serve import running

pytestmark = pytest.mark.in_turn
OURS = "files and disks are ours, in every protocol"
NOT_SENT = "nothing gets as far as the protocol"

UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""What root runs a command with, to be refused as everybody is."""

Place = tuple[Project, Vendor]


def three(project: Project) -> None:
    for name in ("alpha", "beta", "gamma"):
        project.write(f"assistants/{name}.yaml", f"model: gpt-4.1\ninstructions: I am {name}.\n")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Three assistants, nothing applied yet; what the test wrote is searched for the key afterwards."""
    with hosted(tmp_path) as (project, vendor):
        three(project)
        yield project, vendor
        assert project.leaks() == []


@pytest.fixture
def applied(place: Place) -> Place:
    ran = place[0].run("apply", "--yes")
    assert ran.code == 0, ran
    return place


def calm(project: Project, vendor: Vendor, *, count: int = 3) -> None:
    """One apply without trouble leaves one assistant under each name, and a second has nothing to do."""
    ran = project.run("apply", "--yes")
    assert ran.code == 0, ran
    assert [len(found) for found in vendor.stamped().values()] == [1] * count
    writes = vendor.writes
    ran = project.run("plan", "--detailed-exitcode")
    assert ran.code == 0, ran
    assert vendor.writes == writes


def test_every_row_of_the_page_is_brought_about() -> None:
    texts = {
        node.value for node in ast.walk(ast.parse(Path(__file__).read_text("utf-8"))) if isinstance(node, ast.Constant)
    }
    assert [name for name in moments() if name not in texts] == []


@pytest.mark.parametrize(
    ("moment", "key"), [("no key", None), ("an empty key", " "), ("a wrong key", "sk-another-0123456789")]
)
@pytest.mark.alternates(NOT_SENT)
def test_keys(place: Place, moment: str, key: str | None) -> None:
    project, vendor = place
    ran = project.run("apply", "--yes", environment={"CANARY_KEY": key})
    holds(moment, ran)
    assert "sk-another" not in ran.out + ran.err
    assert vendor.live() == []
    assert not (project.root / ".trueup/prod.state.json").exists()


@pytest.mark.alternates(NOT_SENT)
def test_a_server_that_repeats_the_key(place: Place) -> None:
    project, vendor = place
    error = {
        "message": f"Incorrect API key provided: {KEY}.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    vendor.faults.add(Fault(Kind.ANSWER, times=0, status=401, body={"error": error}))
    for arguments in (["plan"], ["plan", "--json"], ["apply", "--yes", "-vv"]):
        holds("a wrong key that the server repeats", project.run(*arguments))


def test_a_key_of_another_account(tmp_path: Path) -> None:
    """Another account behind the same address, as another key would open it."""
    project = Project(tmp_path, {"CANARY_KEY": KEY})
    three(project)
    with open_vendor() as vendor, running(vendor) as url:
        project.write("trueup.yaml", prod(url))
        assert project.run("apply", "--yes").code == 0
    before = project.files()
    other = open_vendor()
    with other, running(other, port=int(url.split(":")[2].split("/")[0])):
        for arguments in (["apply", "--yes", "--on-drift", "revert"], ["plan"], ["drift"]):
            holds("a key of another account", project.run(*arguments, environment={"CANARY_KEY": "sk-other-account"}))
        assert other.live() == []
    assert project.files() == before


@contextmanager
def unvouched(folder: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Run a TLS server with a self-signed certificate; yield its address and what it got to read."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-days",
        "1",
        *files,
    ]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(connection, server_side=True) as tls:
                        got.append(tls.recv(4096))
                except OSError:
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}/v1", got
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.alternates(NOT_SENT)
def test_a_certificate_that_nobody_vouches_for(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    project = Project(tmp_path, {"CANARY_KEY": KEY})
    three(project)
    with unvouched(tmp_path_factory.mktemp("tls")) as (url, got):
        project.write("trueup.yaml", prod(url))
        holds("a TLS certificate that nobody vouches for", project.run("apply", "--yes", "--max-retries", "0"))
    assert got in ([], [b""])


@pytest.mark.alternates(NOT_SENT)
def test_what_the_environment_says_of_the_way_cannot_be_used(place: Place) -> None:
    project, vendor = place
    proxy = {"HTTP_PROXY": "socks5://name:PASSWORD@127.0.0.1:1080", "http_proxy": None, "NO_PROXY": "", "no_proxy": ""}
    ran = project.run("apply", "--yes", environment=proxy)
    if find_spec("socksio") is None:
        holds("a proxy in the environment that cannot be used", ran)
    assert "PASSWORD" not in ran.out + ran.err
    project.write("trueup.yaml", prod("https://127.0.0.1:9/v1"))
    certificates = {"SSL_CERT_FILE": "/no/such/ca.pem"}
    holds("a list of certificates that cannot be used", project.run("apply", "--yes", environment=certificates))
    assert vendor.live() == []


@pytest.mark.parametrize("moment", ["a name that DNS does not know", "nobody listens", "TLS to a server without it"])
@pytest.mark.alternates(NOT_SENT)
def test_nobody_is_reached(place: Place, moment: str) -> None:
    project, vendor = place
    here = json.loads((project.root / "trueup.yaml").read_text("utf-8"))["targets"]["prod"]["base_url"]
    urls = {
        "a name that DNS does not know": "https://no-such-host.invalid/v1",
        "nobody listens": "http://127.0.0.1:9/v1",
        "TLS to a server without it": here.replace("http:", "https:"),
    }
    project.write("trueup.yaml", prod(urls[moment]))
    holds(moment, project.run("apply", "--yes", "--max-retries", "0"))
    assert vendor.live() == []


@pytest.mark.parametrize(
    ("moment", "fault"),
    [
        ("a proxy's page in place of a listing", Fault(Kind.HTML, times=0, status=200)),
        ("a proxy's page with 502", Fault(Kind.HTML, times=0, status=502)),
        (
            "a redirect to a login",
            Fault(Kind.REDIRECT, times=0, headers={"location": "https://login.example.com/?t=1"}),
        ),
    ],
)
def test_a_proxy_in_between(place: Place, moment: str, fault: Fault) -> None:
    project, vendor = place
    vendor.faults.add(fault)
    holds(moment, project.run("apply", "--yes", "--max-retries", "0"))
    assert vendor.writes == 0


def test_a_proxys_page_in_answer_to_a_create(place: Place) -> None:
    project, vendor = place
    vendor.faults.add(Fault(Kind.HTML, method="POST", times=0, status=200))
    holds("a proxy's page in answer to a create", project.run("apply", "--yes", "--max-retries", "0"))
    vendor.faults.clear()
    calm(project, vendor)


def test_a_proxys_page_in_answer_to_a_create_that_was_done(place: Place) -> None:
    project, vendor = place
    vendor.faults.add(Fault(Kind.HTML, method="POST", times=0, status=200, commit=True))
    holds("a proxy's page in answer to a create that was done", project.run("apply", "--yes"))
    vendor.faults.clear()
    calm(project, vendor)


def of_another() -> dict[str, Any]:
    """Return what a server says of another assistant than the one that was asked for."""
    return current().absent(current().id_of("other"))


@pytest.mark.parametrize(
    ("moment", "fault"),
    [
        ("a proxy's page in answer to a modify", Fault(Kind.HTML, method="POST", times=0, status=200)),
        ("a proxy's page in answer to a delete", Fault(Kind.HTML, method="DELETE", times=0, status=200)),
        ("a key that may read and not write", Fault(Kind.ANSWER, method="POST", times=0, status=403)),
        ("a 429 that does not end", Fault(Kind.ANSWER, method="POST", times=0, status=429)),
        (
            "a 404 of another assistant in answer to a delete",
            Fault(Kind.ANSWER, method="DELETE", times=0, status=404, body=of_another),
        ),
    ],
)
def test_a_write_that_is_not_done_says_what_was_answered(applied: Place, moment: str, fault: Fault) -> None:
    project, vendor = applied
    path, before = project.root / "assistants/beta.yaml", project.records()
    if fault.method == "DELETE":
        path.unlink()
    else:
        project.write("assistants/beta.yaml", "model: gpt-4.1\ninstructions: I am new.\n")
    vendor.faults.add(replace(fault, body=of_another()) if fault.body is of_another else fault)
    holds(moment, project.run("apply", "--yes", "--prune", "--max-retries", "1"))
    assert len(vendor.live()) == 3
    assert project.records() == before
    vendor.faults.clear()
    ran = project.run("apply", "--yes", "--prune")
    assert ran.code == 0, ran
    assert len(vendor.live()) == (2 if fault.method == "DELETE" else 3)


def test_a_404_of_another_assistant_in_answer_to_a_read(applied: Place) -> None:
    """The listing leaves one out, and what is said of it speaks of another: it is not deleted."""
    project, vendor = applied
    beta = project.records()["beta"]
    listed = {"object": "list", "data": [entry for entry in vendor.live() if entry["id"] != beta], "has_more": False}
    empty = {"object": "list", "data": [], "has_more": False}
    for arguments in (["plan"], ["apply", "--yes", "--on-drift", "revert"]):
        vendor.faults.add(
            Fault(Kind.ANSWER, method="GET", path=current().path_of(beta), times=0, status=404, body=of_another()),
            Fault(Kind.ANSWER, method="GET", status=200, body=listed),
            Fault(Kind.ANSWER, method="GET", nth=2, status=200, body=empty),
        )
        holds("a 404 of another assistant in answer to a read", project.run(*arguments))
        vendor.faults.clear()
    calm(project, vendor)


def test_an_interrupt_while_a_retry_after_is_waited_out(place: Place) -> None:
    project, vendor = place
    vendor.faults.add(Fault(Kind.ANSWER, method="POST", times=0, status=429, headers={"retry-after": "50"}))
    process = project.start("apply", "--yes")
    while not vendor.writes and process.poll() is None:
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    holds("an interrupt while a Retry-After is waited out", ended(process))
    assert time.monotonic() - started < 10.0
    assert vendor.writes == 1
    vendor.faults.clear()
    calm(project, vendor)


def unprivileged() -> tuple[str, ...]:
    """Return what a command is run with so that permissions count."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and there is no setpriv to take that away")
    return UNPRIVILEGED


@pytest.mark.alternates(OURS)
def test_a_read_only_folder(place: Place) -> None:
    project, vendor = place
    project.root.chmod(0o555)
    try:
        holds("a read-only folder", project.run("apply", "--yes", prefix=unprivileged()))
        assert project.run("plan", prefix=unprivileged()).code == 0
    finally:
        project.root.chmod(0o755)
    assert vendor.live() == []


@pytest.mark.alternates(OURS)
def test_a_state_folder_that_became_read_only(applied: Place) -> None:
    project, vendor = applied
    folder = project.root / ".trueup"
    project.write("assistants/beta.yaml", "model: gpt-4.1\ninstructions: New.\n")
    (folder / "prod.lock").chmod(0o444)
    folder.chmod(0o555)
    try:
        holds("a state folder that became read-only", project.run("apply", "--yes", prefix=unprivileged()))
        (folder / "prod.lock").chmod(0o644)
        assert "1 to modify" in project.run("plan", prefix=unprivileged()).out
        holds("a state file that cannot be replaced", project.run("apply", "--yes", prefix=unprivileged()))
    finally:
        folder.chmod(0o755)
    assert vendor.stamped()["beta"][0]["instructions"] == "New."
    calm(project, vendor)


@contextmanager
def tiny_disk(folder: Path) -> Iterator[Callable[[], None]]:
    """Mount a disk of its own with the folder's files; yield a function that fills it up."""
    keep = folder.with_name("kept")
    folder.rename(keep)
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
        folder.rmdir()
        keep.rename(folder)
        pytest.skip("a full disk takes a file system of its own, and this user may not mount one")
    try:
        shutil.copytree(keep, folder, dirs_exist_ok=True)

        def fill() -> None:
            (folder / "ballast").write_bytes(b"x" * os.statvfs(folder).f_bavail * os.statvfs(folder).f_bsize)

        yield fill
        shutil.copytree(folder, keep, dirs_exist_ok=True)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()
        keep.rename(folder)


@pytest.mark.alternates(OURS)
def test_a_full_disk(applied: Place) -> None:
    project, vendor = applied
    project.write("assistants/delta.yaml", "model: gpt-4.1\n")
    with tiny_disk(project.root / ".trueup") as fill:
        fill()
        holds("a full disk", project.run("apply", "--yes"))
        assert "delta" not in vendor.stamped()
        assert project.run("state", "list").code == 0
    (project.root / "out").mkdir()
    with tiny_disk(project.root / "out") as fill:
        fill()
        holds("a plan file on a full disk", project.run("plan", "--out", "out/saved.plan"))
    calm(project, vendor, count=4)


@pytest.mark.alternates(OURS)
def test_a_plan_file_on_a_full_disk(place: Place) -> None:
    project, _ = place
    (project.root / "plans").mkdir()
    with tiny_disk(project.root / "plans") as fill:
        fill()
        holds("a plan file on a full disk", project.run("plan", "--out", "plans/saved.plan"))
    assert list((project.root / "plans").iterdir()) == [project.root / "plans/ballast"]


def test_two_applies_at_once(place: Place) -> None:
    project, vendor = place
    vendor.faults.add(Fault(Kind.PASS, method="POST", delay=4.0))
    first = project.start("apply", "--yes")
    vendor.wait_for(2, 20.0)
    holds("two applies at once", project.run("apply", "--yes"))
    assert project.run("plan").code == 0
    assert ended(first).code == 0
    calm(project, vendor)


def test_two_targets_and_two_projects_in_one_account(applied: Place, tmp_path_factory: pytest.TempPathFactory) -> None:
    project, vendor = applied
    settings = json.loads((project.root / "trueup.yaml").read_text("utf-8"))
    both = {"prod": settings["targets"]["prod"], "stage": settings["targets"]["prod"]}
    project.write("trueup.yaml", json.dumps({**settings, "targets": both, "default_target": "prod"}))
    assert project.run("apply", "--yes", "-t", "stage").code == 0
    holds("two targets in one account", project.run("plan", "--detailed-exitcode"))
    other = Project(tmp_path_factory.mktemp("other"), project.environment)
    three(other)
    other.write("trueup.yaml", json.dumps({**settings, "project": "other"}))
    holds("two projects in one account", other.run("apply", "--yes"))
    assert len(vendor.live()) == 9
    assert "3 unchanged" in project.run("plan", "--detailed-exitcode").out


def test_a_target_with_a_new_name(applied: Place) -> None:
    project, vendor = applied
    settings = json.loads((project.root / "trueup.yaml").read_text("utf-8"))
    project.write("trueup.yaml", json.dumps({**settings, "targets": {"live": settings["targets"]["prod"]}}))
    holds("a target with a new name", project.run("apply", "--yes"))
    assert len(vendor.live()) == 3


def test_a_copied_assistant_that_carries_the_same_stamp(applied: Place) -> None:
    project, vendor = applied
    original = vendor.stamped()["alpha"][0]
    copied = {key: original[key] for key in ("model", "name", "instructions", "metadata")}
    copy = vendor.ask("POST", current().path, copied)
    project.write("assistants/alpha.yaml", "model: gpt-4.1\ninstructions: Edited.\n")
    holds("a copied assistant with the same stamp", project.run("apply", "--yes"))
    assert vendor.ask("GET", current().path_of(original["id"]))["instructions"] == "Edited."
    assert vendor.ask("GET", current().path_of(copy["id"])) == copy
    (project.root / ".trueup/prod.state.json").unlink()
    before = vendor.live()
    holds("a copy, and state is lost", project.run("apply", "--yes"))
    assert vendor.live() == before
    assert project.run("delete-duplicate", f"alpha={copy['id']}", "--yes").code == 4, "neither is recorded"
    assert project.run("import", f"alpha={original['id']}").code == 0
    recorded = project.run("delete-duplicate", f"alpha={original['id']}", "--yes")
    holds("a duplicate is named that is the recorded one", recorded)
    vendor.faults.add(Fault(Kind.DROP, method="DELETE", times=0))
    vendor.faults.add(Fault(Kind.DROP, method="GET", path=current().path_of(copy["id"]), nth=2, times=0))
    lost = project.run("delete-duplicate", f"alpha={copy['id']}", "--yes", "--max-retries", "0")
    holds("a delete of a duplicate whose answer is lost", lost)
    vendor.faults.clear()
    assert len(vendor.stamped()["alpha"]) == 2
    assert len([*(project.root / ".trueup/backup").iterdir()]) == 1
    assert project.run("delete-duplicate", f"alpha={copy['id']}", "--yes").code == 0
    calm(project, vendor)


def test_a_definition_deleted_between_plan_and_apply(place: Place) -> None:
    project, vendor = place
    assert project.run("plan", "--out", "saved.plan").code == 0
    (project.root / "assistants/beta.yaml").unlink()
    holds("a definition deleted between plan and apply", project.run("apply", "saved.plan"))
    assert vendor.stamped().keys() == {"alpha", "gamma"}
    calm(project, vendor, count=2)


def one_key_wrong(text: str) -> str:
    return text.replace('"protect": false', '"protetc": false', 1)


def one_id_twice(text: str) -> str:
    records = json.loads(text)["records"]
    return text.replace(records["alpha"]["id"], records["beta"]["id"])


def with_markers(text: str) -> str:
    start, middle, end = text.partition('    "beta": {')
    return f"{start}<<<<<<< HEAD\n{middle}{end}=======\n>>>>>>> other\n"


@pytest.mark.parametrize(
    ("moment", "damage"),
    [
        ("a state edited by hand: a key is wrong", one_key_wrong),
        ("a state edited by hand: one id twice", one_id_twice),
        ("a truncated state", lambda text: text[: len(text) // 2]),
        ("an empty state file", lambda _: ""),
        ("a state with conflict markers", with_markers),
    ],
)
@pytest.mark.alternates(OURS)
def test_a_damaged_state(applied: Place, moment: str, damage: Callable[[str], str]) -> None:
    project, vendor = applied
    state = project.root / ".trueup/prod.state.json"
    damaged = damage(state.read_text("utf-8"))
    assert damaged != state.read_text("utf-8")
    state.write_text(damaged, "utf-8")
    holds(moment, project.run("apply", "--yes"))
    assert vendor.writes == 3
    assert state.read_text("utf-8") == damaged
    assert project.run("state", "rebuild").code == 0
    assert (project.root / ".trueup/prod.state.json.damaged-1").read_text("utf-8") == damaged
    calm(project, vendor)


def test_an_id_that_is_nobodys(applied: Place) -> None:
    project, vendor = applied
    state = project.root / ".trueup/prod.state.json"
    ids = project.records()
    state.write_text(state.read_text("utf-8").replace(ids["alpha"], "asst_nobody"), "utf-8")
    holds("a state edited by hand: an id that is nobody's", project.run("apply", "--yes"))
    assert project.records() == ids
    calm(project, vendor)


@pytest.mark.alternates(OURS)
def test_a_state_of_a_newer_version(applied: Place) -> None:
    project, _ = applied
    state = project.root / ".trueup/prod.state.json"
    newer = state.read_text("utf-8").replace('"format_version": 1', '"format_version": 9')
    state.write_text(newer, "utf-8")
    for arguments in (["apply", "--yes"], ["state", "rebuild"]):
        holds("a state of a newer version", project.run(*arguments))
        assert state.read_text("utf-8") == newer


def test_a_state_older_than_live_and_none(applied: Place) -> None:
    project, vendor = applied
    state = project.root / ".trueup/prod.state.json"
    older = state.read_bytes()
    project.write("assistants/beta.yaml", "model: gpt-4.1\ninstructions: By the other checkout.\n")
    assert project.run("apply", "--yes").code == 0
    state.write_bytes(older)
    project.write("assistants/beta.yaml", "model: gpt-4.1\ninstructions: By this one.\n")
    holds("a state older than live", project.run("apply", "--yes"))
    assert vendor.stamped()["beta"][0]["instructions"] == "By the other checkout."
    ids = {name: found[0]["id"] for name, found in vendor.stamped().items()}
    project.write("assistants/beta.yaml", "model: gpt-4.1\ninstructions: By the other checkout.\n")
    state.unlink()
    holds("a deleted state file", project.run("apply", "--yes"))
    assert project.records() == ids
    calm(project, vendor)


@pytest.mark.alternates(OURS)
def test_a_damaged_journal(applied: Place) -> None:
    project, vendor = applied
    journal = project.root / ".trueup/prod.journal"
    journal.write_text('{"half": \n{}\n', "utf-8")
    holds("a damaged journal", project.run("apply", "--yes"))
    assert project.run("state", "rebuild").code == 0
    assert (project.root / ".trueup/prod.journal.damaged-1").exists()
    calm(project, vendor)


def test_a_plan_file_edited_by_hand(place: Place) -> None:
    project, vendor = place
    assert project.run("plan", "--out", "saved.plan").code == 0
    plan = project.root / "saved.plan"
    whole = plan.read_text("utf-8")
    plan.write_text(whole.replace("I am alpha.", "I am evil."), "utf-8")
    holds("a plan file edited by hand", project.run("apply", "saved.plan"))
    plan.write_text(whole[: len(whole) // 2], "utf-8")
    holds("a plan file cut in half", project.run("apply", "saved.plan"))
    assert vendor.writes == 0
    plan.write_text(whole, "utf-8")
    assert project.run("apply", "saved.plan").code == 0
    writes = vendor.writes
    holds("a plan file applied twice", project.run("apply", "saved.plan"))
    assert vendor.writes == writes


@pytest.mark.alternates(OURS)
def test_names_of_all_the_world(tmp_path: Path) -> None:
    names = ("Ärzte für Köln", "team one/日本語 アシスタント", "العربية")
    with hosted(tmp_path) as (project, vendor):
        for name in names:
            project.write(f"assistants/{name}.yaml", "model: gpt-4.1\n")
        holds("names with spaces and letters of all the world", project.run("apply", "--yes"))
        assert vendor.stamped().keys() == set(names)
        assert project.records().keys() == set(names)
        assert "1 unchanged" in project.run("plan", names[1]).out
        calm(project, vendor)


@pytest.mark.parametrize(
    ("moment", "first", "second"),
    [
        ("two files that give one name", "alpha.yaml", "alpha.md"),
        ("names that differ in capitals only", "Beta.yaml", "beta.yaml"),
        ("names that differ in how an accent is stored", "é.yaml", unicodedata.normalize("NFD", "é.yaml")),
    ],
)
@pytest.mark.alternates(OURS)
def test_names_that_clash(tmp_path: Path, moment: str, first: str, second: str) -> None:
    with hosted(tmp_path) as (project, vendor):
        for file in (first, second):
            project.write(
                f"assistants/{file}", "---\nmodel: gpt-4.1\n---\n" if file.endswith("md") else "model: gpt-4.1\n"
            )
        if len(list((project.root / "assistants").iterdir())) < 2:
            pytest.skip("this file system takes the two names for one")
        holds(moment, project.run("apply", "--yes"))
        assert vendor.live() == []


@pytest.mark.alternates(OURS)
def test_a_file_name_that_is_not_utf_8(place: Place) -> None:
    project, vendor = place
    try:
        Path(os.fsdecode(os.fsencode(project.root) + b"/assistants/caf\xe9.yaml")).write_text("model: gpt-4.1\n")
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    holds("a file name that is not UTF-8", project.run("apply", "--yes"))
    assert vendor.live() == []
