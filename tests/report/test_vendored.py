"""What is inlined of others is what they published, and says whose it is."""

import hashlib
import re

import pytest


@pytest.fixture
def vendor(repository):
    return repository / "src" / "mlvitals" / "report" / "vendor"


def test_every_vendored_file_has_the_sum_that_is_written_down(vendor):
    written = dict(
        re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", (vendor / "README.md").read_text("utf-8"), re.MULTILINE)
    )
    found = {path.relative_to(vendor).as_posix(): path for path in vendor.rglob("*") if path.is_file()}
    found.pop("README.md")
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()} == written


def test_the_page_names_the_library_its_version_and_its_licence(vendor, repository):
    version = re.search(r"uPlot \(v([0-9.]+)\)", (vendor / "uplot" / "uPlot.iife.min.js").read_text("utf-8"))
    assert version is not None
    footer = (repository / "src" / "mlvitals" / "report" / "templates" / "report.html").read_text("utf-8")
    assert f"uPlot {version[1]}" in footer
    assert "MIT licence" in footer
    assert "MIT License" in (vendor / "uplot" / "LICENSE").read_text("utf-8")
