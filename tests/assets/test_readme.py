from mlvitals.assets.readme import render_tables, update_readme
from mlvitals.signals.registry import names


def test_the_committed_readme_says_what_the_code_does(repository):
    readme = (repository / "README.md").read_text(encoding="utf-8")
    assert update_readme(readme) == readme


def test_the_tables_name_every_signal_and_every_kind_of_source_format_and_sink():
    tables = render_tables()
    for name in names():
        assert f"`{name.removeprefix('mlvitals.')}`" in tables
    for told in ("source `file`", "format `parquet`", "format `mlvitals`", "sink `otlp`", "sink `local`"):
        assert f"| {told} | " in tables
