"""Builds models from their pinned sources and seeds: what `make models` runs.

`tasks.py [--out DIR] [MODEL...]`: without names, all that are converted from a maker's weights; `all` adds those that the project trains itself,
which take from many minutes to hours. The files go to DIR, `check.py` compares them with the committed ones.
"""

import argparse
import dataclasses
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Task:
    """How one file of models/ comes into being."""

    script: str
    """In this folder; takes --cache and --out."""
    trained: bool
    """Trained by the project: built only on request, since it takes long."""
    takes: str
    least_cosine: float = 1.0
    """1: a second build gives the same bytes. Below: the outputs' least mean cosine to the committed file's on the inputs of check.py."""
    reason: str = ""
    """Why the bytes may differ."""


TASKS = {
    "face_detector": Task("face_detector.py", trained=False, takes="3 minutes; half an hour on a busy machine without AVX-512", least_cosine=0.99,
                          reason="a thousand steps of tuning round otherwise with another instruction set"),
    "face_landmarks": Task("face_landmarks.py", trained=False, takes="seconds"),
    "face_embedding": Task("face_embedding.py", trained=False, takes="10 minutes or more"),
    "face_pad": Task("face_pad.py", trained=False, takes="minutes"),
    "text_detector": Task("text_detector.py", trained=False, takes="minutes"),
    "text_reader": Task("text_reader.py", trained=False, takes="a minute"),
    "document_corners": Task("document_corners.py", trained=True, takes="about 20 minutes of one core"),
    "mrz_line_reader": Task("mrz_line_reader.py", trained=True, takes="about an hour of one core, lines drawn and trained"),
}
"""One line a model; the key is its task in the manifest and, with .tflite, its file."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parents[1] / "target" / "models-build", help="folder for files and cache (default: %(default)s)")
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"{', '.join(TASKS)} or all")
    args = parser.parse_args()
    if unknown := [m for m in args.models if m not in TASKS and m != "all"]:
        parser.error(f"no model {', '.join(unknown)} is built here; there are {', '.join(TASKS)} and all")
    chosen = [n for n, t in TASKS.items() if (n in args.models or "all" in args.models if args.models else not t.trained)]
    # Absolute: the scripts that fetch packages change into the cache.
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    for name in chosen:
        print(f"{name}: {TASKS[name].script}, {TASKS[name].takes}", flush=True)
        begin = time.time()
        done = subprocess.run([sys.executable, str(HERE / TASKS[name].script), "--cache", str(out / "cache"), "--out", str(out)], check=False)
        if done.returncode:
            raise SystemExit(f"{name}: {TASKS[name].script} ended with {done.returncode}; what it printed says why. Nothing was changed in models/")
        print(f"{name}: built in {time.time() - begin:.0f} s", flush=True)
    if left := [n for n in TASKS if n not in chosen]:
        print(f"not built: {', '.join(left)}; with MODELS=\"{' '.join(left)}\" they are (" + "; ".join(f"{n} takes {TASKS[n].takes}" for n in left) + ")")


if __name__ == "__main__":
    main()
