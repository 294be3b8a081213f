"""Expectations of the checks."""


def raises(kind, action):
    """The error of `kind` that `action` raises."""
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")
