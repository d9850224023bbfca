"""Checks the committed models against their manifest and, where they were rebuilt, against the rebuilt files.

`check.py [--models DIR] [--built DIR]` prints one line a file and ends with 1 if anything differs. Needs no packages, unless a rebuilt file
differs from the committed one and its task states a tolerance: then the outputs of both are compared, which needs those of requirements.txt.
"""

import argparse
import hashlib
import pathlib
import tomllib

from tasks import TASKS

HERE = pathlib.Path(__file__).resolve().parent
TRIALS = 32


def check_file(models, entry):
    """None, or what is wrong with a committed file."""
    path = models / entry["file"]
    if not path.is_file():
        return f"missing; expected {entry['bytes']} bytes with sha256 {entry['sha256']}; mend: git checkout -- models/{entry['file']}"
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != entry["sha256"]:
        return (f"sha256 found {found} ({len(data)} bytes), expected {entry['sha256']} ({entry['bytes']} bytes); mend: git checkout -- models/{entry['file']}, "
                "or, if it was built anew on purpose, evaluate it and write the manifest with build/manifest.py")
    if len(data) != entry["bytes"]:
        return f"{len(data)} bytes found, the manifest says {entry['bytes']}; mend: write the manifest with build/manifest.py"
    return None


def check_charset(models, charset):
    """None, or what is wrong with the committed file of a reader's characters."""
    path, mend = models / charset["file"], f"mend: git checkout -- models/{charset['file']}"
    if not path.is_file():
        return f"missing; expected sha256 {charset['sha256']}; {mend}"
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    return None if found == charset["sha256"] else f"sha256 found {found}, expected {charset['sha256']}; {mend}"


def compare(committed, built, task):
    """(whether they agree, words) for a committed and a rebuilt file."""
    a, b = (hashlib.sha256(p.read_bytes()).hexdigest() for p in (committed, built))
    if a == b:
        return True, "rebuilt file is the same, byte for byte"
    differ = f"rebuilt file differs: sha256 found {b}, expected {a}"
    if task is None or task.least_cosine >= 1:
        return False, differ + "; the build is meant to give the same bytes: see whether packages and fonts are the pinned ones and the machine has the same instruction set"
    try:
        cosine = likeness(committed, built)
    except ImportError as error:
        return False, differ + f"; its outputs could not be compared, {error.name} is not installed; mend: run it through `make models-check` after `make models`"
    words = f"{differ}; allowed, since {task.reason}: mean cosine of the outputs on {TRIALS} drawn inputs {cosine:.4f}, at least {task.least_cosine} is asked for"
    return cosine >= task.least_cosine, words if cosine >= task.least_cosine else words + "; mend: build it again, then evaluate both"


def likeness(one, other):
    """Mean cosine between the outputs of two models on smooth drawn inputs."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    def outputs(path):
        interpreter = Interpreter(str(path), num_threads=1)
        interpreter.allocate_tensors()
        about = interpreter.get_input_details()[0]
        rng, rows = np.random.default_rng(0), []
        for _ in range(TRIALS):
            n, h, w, c = about["shape"]
            coarse = rng.uniform(-1, 1, (n, (h + 15) // 16, (w + 15) // 16, c)).repeat(16, 1).repeat(16, 2)[:, :h, :w]
            value = 0.8 * coarse + 0.2 * rng.uniform(-1, 1, coarse.shape)
            interpreter.set_tensor(about["index"], (127 * value).astype(about["dtype"]) if about["dtype"] == np.int8 else value.astype(about["dtype"]))
            interpreter.invoke()
            row = []
            for d in interpreter.get_output_details():
                scale, zero = d["quantization"]
                row.append((interpreter.get_tensor(d["index"]).astype(float).ravel() - zero) * (scale or 1))
            rows.append(np.concatenate(row))
        return np.array(rows)

    a, b = outputs(one), outputs(other)
    return float(np.mean((a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + 1e-12)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=pathlib.Path, default=HERE.parent, help="folder of the committed files (default: %(default)s)")
    parser.add_argument("--built", type=pathlib.Path, default=HERE.parents[1] / "target" / "models-build", help="folder of rebuilt files (default: %(default)s)")
    args = parser.parse_args()
    manifest = args.models / "manifest.toml"
    if not manifest.is_file():
        parser.error(f"there is no manifest.toml in {args.models}; mend: name the folder of the models with --models")
    try:
        entries = tomllib.loads(manifest.read_text())["model"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        parser.error(f"{manifest} cannot be read: {error}; mend: git checkout -- models/manifest.toml, or write it with build/manifest.py")
    failed = 0
    for entry in entries:
        name, problem = entry["file"], check_file(args.models, entry)
        print(f"{name}: {problem or 'as the manifest says'}")
        failed += problem is not None
        if charset := entry.get("charset"):
            wrong = check_charset(args.models, charset)
            print(f"{charset['file']}: {wrong or 'as the manifest says'}")
            failed += wrong is not None
        built = args.built / name
        if problem is None and built.is_file():
            agrees, words = compare(args.models / name, built, TASKS.get(entry["task"]))
            print(f"{name}: {words}")
            failed += not agrees
        elif problem is None:
            print(f"{name}: not rebuilt" + ("" if entry["task"] in TASKS else "; there is no task for it in build/tasks.py"))
    known = {entry["file"] for entry in entries}
    for path in sorted(args.models.glob("*.tflite")):
        if path.name not in known:
            print(f"{path.name}: not in the manifest; mend: delete it, or describe it in build/manifest.py and write the manifest")
            failed += 1
    print(f"{len(entries)} models, " + ("nothing differs" if not failed else f"{failed} differ"))
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
