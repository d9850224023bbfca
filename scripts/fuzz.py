#!/usr/bin/env python3
"""Runs the fuzz targets and prints a table; ends with 1 if one of them crashed, took too long, or grew.

    scripts/fuzz.py PROGRAMS [--runs N] [--target NAME ...] [--jobs N] [--merge]

PROGRAMS is the folder that scripts/fuzz-build.sh prints. New inputs are collected in target/fuzz/work/NAME, findings in
target/fuzz/findings. --merge writes the smallest set of all inputs that reaches the same code to fuzz/corpus.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUZZ = ROOT / "fuzz"
OUT = ROOT / "target" / "fuzz"
# Target and the longest input that is tried, bytes: as long as is needed to reach everything.
TARGETS = {
    "mrz": 200,
    "ticket": 1200,
    "manifest": 1200,
    "text": 400,
    "print": 400,
    "image": 120,
    "jpeg": 1000,
    "qr": 120,
    "gb11643": 24,
    "console": 320,
    "plain": 400,
}
# One input may take so many seconds, on a machine that is busy with other things.
TIMEOUT_S = 10
# From a tenth of the run to its end, resident memory may grow by so many MB: libFuzzer keeps what it has found.
GROWTH_MB = 48
# No input of these lengths is worth more, MB.
MALLOC_MB = 64
RSS_MB = 600
STATUS = re.compile(r"^#(\d+)\s+(\w+)\s.*rss: (\d+)Mb")
STATISTIC = re.compile(r"^stat::(\w+):\s+(\d+)")


class Mistake(Exception):
    """Something was asked for that cannot be done."""


def command(programs, target, *arguments):
    program = programs / target
    if not program.is_file():
        raise Mistake(f"{program}: no such program; mend: take the folder that scripts/fuzz-build.sh prints")
    line = [str(program), f"-max_len={TARGETS[target]}", f"-timeout={TIMEOUT_S}", *arguments]
    dictionary = FUZZ / "dictionaries" / f"{target}.dict"
    if dictionary.is_file():
        line.append(f"-dict={dictionary}")
    return line


def run(programs, target, runs, seed):
    """Runs one target; what is known of the run as a dictionary."""
    work, findings, corpus = OUT / "work" / target, OUT / "findings", FUZZ / "corpus" / target
    if not corpus.is_dir():
        raise Mistake(f"{corpus}: no such folder; mend: make fuzz-seeds")
    work.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    log = OUT / f"{target}.log"
    line = command(
        programs, target, f"-runs={runs}", f"-rss_limit_mb={RSS_MB}", f"-malloc_limit_mb={MALLOC_MB}", f"-seed={seed}",
        "-print_final_stats=1", "-reload=0", f"-artifact_prefix={findings}/{target}-", str(work), str(corpus),
    )
    start = time.monotonic()
    with log.open("w") as to:
        code = subprocess.run(line, stdout=to, stderr=subprocess.STDOUT, cwd=ROOT).returncode
    seconds = time.monotonic() - start
    memory, statistics = [], {}
    for text in log.read_text(errors="replace").splitlines():
        if found := STATUS.match(text):
            memory.append((int(found[1]), found[2], int(found[3])))
        if found := STATISTIC.match(text):
            statistics[found[1]] = int(found[2])
    done = statistics.get("number_of_executed_units", 0)
    first = next((mb for _, word, mb in memory if word == "INITED"), None)
    early = next((mb for n, _, mb in memory if n >= runs / 10), None)
    last = memory[-1][2] if memory else None
    problems = []
    if code != 0:
        problems.append(f"ended with {code}, see {log.relative_to(ROOT)}")
    if done < runs and code == 0:
        problems.append(f"{done} executions only")
    if last is None or early is None:
        problems.append("no memory figures")
    elif last - early > GROWTH_MB:
        problems.append(f"grew by {last - early} MB")
    crashes = 0 if code == 0 else sum(1 for f in findings.glob(f"{target}-*") if f.stat().st_mtime >= time.time() - seconds - 1)
    return {
        "target": target, "done": done, "seconds": seconds, "first": first, "early": early, "last": last,
        "peak": statistics.get("peak_rss_mb"), "crashes": crashes, "problems": problems,
    }


def merge(programs, target):
    """The committed corpus becomes the smallest set that reaches what it and the work folder reach; seeds stay."""
    corpus, new = FUZZ / "corpus" / target, OUT / "merged" / target
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    work = OUT / "work" / target
    work.mkdir(parents=True, exist_ok=True)
    log = OUT / f"{target}-merge.log"
    with log.open("w") as to:
        subprocess.run(
            command(programs, target, "-merge=1", str(new), str(corpus), str(work)),
            stdout=to, stderr=subprocess.STDOUT, cwd=ROOT, check=True,
        )
    for old in corpus.iterdir():
        if not old.name.startswith(("seed-", "found-")):
            old.unlink()
    kept = {p.read_bytes() for p in corpus.iterdir()}
    for path in new.iterdir():
        if path.read_bytes() not in kept:
            shutil.copy(path, corpus / path.name[:16])
    files = list(corpus.iterdir())
    print(f"{target:<10} {len(files):>5} inputs {sum(f.stat().st_size for f in files):>8} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--target", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0, help="of libFuzzer; 0: by the clock")
    parser.add_argument("--merge", action="store_true")
    given = parser.parse_args()
    targets = given.target or list(TARGETS)
    unknown = [t for t in targets if t not in TARGETS]
    if unknown:
        raise Mistake(f"target {', '.join(unknown)}: unknown; allowed: {', '.join(TARGETS)}")
    if given.runs < 1:
        raise Mistake(f"runs {given.runs}: at least 1")
    if given.merge:
        for target in targets:
            merge(given.programs.resolve(), target)
        return 0
    print(f"{'target':<10} {'executions':>11} {'exec/s':>8} {'seconds':>8} {'rss MB: start':>13} {'a tenth':>8} {'end':>5} {'peak':>5} {'crashes':>8}")
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        waiting = [pool.submit(run, given.programs.resolve(), t, given.runs, given.seed) for t in targets]
        for each in waiting:
            r = each.result()
            shown = lambda v: "-" if v is None else v
            print(
                f"{r['target']:<10} {r['done']:>11} {r['done'] / max(r['seconds'], 1e-3):>8.0f} {r['seconds']:>8.1f} {shown(r['first']):>13}"
                f" {shown(r['early']):>8} {shown(r['last']):>5} {shown(r['peak']):>5} {r['crashes']:>8}  {'; '.join(r['problems'])}".rstrip(),
                flush=True,
            )
            bad += bool(r["problems"])
    print("every target ran without a crash, a time-out or growing memory" if bad == 0 else f"{bad} of {len(targets)} targets FAILED; inputs in {OUT / 'findings'}")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Mistake as mistake:
        print(f"fuzz: {mistake}", file=sys.stderr)
        sys.exit(2)
