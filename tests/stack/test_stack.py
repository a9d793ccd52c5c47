"""How servers are got, and how they are run, without getting any."""

import contextlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stack.__main__ import main
from tests.stack.java import find_java
from tests.stack.recipe import CannotHaveError, Server, run
from tests.stack.serve.process import free_ports, running, until
from tests.stack.versions import SERVERS


@dataclass(frozen=True)
class Written:
    """A recipe that writes a file, and then may fail."""

    text: str
    fails: Exception | None = None

    def make(self, folder, work):
        assert list(work.iterdir()) == []
        (folder / "program").write_text(self.text, "utf-8")
        if self.fails is not None:
            raise self.fails


@pytest.fixture(autouse=True)
def stack(tmp_path, monkeypatch):
    monkeypatch.setenv("MLVITALS_STACK", str(tmp_path / "stack"))
    return tmp_path / "stack"


def server(name, recipe, version="1.0"):
    return Server(name=name, version=version, recipe=recipe)


def test_a_server_that_cannot_be_had_says_why_and_stops_no_other(capsys):
    refused, other = server("refused", Written("", CannotHaveError("it is not served"))), server("other", Written("x"))
    main([refused, other])
    table = capsys.readouterr().out.split("\n\n")[1].splitlines()
    assert table[0].split(maxsplit=4) == ["refused", "1.0", "not", "had", "it is not served"]
    assert table[1].split()[:3] == ["other", "1.0", "had"]
    assert refused.why_not.read_text("utf-8") == "it is not served\n"
    assert (other.folder / "program").read_text("utf-8") == "x"


@pytest.mark.parametrize("fails", [CannotHaveError("no"), RuntimeError("killed")])
def test_what_broke_off_is_not_taken_for_whole(stack, fails):
    broken = server("broken", Written("half", fails))
    with contextlib.suppress(RuntimeError):
        main([broken])
    assert not broken.folder.exists()
    assert list(stack.rglob("program")) == []


def test_what_is_there_is_not_made_again_until_its_recipe_changes(capsys):
    main([server("one", Written("a"))])
    (server("one", Written("a")).folder / "program").write_text("kept", "utf-8")
    main([server("one", Written("a")), server("one", Written("b"))])
    assert (server("one", Written("a")).folder / "program").read_text("utf-8") == "kept"
    assert (server("one", Written("b")).folder / "program").read_text("utf-8") == "b"
    assert "since an earlier run" in capsys.readouterr().out


def test_a_cure_takes_back_the_reason():
    main([server("one", Written("a", CannotHaveError("not yet")))])
    cured = server("one", Written("a"))
    cured.why_not.write_text("not yet\n", "utf-8")
    main([cured])
    assert not cured.why_not.exists()


def test_a_command_that_fails_is_told_by_the_line_that_speaks_of_an_error(tmp_path):
    says = (
        "import sys; print('downloading an error'); print('working'); print('ERROR: gone'); print('bye'); sys.exit(1)"
    )
    with pytest.raises(CannotHaveError, match=r"^ERROR: gone$"):
        run([sys.executable, "-c", says], folder=tmp_path)


def test_a_java_that_is_too_old_is_named(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "javac").touch()
    (tmp_path / "release").write_text('JAVA_VERSION="99.0.1"\n', "utf-8")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert find_java(99) == tmp_path
    with pytest.raises(CannotHaveError, match=r"there is no Java 100 or newer .*\b99\b"):
        find_java(100)


def test_every_server_has_a_place_of_its_own():
    assert len({one.folder for one in SERVERS}) == len(SERVERS)


def test_a_server_that_ends_by_itself_is_told_with_its_last_words(tmp_path):
    says = "raise SystemExit('the port is taken')"
    with (
        pytest.raises(RuntimeError, match=r"(?s)ended with 1:.*the port is taken"),
        running([sys.executable, "-c", says], folder=tmp_path, ready=lambda: False),
    ):
        pass


def test_a_server_is_ended_with_its_block(tmp_path):
    says = "import os, time; open('pid', 'w').write(str(os.getpid())); open('up', 'w').close(); time.sleep(60)"
    with running([sys.executable, "-c", says], folder=tmp_path, ready=(tmp_path / "up").exists):
        pid = int((tmp_path / "pid").read_text("utf-8"))
        assert Path(f"/proc/{pid}").exists() or sys.platform != "linux"
    assert not Path(f"/proc/{pid}").exists()


def test_ports_are_free_and_each_another_one():
    assert len(set(free_ports(20))) == 20


def test_what_does_not_come_about_in_time_fails():
    started = time.monotonic()
    with pytest.raises(AssertionError, match="still not so: pigs fly"):
        until(lambda: False, within=0.2, what="pigs fly")
    assert time.monotonic() - started < 5
