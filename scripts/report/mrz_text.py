"""Lines of machine readable zones in what peers print. Whatever can be forgiven without knowing the truth is forgiven them."""

DIGITS = str.maketrans("OQDILZSGB", "000112568")
LETTERS = str.maketrans("012568", "OIZSGB")
# Where only digits (d) or only letters (a) stand, by format and line; ICAO Doc 9303 parts 4 to 6.
SHAPES = {
    ("TD3", 0): "aa" + "a" * 42,
    ("TD3", 1): "." * 9 + "d" + "aaa" + "d" * 7 + "a" + "d" * 7 + "." * 14 + "dd",
    ("TD2", 0): "aa" + "a" * 34,
    ("TD2", 1): "." * 9 + "d" + "aaa" + "d" * 7 + "a" + "d" * 7 + "." * 7 + "d",
    ("TD1", 0): "aa" + "aaa" + "." * 9 + "d" + "." * 15,
    ("TD1", 1): "d" * 7 + "a" + "d" * 7 + "aaa" + "." * 11 + "d",
    ("TD1", 2): "a" * 30,
}


def _fitted(line, shape):
    return "".join(c.translate(DIGITS) if s == "d" else c.translate(LETTERS) if s == "a" else c for c, s in zip(line, shape))


def plain(text):
    """Capital letters without spaces, and the marks that readers print for fillers as fillers."""
    text = text.upper().replace("«", "<<").replace("‹", "<").replace("《", "<<").replace("〈", "<")
    return "".join(text.split())


def every_line_exact(truth, printed):
    """Whether every line of the zone stands among the printed ones, as it is or after position has decided between letters and digits."""
    kind = {(3, 30): "TD1", (2, 36): "TD2", (2, 44): "TD3"}.get((len(truth), len(truth[0])))
    lines = [plain(p) for p in printed]
    # Two or three lines in one text are taken apart.
    lines += [line[i:i + len(truth[0])] for line in lines for i in range(0, len(line), len(truth[0])) if len(line) > len(truth[0])]
    for i, wanted in enumerate(truth):
        shape = SHAPES.get((kind, i))
        if not any(line == wanted or (shape and len(line) == len(wanted) and _fitted(line, shape) == wanted) for line in lines):
            return False
    return True
