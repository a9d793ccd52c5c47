"""`mlvitals demo` finds what was planted, and nothing else."""

import time


def test_the_demo_finds_both_planted_faults_and_nothing_else(process, tmp_path):
    began = time.monotonic()
    answer = process("demo", "--directory", tmp_path / "demo", cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert time.monotonic() - began < 60
    moved, performance = answer.out.split("What the labels said")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in moved.splitlines() if line.startswith("│")]
    assert {(week, of) for week, _, signal, of, *_ in rows if signal != "prediction.rate"} == {
        ("2015-02-09", "sqft_living"),
        ("2015-02-09", "predictions"),
        ("2015-03-16", "grade"),
    }
    # The recorded sales end there.
    assert [(week, weeks) for week, weeks, signal, *_ in rows if signal == "prediction.rate"] == [("2015-05-11", "16")]
    weeks = [line for line in performance.splitlines() if line.startswith("│ 201")]
    assert len(weeks) == 39
    broken = next(line for line in weeks if "2015-02-09" in line)
    assert "219,859" in broken
    *_, further, last = answer.out.splitlines()
    assert further.endswith(f"mlvitals signals -c {tmp_path / 'demo' / 'mlvitals.yaml'}")
    assert last == f"Open {tmp_path / 'demo' / 'report.html'} in a browser."
    page = (tmp_path / "demo" / "report.html").read_text("utf-8")
    assert "sqft_living moved from 2015-02-09 to 2015-03-02" in page  # its alarm lasts until it has recovered


def test_the_demo_can_be_shown_again(mlvitals, tmp_path):
    first, second = (mlvitals("demo", "--directory", tmp_path / "demo") for _ in range(2))
    assert first.code == second.code == 0
    assert first.out.splitlines()[:-2] == second.out.splitlines()[:-2]
