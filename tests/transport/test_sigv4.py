"""Signatures against the examples that AWS publishes."""

import sys
from datetime import UTC, datetime

import pytest

from mlvitals.errors import MissingExtraError
from mlvitals.transport.http import TransportError
from mlvitals.transport.secret import Secret
from mlvitals.transport.sigv4 import signer

# From the Signature Version 4 test suite (get-vanilla, post-vanilla, get-vanilla-query-order-key-case) and from the
# General Reference's example of a request to IAM; all at 2015-08-30T12:36:00Z with the suite's credentials.
PUBLISHED = [
    (
        ("GET", "https://example.amazonaws.com/", "service"),
        {},
        "host;x-amz-date",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        ("POST", "https://example.amazonaws.com/", "service"),
        {},
        "host;x-amz-date",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        ("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", "service"),
        {},
        "host;x-amz-date",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        ("GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", "iam"),
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        "content-type;host;x-amz-date",
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    ),
]


@pytest.fixture
def credentials(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(
        "botocore.auth.get_current_datetime", lambda: datetime(2015, 8, 30, 12, 36, tzinfo=UTC), raising=True
    )
    return monkeypatch


@pytest.mark.parametrize(("request_line", "headers", "signed", "signature"), PUBLISHED)
@pytest.mark.usefixtures("credentials")
def test_a_published_request_has_its_published_signature(request_line, headers, signed, signature):
    method, url, service = request_line
    sent = signer("us-east-1", service, hashed=False)(method, url, b"", headers)
    authorization = sent["Authorization"]
    assert isinstance(authorization, Secret)
    assert authorization.read() == (
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{service}/aws4_request, "
        f"SignedHeaders={signed}, Signature={signature}"
    )
    assert "Signature" not in repr(sent)
    assert sent.keys() == {*headers, "X-Amz-Date", "Authorization"}


@pytest.mark.usefixtures("credentials")
def test_the_bodys_hash_is_sent_and_signed():
    sent = signer("eu-west-1", "aoss")("POST", "https://a.example/_bulk", b"abc", {})
    assert sent["X-Amz-Content-SHA256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    authorization = sent["Authorization"]
    assert isinstance(authorization, Secret)
    assert "SignedHeaders=host;x-amz-content-sha256;x-amz-date," in authorization.read()


def test_the_token_of_a_session_goes_with_the_request_unseen(credentials):
    credentials.setenv("AWS_SESSION_TOKEN", "a-token")
    sent = signer("eu-west-1", "es")("GET", "https://a.example/", b"", {})
    assert sent["X-Amz-Security-Token"] == Secret("a-token")
    assert "a-token" not in repr(sent)


def test_no_credentials_are_told_as_what_only_a_person_can_change(credentials):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        credentials.delenv(name)
    with pytest.raises(TransportError, match="none are found") as told:
        signer("eu-west-1", "es")("GET", "https://a.example/", b"", {})
    assert told.value.lasting


def test_credentials_that_cannot_be_had_are_told_by_kind_without_what_was_said(credentials, tmp_path):
    config = tmp_path / "config"
    config.write_text('[default]\ncredential_process = sh -c "echo hunter2 >&2; exit 1"\n', encoding="utf-8")
    credentials.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        credentials.delenv(name)
    with pytest.raises(TransportError) as told:
        signer("eu-west-1", "es")("GET", "https://a.example/", b"", {})
    assert told.value.reason == "AWS credentials: CredentialRetrievalError"
    assert not told.value.lasting


@pytest.mark.parametrize(
    "said",
    [
        "hunter2",
        "[]",
        '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"hunter2","Expiration":"2020-01-01T00:00:00Z"}',
        '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"hunter2","Expiration":"hunter2"}',
    ],
)
def test_a_credential_process_that_says_anything_else_is_waited_for(credentials, tmp_path, said):
    credentials.delenv("AWS_ACCESS_KEY_ID")
    credentials.delenv("AWS_SECRET_ACCESS_KEY")
    (tmp_path / "said").write_text(said)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = cat {tmp_path / 'said'}\n")
    credentials.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(TransportError) as caught:
        signer("eu-west-1", "es")("GET", "https://example.com/", b"", {})
    assert not caught.value.lasting
    assert "hunter2" not in str(caught.value)


def test_without_botocore_one_line_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    with pytest.raises(MissingExtraError, match=r'pip install "mlvitals\[opensearch\]"'):
        signer("eu-west-1", "es")
