"""What the report cannot go on with, told in one line: what, where, what was found, what is allowed, how to mend it."""


class Mistake(Exception):
    """Ends the report with its text."""


class LeftOut(Exception):
    """A part that cannot be measured here; the report says why and goes on."""
