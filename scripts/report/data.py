"""The evaluation data: the folder that the caller names, and what the project's own generators draw. Nothing of it is copied."""

import csv
import dataclasses
import json
import pathlib
import re
import subprocess

from mistakes import LeftOut, Mistake


@dataclasses.dataclass
class Document:
    """A picture of a document and what is printed on it."""

    path: pathlib.Path
    kind: str
    lines: list = dataclasses.field(default_factory=list)
    fields: dict = dataclasses.field(default_factory=dict)
    corners: list = None


def folder(path):
    """The folder with the data, checked."""
    if not path.is_dir():
        raise Mistake(f"DATA={path}: no such folder; allowed: one with faces/lfw-pairs.csv, pad/nuaa.csv, documents/specimens-mrz.json; mend: name it, or leave DATA out")
    return path


def table(path, columns):
    """The rows of a CSV file that has at least these columns."""
    if not path.is_file():
        raise Mistake(f"{path}: no such file; mend: put it there, or leave DATA out")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [c for c in columns if c not in (reader.fieldnames or [])]
        if missing:
            raise Mistake(f"{path}, line 1: no column {', '.join(missing)}; found {', '.join(reader.fieldnames or ['nothing'])}; mend: name the columns {', '.join(columns)}")
        rows = list(reader)
    if not rows:
        raise Mistake(f"{path}: no row below the heading; allowed: one or more")
    for i, row in enumerate(rows):
        if None in row.values() or None in row:
            raise Mistake(f"{path}, line {i + 2}: another number of columns than the heading has; mend: correct the line")
    return rows


def there(path, place):
    if not path.is_file():
        raise Mistake(f"{place}: {path}: no such picture; mend: put it there or take the line out")
    return path


def person(file):
    """Who a picture shows by its name: `faces/NAME_0001.jpg`."""
    return re.sub(r"_\d+$", "", pathlib.PurePosixPath(file).stem)


def pairs(path):
    """Listed pairs [(a, b, same)] with whole paths, and all pairs of pictures whose names say that they show different persons."""
    rows = table(path, ["a", "b", "same"])
    listed = []
    for i, row in enumerate(rows):
        if row["same"] not in ("0", "1"):
            raise Mistake(f"{path}, line {i + 2}: same is `{row['same']}`, allowed: 1 or 0")
        place = f"{path}, line {i + 2}"
        a, b = (there(path.parent / row[c], place) for c in "ab")
        listed.append((a, b, row["same"] == "1"))
    pictures = sorted({p for a, b, _ in listed for p in (a, b)})
    # Hundreds of thousands of pairs: what is asked of a picture is asked once.
    who = [person(p.name) for p in pictures]
    crossed = [(a, pictures[k]) for i, a in enumerate(pictures) for k in range(i + 1, len(pictures)) if who[i] != who[k]]
    return listed, pictures, crossed


def specimens(path):
    """Pictures of specimens with their zones."""
    if not path.is_file():
        raise Mistake(f"{path}: no such file; mend: put it there, or leave DATA out")
    try:
        truth = json.loads(path.read_text(encoding="utf-8"))
        return [Document(there(path.parent / name, str(path)), about["kind"], about["mrz"]) for name, about in sorted(truth.items())]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise Mistake(f"{path}: {error!r}; allowed: {{picture: {{\"kind\": ..., \"mrz\": [lines]}}}}") from error


def generated(python, build, out, what, n, seed, core):
    """A set of frames drawn by the project's generator `what` on a core; drawn once, kept in `out`."""
    script = build / f"{what}.py"
    if not script.is_file():
        raise LeftOut(f"{script.name}: this generator is not in the project")
    done = out / f"done-{n}-{seed}"
    if not done.is_file():
        arguments = ["set"] if what == "prc_card" else []
        run = subprocess.run(["taskset", "-c", str(core), python, script, *arguments, "--out", out, "--n", str(n), "--seed", str(seed)], capture_output=True, text=True)
        if run.returncode != 0:
            raise LeftOut(f"{script.name}: {(run.stderr.strip().splitlines() or ['ended with ' + str(run.returncode)])[-1]}")
        done.touch()
    documents = []
    for row in table(out / "truth.csv", ["file", "kind", "side", "tl_x"]):
        corners = [[float(row[f"{c}_{axis}"]) for axis in "xy"] for c in ("tl", "tr", "br", "bl")]
        lines = [line for line in row.get("mrz", "").split("/") if line]
        kind = f"{row['kind']} {row['side']}"
        documents.append(Document(out / row["file"], kind, lines, row, corners))
    return documents
