"""The lock that tells who collects from a meter: held, seen, freed, and safe in a shared temporary folder."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from koatsu.app.holding import Holder, MeterHeldError, check_free, hold, hold_store, holder_of
from koatsu.errors import UsageError
from koatsu.node import Peer

METER, OTHER = Peer("127.0.0.2"), Peer("fe80::1", zone="eth0")
PAGE = "http://127.0.0.1:8028/"
ELSEWHERE = f"""
import sys
from koatsu.app.holding import hold
from koatsu.node import Peer
with hold([Peer("127.0.0.2")], page="{PAGE}"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime directory of this test's own."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    return runtime


def test_a_held_meter_is_seen_and_a_free_one_is_free() -> None:
    check_free(METER)
    with hold([METER, OTHER, METER], page=PAGE):
        assert holder_of(METER) == holder_of(OTHER) == Holder(process=str(os.getpid()), page=PAGE)
        assert holder_of(Peer("127.0.0.3")) is None
        with pytest.raises(MeterHeldError) as caught:
            check_free(OTHER)
        for text in (caught.value.text("en"), caught.value.text("ja")):
            assert "fe80::1%eth0" in text
            assert str(os.getpid()) in text
            assert PAGE in text
        assert caught.value.exit_status == 3
    check_free(METER)


def test_a_second_holder_is_refused_and_leaves_the_others_free() -> None:
    with hold([METER], page=PAGE):
        with pytest.raises(MeterHeldError, match=r"^127\.0\.0\.2 is held"), hold([OTHER, METER], page="x"):
            pytest.fail("held twice")
        check_free(OTHER)
        assert holder_of(METER) == Holder(process=str(os.getpid()), page=PAGE)


def test_a_look_does_not_keep_anybody_from_holding() -> None:
    with hold([METER], page=PAGE):
        pass
    for _ in range(20):
        assert holder_of(METER) is None
        with hold([METER], page=PAGE):
            assert holder_of(METER) is not None


def test_a_crash_frees_the_meter() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert holder_of(METER) == Holder(process=str(holder.pid), page=PAGE)
        holder.send_signal(signal.SIGKILL)
        holder.wait(30)
        check_free(METER)


def test_the_lock_is_for_this_user_alone(folder: Path) -> None:
    with hold([METER], page=PAGE):
        [path] = folder.iterdir()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.name.endswith("-127.0.0.2.lock")


def test_without_a_runtime_directory_a_folder_of_the_user_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(shared))
    monkeypatch.setattr("koatsu.app.holding.RUNTIME", str(tmp_path / "none-{user}"))
    with hold([METER], page=PAGE):
        [made] = shared.iterdir()
        assert made.name == f"koatsu-{os.geteuid()}"
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
        assert len(list(made.iterdir())) == 1
        assert holder_of(METER) is not None


def test_a_login_sees_what_a_service_without_the_variable_holds(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = tmp_path / "usual"
    usual.mkdir(mode=0o700)
    monkeypatch.setattr("koatsu.app.holding.RUNTIME", str(usual))
    with monkeypatch.context() as service:
        service.delenv("XDG_RUNTIME_DIR")
        held = hold([METER], page=PAGE)
        held.__enter__()
    assert list(usual.iterdir())
    assert not list(folder.iterdir())
    assert holder_of(METER) is not None
    held.__exit__(None, None, None)
    assert holder_of(METER) is None


@pytest.mark.parametrize("kind", ["link", "open", "file"])
def test_a_folder_that_others_could_have_made_is_not_used(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, trap = tmp_path / "tmp", tmp_path / "trap"
    shared.mkdir()
    trap.mkdir()
    own = shared / f"koatsu-{os.geteuid()}"
    if kind == "link":
        own.symlink_to(trap)
    elif kind == "open":
        own.mkdir()
        own.chmod(0o777)
    else:
        own.write_text("")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(shared))
    monkeypatch.setattr("koatsu.app.holding.RUNTIME", str(tmp_path / "none"))
    with hold([METER], page=PAGE):
        assert not list(trap.iterdir())
        assert not own.is_dir() or kind == "link" or not list(own.iterdir())


def test_a_link_in_the_place_of_the_lock_is_not_followed(folder: Path, tmp_path: Path) -> None:
    with hold([METER], page=PAGE):
        [path] = folder.iterdir()
    path.unlink()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path.symlink_to(victim)
    with hold([METER], page=PAGE):
        pass
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("there", [True, False], ids=["a store", "no store yet"])
def test_a_store_under_another_name_is_the_same_store(tmp_path: Path, there: bool) -> None:
    """A link to the file, or to its folder."""
    real = tmp_path / "real"
    real.mkdir()
    store, folder, link = real / "koatsu.db", tmp_path / "folder", tmp_path / "link.db"
    if there:
        store.touch()
    folder.symlink_to(real)
    link.symlink_to(store)
    for first, second in ((store, link), (link, store), (folder / "koatsu.db", link)):
        with hold_store(str(first)), pytest.raises(UsageError, match="is in use"), hold_store(str(second)):
            pytest.fail("two collect into one store")
    assert [path.name for path in tmp_path.rglob("*.lock")] == ["koatsu.db.lock"]
