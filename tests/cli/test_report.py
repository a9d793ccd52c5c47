"""`mlvitals report` writes its page, whole, and says what is in it."""


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
