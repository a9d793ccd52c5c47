"""A secret is read where it is needed and shown nowhere."""

import pytest

from mlvitals.errors import ConfigError
from mlvitals.transport.secret import Secret


def test_a_secret_is_told_only_to_who_reads_it(tmp_path):
    file = tmp_path / "key"
    file.write_text("hunter2\n")
    for secret in (Secret("hunter2"), Secret(file=file)):
        assert secret.read() == "hunter2"
        assert "hunter2" not in f"{secret} {secret!r}"


def test_a_file_that_was_exchanged_is_read_anew(tmp_path):
    file = tmp_path / "key"
    file.write_text("old")
    secret = Secret(file=file)
    assert secret.read() == "old"
    file.write_text("new\r\n")
    assert secret.read() == "new"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    file = tmp_path / "key"
    with pytest.raises(ConfigError, match="key: No such file"):
        Secret(file=file).read()
    file.write_bytes(b"\xffhunter2")
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        Secret(file=file).read()
    assert caught.value.__cause__ is None
