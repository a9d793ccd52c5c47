"""How a contract says that it is broken: as a test does, and also where Python leaves out `assert`."""


def require(kept: bool, otherwise: str) -> None:  # noqa: FBT001  # it reads as the statement that it stands for
    """Raise an AssertionError with a sentence unless something is kept."""
    if not kept:
        raise AssertionError(otherwise)
