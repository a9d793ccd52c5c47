"""`mlvitals report` writes its page, whole, and says what is in it."""

import pytest


def test_a_report_is_written_from_the_state_while_only_that_is_there(world, mlvitals, tmp_path):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    for path in (*world.folder.glob("events*"), world.folder / "state" / "state.db.key"):
        path.unlink()
    output = tmp_path / "pages" / "report.html"
    answer = mlvitals("report", "-c", world.config, "-o", output, "--since", "2026-03-01T12:02:00Z")
    assert answer.code == 0, answer.err
    assert answer.err.startswith(f"{output}: m in depth, ")
    assert "Windows of 2026-03-01 12:02 to 2026-03-01 12:08 (7)" in output.read_text("utf-8")
    assert [path.name for path in output.parent.iterdir()] == ["report.html"]


def test_a_model_that_is_not_there_is_an_error_of_one_line(world, mlvitals, tmp_path):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    answer = mlvitals("report", "-c", world.config, "-o", tmp_path / "report.html", "--model", "other")
    assert answer.code == 3
    assert answer.err == "mlvitals: there is no model `other`, neither configured nor measured\n"
    assert not (tmp_path / "report.html").exists()


def test_before_the_first_run_there_is_nothing_to_report(world, mlvitals, tmp_path):
    answer = mlvitals("report", "-c", world.config, "-o", tmp_path / "report.html")
    assert answer.code == 3
    assert "there is no state yet" in answer.err


def test_a_quarter_is_told_in_the_terminal_and_as_a_page(world, mlvitals, tmp_path):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    output = tmp_path / "quarter.html"
    answer = mlvitals("report", "-c", world.config, "--quarter", "-o", output)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("2026 Q1: 0.0 of its 12.9 weeks were watched; it is told up to 2026-03-01 12:")
    assert "- 0 pages: 0 true, 0 false, 0 that nobody has judged.\n" in answer.out
    assert "<h1>2026 Q1</h1>" in output.read_text("utf-8")
    same = mlvitals("report", "-c", world.config, "--quarter", "2026q1", "-o", output)
    assert same.out == answer.out
    words = ["--since", "2026-03-01T00:00:00Z", "--until", "2026-03-02T00:00:00Z"]
    day = mlvitals("report", "-c", world.config, "--quarter", *words, "-o", output)
    assert day.out.startswith("2026-03-01T00:00:00Z to 2026-03-02T00:00:00Z: ")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--quarter", "2026Q5"], "`2026Q5` is not a quarter: write it like `2026Q3`"),
        (["--until", "2026-03-01T12:00:00Z"], "--until goes with --quarter"),
        (["--quarter", "--model", "m"], "leave --model out"),
        (["--quarter", "--since", "2026-03-01T12:00:00Z"], "give a quarter, or --since and a later --until"),
        (["--quarter", "2026Q1", "--until", "2026-03-01T12:00:00Z"], "give a quarter, or --since and a later --until"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(world, mlvitals, words, complaint):
    answer = mlvitals("report", "-c", world.config, *words)
    assert answer.code == 2
    assert complaint in answer.err
