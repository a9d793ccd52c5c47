"""`mlvitals run` while others ask it: health, scrapes, and totals over kills and restarts."""

import http.client
import json
import re
import signal
import time
from contextlib import closing
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as read_text

SECONDS = 30.0


def wait_for(condition, what):
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def told(tmp_path: Path, number: int, *names: str) -> dict[str, str]:
    """Return where a job says that it listens, by who asks; nothing until it has said so of all these."""
    text = (tmp_path / f"stderr-{number}").read_text()
    found = dict(re.findall(r"^(\w+).*? at http://([\d.]+:\d+)/", text, re.MULTILINE))
    return found if found.keys() >= set(names) else {}


def ask(address, path):
    with closing(http.client.HTTPConnection(address, timeout=5)) as connection:
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""


def samples(address):
    status, text = ask(address, "/metrics")
    if status != 200:
        return {}
    return {
        (one.name, *(value for key, value in sorted(one.labels.items()) if key != "mlvitals_environment")): one.value
        for family in read_text(text)
        for one in family.samples
    }


def test_a_job_answers_who_asks_and_its_totals_outlive_kills(world, start, tmp_path):
    world.configure(
        sinks=[{"type": "local"}, {"type": "prometheus", "listen": "127.0.0.1:0"}],
        health={"listen": "127.0.0.1:0"},
        telemetry={"interval": "1s"},
    )
    accepted = ("mlvitals_pipeline_events_total", "accepted")
    heartbeat = ("mlvitals_pipeline_heartbeat_total",)
    count = ("mlvitals_prediction_count", "m", "1")
    beats = 0.0
    for number in range(4):
        job = start("run", "-c", world.config)
        where = wait_for(lambda number=number: told(tmp_path, number, "sink", "health"), "it says where it listens")
        wait_for(lambda where=where: ask(where["health"], "/readyz")[0] == 200, "it has begun")
        shown = wait_for(
            lambda where=where, beats=beats: (
                (all_of := samples(where["sink"])).get(accepted) == 1200
                and count in all_of
                and all_of[heartbeat] > beats
                and all_of
            ),
            "what it read and measured is shown, and that it goes on from the totals of before",
        )
        live = samples(where["health"])
        assert live[accepted] == 1200
        assert live[heartbeat] >= shown[heartbeat]
        assert json.loads(ask(where["health"], "/healthz")[1])["status"] == "ok"
        beats = live[heartbeat]
        if number < 3:
            job.kill()
            job.wait()
    job.send_signal(signal.SIGTERM)
    assert job.wait(SECONDS) == 0
    assert ask(where["health"], "/livez") == ask(where["sink"], "/metrics") == (0, "")


def test_a_destination_that_holds_its_queue_turns_health_to_503(world, start, tmp_path, receiver):
    receiver.html = True
    world.configure(
        sinks=[{"type": "local"}, {"type": "otlp", "endpoint": receiver.url}], health={"listen": "127.0.0.1:0"}
    )
    job = start("run", "-c", world.config)
    where = wait_for(lambda: told(tmp_path, 0), "it says where it listens")
    wait_for(lambda: ask(where["health"], "/healthz")[0] == 503, "it is told")
    answer = json.loads(ask(where["health"], "/healthz")[1])
    assert [name for name, check in answer["checks"].items() if not check["ok"]] == ["destinations"]
    assert "otlp: held until a person acts" in answer["checks"]["destinations"]["problems"][0]
    assert ask(where["health"], "/livez")[0] == 200
    held = {one[1]: value for one, value in samples(where["health"]).items() if one[0].endswith("outbox_status")}
    assert held["otlp"] == 2
    receiver.html = False
    job.send_signal(signal.SIGHUP)
    said = wait_for(
        lambda: (text := (tmp_path / "stderr-0").read_text()).endswith("takes what is sent again\n") and text,
        "it says that the destination is well",
    )
    lines = [line for line in said.splitlines() if line.startswith("sink otlp: ")]
    assert lines[0].endswith("is this the address of an OTLP receiver? (held until it is mended, tried now and then)")
    assert lines[-1] == "sink otlp: takes what is sent again"


def test_check_reaches_a_scrape_endpoint_without_taking_its_address(world, start, tmp_path, mlvitals):
    world.configure(sinks=[{"type": "prometheus", "listen": "127.0.0.1:0"}])
    start("run", "-c", world.config)
    address = wait_for(lambda: told(tmp_path, 0), "it says where it listens")["sink"]
    beside = world.folder / "beside.yaml"
    document = json.loads(world.config.read_text())
    beside.write_text(json.dumps({**document, "sinks": [{"type": "prometheus", "listen": address}]}))
    answer = mlvitals("check", "-c", beside)
    assert f"sink prometheus: {address}: served by a job that runs" in answer.out + answer.err
    assert ask(address, "/metrics")[0] == 200
