"""Progress where no terminal is: plain lines, fewer and fewer."""

import time

from mlvitals.cli import progress


def test_a_job_that_runs_for_a_month_fills_no_log_with_its_progress(monkeypatch, capsys):
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with progress.counting_rows("reading") as tell:
        for _ in range(30 * 24 * 60):
            now += 60.0
            tell(5)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "reading: 5 rows"
    assert 30 * 24 <= len(lines) <= 30 * 24 + 10
