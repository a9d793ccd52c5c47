"""Law 3: whatever servers, disks and clocks do and however often it is killed, a run loses and doubles nothing."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlvitals.clock import HOUR
from mlvitals.delivery import Fate
from tests.soak.accounts import State, compare, one_body_for_the_same_items, totals_never_fall
from tests.soak.receivers import NAMES, World, world
from tests.soak.story import MICROSECOND, SECRETS, Story, WorldClock, environment, write_events


@contextmanager
def undisturbed(folder: Path, stages: int) -> Iterator[tuple[World, State, list[dict[str, int]]]]:
    """Run every stage in one process over servers that take everything; yield what was enqueued after each, too."""
    clock = WorldClock()
    with world({name: random.Random(0) for name in NAMES}, SECRETS, clock) as reference:
        story = Story(folder, stages, reference, clock, "whole")
        runs = [(story.words(stage, "60s"), [(0, story.ahead(stage))]) for stage in range(1, stages + 1)]
        run = story.start({"runs": runs})
        assert run.stdin is not None
        assert run.stdout is not None
        enqueued = []
        for _, jumps in [*runs[1:], runs[-1]]:
            code, items = json.loads(run.stdout.readline())
            assert code == 0, (story.end(run), story.told)
            enqueued.append(items)
            clock.jumps = jumps
            run.stdin.write(b"\n")
            run.stdin.flush()
        story.end(run)
        state = State.read(story.state)
        state.balance()
        for name, totals in state.totals.items():
            assert totals[Fate.ENQUEUED] == totals[Fate.DELIVERED] > 0, f"{name}: {totals}"
        yield reference, state, enqueued


@dataclass
class Disturbance:
    """Kills a job again and again, its servers playing by their scripts, its disk full, its clock jumping."""

    story: Story
    enqueued: list[dict[str, int]]
    draw: random.Random
    stage: int = 1
    kills: int = 0
    patience: int = 0

    def go_on(self, kills: int) -> None:
        """Run and kill until enough kills have hit a run; a stage follows the other once all of it is enqueued."""
        stages = len(self.enqueued)
        while self.kills < kills:
            if (
                self.is_enqueued()
                and self.stage < stages
                and (self.patience > 1 or self.kills * stages >= self.stage * kills)
            ):
                self.stage += 1
            self.patience = 0 if self.run_and_kill() else self.patience + 1
            assert self.patience < 20, "nothing is left to disturb"

    def is_enqueued(self) -> bool:
        return self.story.state.exists() and totals(self.story.state) == self.enqueued[self.stage - 1]

    def run_and_kill(self) -> bool:
        """Start a run and kill it at a random moment; return whether it was still running."""
        story, draw = self.story, self.draw
        plan, away = self.disturb()
        script = story.world.scripts["datadog"]
        script.away = away
        before = story.world.requests
        run = story.start(plan)
        if draw.random() < 0.85:
            while run.poll() is None and story.world.requests == before:
                time.sleep(0.005)
        end = time.monotonic() + draw.uniform(0, 1.0)
        while run.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)
        story.end(run)
        hit = run.returncode == -signal.SIGKILL
        self.kills += hit
        story.done["kills"] += hit
        return hit

    def disturb(self) -> tuple[dict[str, Any], bool]:
        """Return a plan for a run, and whether Datadog takes nothing meanwhile."""
        story, draw = self.story, self.draw
        plan: dict[str, Any] = {}
        ahead = story.ahead(self.stage)
        hours = draw.choice([-5, -2, -1, 1, 2, 4]) * HOUR * MICROSECOND + draw.randrange(10**9)
        jumps, away = [(0, ahead)], draw.random() < 0.1
        kind = draw.random()
        if kind < 0.25:
            jumps, story.done["clock jumps"] = [(0, ahead + hours)], story.done["clock jumps"] + 1
        elif kind < 0.4:
            # The clock is set within the run: what is on its way meanwhile would tell a time that nobody has.
            moment = time.monotonic_ns() + draw.randrange(10**9, 2 * 10**9)
            jumps, away = [(0, ahead), (moment, ahead + hours)], True
            story.done["clock jumps"] += 1
        if draw.random() < 0.15 and story.state.exists():
            story.done["full disks"] += 1
            if draw.random() < 0.5:
                plan["pages"] = draw.randrange(30)
            else:
                log = story.state.with_name("state.db-wal")
                sizes = [file.stat().st_size for file in (story.state, log) if file.exists()]
                plan["bytes"] = max(sizes) + draw.randrange(200_000)
        plan["runs"] = [(story.words(self.stage, "3s"), jumps)]
        return plan, away


def totals(state: Path) -> dict[str, int]:
    return {name: counts[Fate.ENQUEUED] for name, counts in State.read(state).totals.items()}


def settle(story: Story, stage: int) -> None:
    """Run to the end over servers that have healed, until nothing waits."""
    story.world.heal()
    for step in range(stage, story.stages):
        story.end(story.start({"runs": [(story.words(step, "1s"), [(0, story.ahead(step))])]}))
    for _ in range(10):
        story.end(story.start({"runs": [(story.words(story.stages, "20s"), story.late())]}))
        if not State.read(story.state).requests:
            return
    raise AssertionError(f"{dict(State.read(story.state).requests)} requests wait for ever: {story.told[-1]}")


def tell_of_itself(story: Story, kills: int, draw: random.Random) -> State:
    """Run over what has no news, so that the job tells of itself only, and kill it; then let it tell all."""
    story.world.heal(healed=False)
    words = ["run", "-c", str(story.configure()), "--once", "--patience", "1s"]
    for _ in range(kills):
        before = story.world.requests
        run = story.start({"runs": [(words, story.late())]})
        while run.poll() is None and story.world.requests == before:
            time.sleep(0.005)
        time.sleep(draw.uniform(0, 0.5))
        run.send_signal(signal.SIGKILL)
        story.end(run)
        story.done["kills"] += run.returncode == -signal.SIGKILL
    story.world.heal()
    for _ in range(2):
        story.end(story.start({"runs": [(words, story.late())]}))
    state = State.read(story.state)
    state.balance()
    for name, book in story.world.books.items():
        one_body_for_the_same_items(name, book)
        assert totals_never_fall(name, book) or name not in {"otlp", "grpc"}
    return state


def retry_dead(story: Story) -> None:
    words = [sys.executable, "-m", "mlvitals", "outbox", "retry", "--dead", "-c", str(story.configure())]
    subprocess.run(words, check=True, capture_output=True, timeout=60, env=environment())


def no_secret(story: Story, enqueued_bodies: Sequence[bytes]) -> None:
    """Require that no secret is in what was said, in the state or in what was sent."""
    files = [path.read_bytes() for path in story.state.parent.iterdir()]
    texts = [*files, *(text.encode() for text in story.told), *enqueued_bodies]
    for secret in SECRETS.values():
        assert not any(secret.encode() in text for text in texts)


def soak(folder: Path, kills: int, stages: int, seed: int) -> None:
    write_events(folder, stages)
    began = time.monotonic()
    clock = WorldClock()
    draws = {name: random.Random(f"{seed} {name}") for name in NAMES}
    with undisturbed(folder, stages) as (reference, whole, enqueued), world(draws, SECRETS, clock) as disturbed:
        story = Story(folder, stages, disturbed, clock, "killed")
        disturbed.heal(healed=False)
        disturbance = Disturbance(story, enqueued, random.Random(seed))
        disturbance.go_on(kills)
        settle(story, disturbance.stage)
        state = State.read(story.state)
        assert {name: counts[Fate.ENQUEUED] for name, counts in state.totals.items()} == enqueued[-1]
        compare(disturbed, state, reference, whole)
        retry_dead(story)
        settle(story, stages)
        state = State.read(story.state)
        compare(disturbed, state, reference, whole)
        assert not state.letters["opensearch"]
        state = tell_of_itself(story, max(kills // 20, 2), random.Random(seed))
        bodies = [body for book in disturbed.books.values() for found in book.bodies.values() for body in found]
        no_secret(story, bodies)
    report(story, state, time.monotonic() - began)


def report(story: Story, state: State, seconds: float) -> None:
    """Print the figures in a line."""
    world = story.world
    kinds = sum((script.counts for script in world.scripts.values()), Counter())
    fates: Counter[str] = Counter()
    for counts in state.totals.values():
        fates += counts
    told = {
        **story.done,
        "requests": world.requests,
        "answers": dict(kinds.most_common()),
        "resends": sum(book.resends for book in world.books.values()),
        "items": {fate.value: fates[fate] for fate in Fate},
        "seconds": round(seconds),
    }
    print(json.dumps(told))  # noqa: T201  # the figures


def test_five_kills_lose_and_double_nothing(tmp_path):
    soak(tmp_path, 5, 4, 1)


@pytest.mark.soak
def test_two_hundred_kills_lose_and_double_nothing(tmp_path):
    kills = int(os.environ.get("MLVITALS_SOAK_KILLS", "200"))
    soak(tmp_path, kills, max(kills * 3 // 5, 4), 2)
