"""`python -m mlvitals` is `mlvitals`."""

from mlvitals.cli import main

main()
