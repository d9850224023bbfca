#!/usr/bin/env python3
"""The accuracy and speed report: everything in one run on one machine; prints a table and writes docs/accuracy.md with its plots.

    make report [DATA=DIR] [PEERS="NAME ..."] [N_DOCUMENTS=N]

DATA has faces/lfw-pairs.csv, pad/nuaa.csv, documents/specimens-mrz.json; without it only what the project draws itself is measured.
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import data
import documents
import faces
import peers
import product
import speed
import write
from mistakes import LeftOut, Mistake

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "target" / "report"


def arguments():
    parser = argparse.ArgumentParser(prog="make report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, help="folder with the evaluation data")
    parser.add_argument("--peers", nargs="*", default=list(peers.ALL), metavar="NAME", help=f"of {', '.join(peers.ALL)}; none after it: no peers")
    parser.add_argument("--documents", type=int, default=100, metavar="N", help="documents that each generator draws (default: %(default)s)")
    parser.add_argument("--runtime", type=pathlib.Path, default=os.environ.get("BOOTHD_LITERT"), help="libLiteRt.so (default: $BOOTHD_LITERT)")
    parser.add_argument("--program", type=pathlib.Path, help="boothd (default: target/release/boothd)")
    parser.add_argument("--generators", type=pathlib.Path, default=ROOT / "models" / "build", help="folder of the document generators")
    parser.add_argument("--model-python", type=pathlib.Path, help="Python with the packages of the model builds (default: that of make models, target/models-build/venv)")
    parser.add_argument("--scene-python", type=pathlib.Path, help="Python with the packages of the generators (default: target/report/scenes)")
    parser.add_argument("--skip", nargs="*", default=[], metavar="PART", help="parts that are left out, by the names that the run prints")
    parser.add_argument("--core", type=int, help="the processor core that everything is timed on (default: the last)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs" / "accuracy.md", help="the page (default: %(default)s)")
    given = parser.parse_args()
    unknown = [p for p in given.peers if p not in peers.ALL]
    if unknown:
        raise Mistake(f"PEERS: {', '.join(unknown)} unknown; allowed: {', '.join(peers.ALL)}")
    if not 1 <= given.documents <= 2000:
        raise Mistake(f"N_DOCUMENTS: {given.documents}; allowed: 1 to 2000 documents")
    cores = sorted(os.sched_getaffinity(0))
    given.core = cores[-1] if given.core is None else given.core
    if given.core not in cores:
        raise Mistake(f"core {given.core}; allowed: {', '.join(map(str, cores))}")
    if given.runtime is None or not pathlib.Path(given.runtime).is_file():
        raise Mistake(f"{given.runtime}: no such runtime; mend: make setup, which fetches it, or name it with BOOTHD_LITERT")
    if shutil.which("taskset") is None:
        raise Mistake("taskset: not found; mend: install Debian's util-linux")
    return given


class Report:
    """What was measured, section by section; a section that cannot be measured says why."""

    def __init__(self, skip):
        self.results, self.skip, self.lock = {"left_out": []}, skip, threading.Lock()

    def part(self, name, work):
        start = time.monotonic()
        result = None
        try:
            if name in self.skip:
                raise LeftOut("asked for by --skip")
            result, words = work(), "done"
        except LeftOut as reason:
            words = f"left out: {reason}"
        with self.lock:
            if words == "done":
                self.results[name] = result
            else:
                self.results["left_out"].append([name, words.removeprefix("left out: ")])
            # Kept as it grows: a run that is broken off has not been for nothing.
            OUT.mkdir(parents=True, exist_ok=True)
            (OUT / "results.json").write_text(json.dumps(self.results, indent=1, ensure_ascii=False), encoding="utf-8")
            print(f"  {name:<22} {time.monotonic() - start:6.0f} s  {words}", flush=True)
        return result

    def together(self, cores, jobs):
        """Does jobs of which nothing is timed on several cores at once; each is a function of the core that it runs on."""
        waiting, lock = list(jobs), threading.Lock()

        def work(core):
            while True:
                with lock:
                    if not waiting:
                        return
                    job = waiting.pop(0)
                job(core)

        with concurrent.futures.ThreadPoolExecutor(len(cores)) as pool:
            for done in [pool.submit(work, core) for core in cores]:
                done.result()


def machine(core):
    info = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    name = next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith(("model name", "Model"))), platform.machine())
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    return {
        "processor": name, "cores": os.cpu_count(), "core": core, "load": os.getloadavg()[0], "commit": commit or "unknown",
        "date": datetime.date.today().isoformat(), "models_bytes": sum(f.stat().st_size for f in (ROOT / "models").glob("*.tflite")),
    }


def chosen(*paths):
    return next((p for p in paths if p is not None and p.is_file()), None)


def main():
    given = arguments()
    start = time.monotonic()
    folder = data.folder(given.data) if given.data else None
    models = ROOT / "models"
    program = given.program or product.program(ROOT)
    on = lambda core: product.Boothd(program, models, given.runtime, core)
    others_on = lambda core: peers.Peers(OUT / "peers", core)
    model_python = chosen(given.model_python, ROOT / "target" / "models-build" / "venv" / "bin" / "python")
    scene_python = chosen(given.scene_python, OUT / "scenes" / "bin" / "python")
    report = Report(given.skip)
    report.results["machine"] = machine(given.core)
    print(f"report on core {given.core} of {report.results['machine']['cores']}, load {report.results['machine']['load']:.1f}")

    def needs_data(work):
        def part():
            if folder is None:
                raise LeftOut("needs DATA")
            return work()
        return part

    def drawn(what, seed, core):
        if scene_python is None:
            raise LeftOut("the generators' Python packages are not installed (target/report/scenes)")
        return data.generated(scene_python, given.generators, OUT / f"{what}-{given.documents}", what, given.documents, seed, core)

    specimens = data.specimens(folder / "documents" / "specimens-mrz.json") if folder else []
    list_of_pairs = folder / "faces" / "lfw-pairs.csv" if folder else None
    sets, seen = {}, {}

    def draw_and_read(what, seed):
        def draw(core):
            sets[what] = drawn(what, seed, core)
            return {"n": len(sets[what])}

        def job(core):
            if report.part(what, lambda: draw(core)):
                seen[what] = report.part(f"{what}_fields", lambda: documents.fields(on(core), sets[what], what))
        return job

    def compare(core):
        report.part("pairs", needs_data(lambda: faces.pairs(on(core), list_of_pairs, lambda: product.float_models(ROOT, model_python, OUT / "float"))))

    def attacks_and_zones(core):
        report.part("attacks", needs_data(lambda: faces.attacks(on(core), folder / "pad" / "nuaa.csv")))
        report.part("specimens", needs_data(lambda: documents.zones(on(core), specimens)))

    def compare_with_dlib(core):
        report.part("dlib_pairs", needs_data(lambda: faces.dlib_pairs(others_on(core), list_of_pairs)))

    # First what is not timed, on all cores at once, what takes longest first; then what is timed, on one core with the others at rest.
    jobs = [draw_and_read("prc_card", 20272), draw_and_read("specimen_set", 20271), compare, attacks_and_zones]
    if folder and "dlib" in given.peers:
        jobs.insert(1, compare_with_dlib)
    if "bench" not in given.skip:
        jobs.insert(1, lambda core: speed.build_bench(ROOT, core))
    report.together(sorted(os.sched_getaffinity(0)), jobs)
    report.part("corners", lambda: documents.corners(list(seen.values())))

    boothd, others = on(given.core), others_on(given.core)
    pictures = speed.documents(specimens, sets)
    report.part("document_speed", lambda: speed.of_documents(boothd, others, [p for p in given.peers if p in peers.DOCUMENTS], pictures))
    report.part("drawn_speed", lambda: speed.of_drawn(boothd, sets))
    looked_at = speed.faces(folder)
    report.part("face_speed", lambda: speed.of_faces(boothd, others, [p for p in given.peers if p in peers.FACES], looked_at))
    report.part("bench", lambda: speed.bench(ROOT, given.core))
    report.results["seconds"] = time.monotonic() - start
    (OUT / "results.json").write_text(json.dumps(report.results, indent=1, ensure_ascii=False), encoding="utf-8")
    text = write.page(report.results, given.out)
    print(write.for_the_terminal(text))
    print(f"written: {given.out}; took {report.results['seconds']:.0f} s")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Mistake as mistake:
        print(f"report: {mistake}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
