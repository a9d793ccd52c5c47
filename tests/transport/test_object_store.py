"""One object, replaced only by who has seen the last one: in a folder, and by S3's conditional writes."""

import threading

import pytest

from mlvitals.errors import ConfigError, MissingExtraError, StateError
from mlvitals.state import Migrations, Store
from mlvitals.state.snapshot import SnapshotRacedError, pack
from mlvitals.transport import object_store
from mlvitals.transport.object_store import open_snapshots
from tests.s3 import BUCKET, SECRET, serving

TABLES = Migrations(owner="things", steps=(("CREATE TABLE thing (name TEXT)",),))
KEY = "team/card fraud/state"


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.setattr(object_store, "_FIRST_PAUSE", 0.01)
    with serving() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server
        assert server.faults == []


@pytest.fixture(params=["s3", "file"])
def url(request, tmp_path):
    if request.param == "file":
        return f"file://{tmp_path}/folder%20of%20states/state"
    request.getfixturevalue("s3")
    return f"s3://{BUCKET}/{KEY}"


@pytest.fixture
def snapshot(tmp_path):
    """Make snapshots of which no two are alike."""
    Store.open(tmp_path / "state.db", [TABLES]).close()

    def make(name):
        pack(tmp_path / "state.db", None, tmp_path / name)
        return tmp_path / name

    return make


def content(snapshots, tmp_path):
    snapshots.fetch(tmp_path / "fetched")
    return (tmp_path / "fetched").read_bytes()


def test_there_is_none_at_first_and_then_the_last_one(url, snapshot, tmp_path):
    snapshots = open_snapshots(url)
    assert snapshots.fetch(tmp_path / "fetched") is None
    version = snapshots.replace(snapshot("first"), None)
    assert snapshots.fetch(tmp_path / "fetched") == version
    later = snapshots.replace(snapshot("second"), version)
    assert later != version
    assert content(snapshots, tmp_path) == (tmp_path / "second").read_bytes()


def test_whoever_has_not_seen_the_last_one_is_refused(url, snapshot, tmp_path):
    one, other = open_snapshots(url), open_snapshots(url)
    first = one.replace(snapshot("first"), None)
    with pytest.raises(SnapshotRacedError, match="another process has replaced the state meanwhile"):
        other.replace(snapshot("lost"), None)
    one.replace(snapshot("second"), first)
    with pytest.raises(SnapshotRacedError):
        other.replace(snapshot("lost"), first)
    assert content(one, tmp_path) == (tmp_path / "second").read_bytes()


def test_of_many_who_race_one_wins(url, snapshot, tmp_path):
    first = open_snapshots(url).replace(snapshot("first"), None)
    files = [snapshot(str(number)) for number in range(6)]
    won, refused = [], []

    def race(file):
        try:
            open_snapshots(url).replace(file, first)
            won.append(file)
        except SnapshotRacedError:
            refused.append(file)

    threads = [threading.Thread(target=race, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(refused)) == (1, 5)
    assert content(open_snapshots(url), tmp_path) == won[0].read_bytes()


@pytest.mark.parametrize("wish", ["refuse 503", "refuse 500", "refuse 409", "refuse 429", "lose", "answer"])
@pytest.mark.parametrize("expects", [False, True])
def test_a_write_whose_answer_fails_is_done_once(s3, snapshot, tmp_path, wish, expects):
    snapshots = open_snapshots(f"s3://{BUCKET}/{KEY}")
    version = snapshots.replace(snapshot("before"), None) if expects else None
    writes = sum(method == "PUT" for method, _ in s3.log)
    s3.interfere = lambda method, count: wish if method == "PUT" and count == writes else ""
    version = snapshots.replace(snapshot("state"), version)
    assert snapshots.fetch(tmp_path / "fetched") == version
    assert (tmp_path / "fetched").read_bytes() == (tmp_path / "state").read_bytes()


@pytest.mark.parametrize("wish", ["lose", "answer", "refuse 503"])
def test_a_store_that_never_answers_is_given_up(s3, snapshot, wish):
    s3.interfere = lambda _method, _count: wish if wish != "answer" else "lose"
    with pytest.raises(StateError, match="it could not be written, or nobody knows whether it was"):
        open_snapshots(f"s3://{BUCKET}/{KEY}").replace(snapshot("state"), None)


def test_a_race_is_seen_though_the_answer_to_the_write_was_lost(s3, snapshot):
    one, other = (open_snapshots(f"s3://{BUCKET}/{KEY}") for _ in range(2))
    first = one.replace(snapshot("first"), None)

    def overtake(method, count):
        if method == "PUT" and count == 3:
            s3.interfere = lambda _method, _count: ""
            other.replace(snapshot("other"), first)
            return "lose"
        return ""

    s3.interfere = overtake
    with pytest.raises(SnapshotRacedError):
        one.replace(snapshot("second"), first)


@pytest.mark.parametrize("heeded", ["If-Match", "If-None-Match"])
def test_a_store_that_does_not_heed_both_conditions_is_refused(s3, snapshot, heeded):
    s3.heeds = frozenset({heeded})
    with pytest.raises(StateError, match="does not heed conditional writes"):
        open_snapshots(f"s3://{BUCKET}/{KEY}").replace(snapshot("state"), None)


def test_what_a_killed_write_left_in_a_folder_goes_with_the_next(tmp_path, snapshot):
    snapshots = open_snapshots(f"file://{tmp_path}/kept/state")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "state.partial-77").write_bytes(b"half")
    snapshots.replace(snapshot("first"), None)
    assert {file.name for file in (tmp_path / "kept").iterdir()} == {"state", "state.lock"}


