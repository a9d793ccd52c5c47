"""How the documents become pages: `make docs`."""

from importlib.metadata import version as _version

project = "mlvitals"
release = _version("mlvitals")
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 3  # so that a link to a heading is checked too
myst_enable_extensions = ["colon_fence"]
nitpicky = True
html_theme = "furo"
html_title = "mlvitals"