def test_a_bucket_that_is_not_there_is_no_missing_state(s3, tmp_path):
    with pytest.raises(StateError, match="s3://elsewhere/state: HTTP 404 NoSuchBucket"):
        open_snapshots("s3://elsewhere/state").fetch(tmp_path / "fetched")
    assert s3.log == [("GET", 404)]


def test_a_refusal_is_told_without_what_the_server_says_beside_it(s3, tmp_path, snapshot, monkeypatch):
    s3.interfere = lambda _method, _count: "refuse 403"
    snapshots = open_snapshots(f"s3://{BUCKET}/{KEY}")
    for ask in (lambda: snapshots.fetch(tmp_path / "fetched"), lambda: snapshots.replace(snapshot("state"), None)):
        with pytest.raises(StateError, match=f"s3://{BUCKET}/{KEY}: HTTP 403 Scripted") as told:
            ask()
        assert SECRET not in repr(told.value)
        assert told.value.__cause__ is None
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(StateError, match="NoCredentialsError"):
        open_snapshots(f"s3://{BUCKET}/{KEY}").fetch(tmp_path / "fetched")


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("hunter2", ConfigError),
        ("[]", ConfigError),
        ('{"Version":1,"AccessKeyId":"a","SecretAccessKey":"hunter2","Expiration":"2020-01-01T00:00:00Z"}', StateError),
    ],
)
def test_credentials_that_are_old_or_none_are_told_by_kind(s3, tmp_path, monkeypatch, said, refused):
    for name in s3.environ.keys() & {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}:
        monkeypatch.delenv(name)
    (tmp_path / "said").write_text(said)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = cat {tmp_path / 'said'}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(refused, match=f"s3://{BUCKET}/state: ") as caught:
        open_snapshots(f"s3://{BUCKET}/state").fetch(tmp_path / "fetched")
    assert "hunter2" not in str(caught.value)


def test_nobody_listening_is_an_error_that_says_so(tmp_path, s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(StateError, match="EndpointConnectionError"):
        open_snapshots(f"s3://{BUCKET}/{KEY}").fetch(tmp_path / "fetched")
    assert open_snapshots(f"s3://{BUCKET}/{KEY}", s3.url).fetch(tmp_path / "fetched") is None


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket",
        "s3:///key",
        "file://host/path",
        "file:///",
        "gs://bucket/key",
        "state",
        "s3://a:b@c/d",
        "s3://b/k?x=y",
    ],
)
def test_what_names_no_place_is_refused(url):
    with pytest.raises(ConfigError, match=r"at `\$\.state\.url`"):
        open_snapshots(url)


def test_a_missing_client_is_one_line_that_names_the_extra(monkeypatch):
    import sys  # noqa: PLC0415

    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    with pytest.raises(MissingExtraError, match=r'pip install "mlvitals\[s3\]"'):
        open_snapshots("s3://bucket/key")
