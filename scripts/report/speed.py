"""Times of one core: ours and the peers' on the same pictures in the same run, and the stages by the benchmark."""

import pathlib
import re
import subprocess

import data
import documents as document_path
import mrz_text
import rates
from mistakes import LeftOut

# Ours is quick enough to be looked at often; the least of the rounds is taken of everybody.
OUR_ROUNDS = 5
PEER_ROUNDS = {"rapidocr": 2, "passporteye": 1, "fastmrz": 1, "mediapipe": 5, "dlib": 2, "yunet": 5}
N_DRAWN, N_FACES = 8, 50
# Drawn frames of each set that are timed, once each, for the spread.
N_SPREAD = 60


def documents(specimens, sets):
    """{name of a set: documents} that everybody reads."""
    chosen = {"specimens": specimens}
    chosen["drawn passports and cards"] = [d for d in sets.get("specimen_set", []) if d.lines][:N_DRAWN]
    chosen["drawn PRC cards"] = [d for d in sets.get("prc_card", []) if d.fields["side"] == "front"][:N_DRAWN]
    return {name: some for name, some in chosen.items() if some}


def _summary(times, exact, n):
    return {"median_ms": rates.median(times), "least_ms": min(times), "worst_ms": max(times), "sum_ms": sum(times), "exact": exact, "n": n}


def _all_ms(said):
    """The least whole time of a peer over its rounds."""
    stages = [v for v in said["ms"].values() if v]
    return min(map(sum, zip(*stages))) if stages else 0.0


def _right(document, lines):
    if document.lines:
        return mrz_text.every_line_exact(document.lines, lines)
    # A card without a zone: its number and its name each stand whole in some line.
    texts = [mrz_text.plain(line) for line in lines]
    return all(any(mrz_text.plain(document.fields[f]) in text for text in texts) for f in ("number", "name"))


def of_documents(boothd, others, names, sets):
    if not sets:
        raise LeftOut("no pictures of documents: needs DATA or the generators")
    every = [d for some in sets.values() for d in some]
    seen, memory = boothd.replay([d.path for d in every], "document", OUR_ROUNDS, show_fields=True)
    result = {"systems": {"boothd": {"memory_mb": memory, "sets": {}}}, "not_run": {}, "sets": {name: len(some) for name, some in sets.items()}}
    for name, some in sets.items():
        right = 0
        for d in some:
            fields = (seen[d.path].get("reading") or {}).get("fields", {})
            right += document_path.printed_lines(seen[d.path]) == d.lines if d.lines else all(fields.get(f) == d.fields[f] for f in ("number", "name"))
        own = result["systems"]["boothd"]["sets"][name] = _summary([document_path.least(seen[d.path]) for d in some], right, len(some))
        until = [t for d in some if (t := document_path.until_zone(seen[d.path])) is not None]
        if until:
            own["until_zone"] = _summary(until, right, len(until))
        own["stages"] = _stages([seen[d.path] for d in some])
    for peer in names:
        # Readers of zones are not asked for cards that have none.
        fit = {n: s for n, s in sets.items() if peer == "rapidocr" or s[0].lines}
        try:
            said = others.run(peer, [d.path for s in fit.values() for d in s], PEER_ROUNDS[peer])
        except LeftOut as reason:
            result["not_run"][peer] = str(reason)
            continue
        system = result["systems"][peer] = {"memory_mb": said["memory_mb"], "versions": said["versions"], "sets": {}}
        for name, some in fit.items():
            right = sum(_right(d, said["pictures"][str(d.path)].get("lines", [])) for d in some)
            system["sets"][name] = _summary([_all_ms(said["pictures"][str(d.path)]) for d in some], right, len(some))
    return result


def _stages(looks):
    """{stage: mean over pictures of the least time over rounds}, ms, of the stages that ran."""
    sums = {}
    for said in looks:
        for stage, times in said["ms"].get("stages", {}).items():
            sums[stage] = sums.get(stage, 0.0) + min(times)
    return {stage: total / len(looks) for stage, total in sums.items() if total > 0}


def of_drawn(boothd, sets):
    """{set: time of the whole document path} over frames of the drawn sets, evenly chosen, each looked at once."""
    if not sets:
        raise LeftOut("no drawn frames")
    result = {}
    for name, some in sets.items():
        readable = [d for d in some if name == "prc_card" or d.lines]
        chosen = readable[::max(len(readable) // N_SPREAD, 1)][:N_SPREAD]
        seen, _ = boothd.replay([d.path for d in chosen], "document", 1)
        result[name] = _summary([document_path.least(seen[d.path]) for d in chosen], 0, len(chosen))
    return result


def faces(folder):
    """Pictures with a face: of the pairs, and webcam frames."""
    if folder is None:
        return []
    _, pictures, _ = data.pairs(folder / "faces" / "lfw-pairs.csv")
    frames = folder / "pad" / "nuaa.csv"
    rows = data.table(frames, ["file", "label"])
    webcam = [data.there(frames.parent / r["file"], str(frames)) for r in rows]
    step = max(len(webcam) // N_FACES, 1)
    return pictures[:N_FACES] + webcam[::step][:N_FACES]


def of_faces(boothd, others, names, pictures):
    if not pictures:
        raise LeftOut("no pictures of faces: needs DATA")
    seen, memory = boothd.replay(pictures, "face", 2 * OUR_ROUNDS)
    with_face = [p for p in pictures if seen[p]["face"]]
    stages = {
        "detection, landmarks, quality": [min(seen[p]["ms"]["analyse"]) for p in with_face],
        "detection, landmarks, quality, attack detection": [min(seen[p]["ms"]["face"]) for p in with_face],
        "the same with the template": [min(a + b for a, b in zip(seen[p]["ms"]["face"], seen[p]["ms"]["template"])) for p in with_face],
    }
    result = {"n": len(pictures), "systems": {"boothd": {"memory_mb": memory, "found": len(with_face), "stages": {k: _summary(v, 0, 0) for k, v in stages.items()}}}, "not_run": {}}
    for peer in names:
        try:
            said = others.run(peer, pictures, PEER_ROUNDS[peer])
        except LeftOut as reason:
            result["not_run"][peer] = str(reason)
            continue
        found = [p for p in pictures if said["pictures"][str(p)].get("faces")]
        if not found:
            result["not_run"][peer] = "found no face in any picture"
            continue
        parts = {}
        for p in found:
            ms = said["pictures"][str(p)]["ms"]
            for stage in ms:
                parts.setdefault(stage, []).append(min(ms[stage]))
            parts.setdefault("whole path", []).append(_all_ms(said["pictures"][str(p)]))
        result["systems"][peer] = {"memory_mb": said["memory_mb"], "versions": said["versions"], "found": len(found), "stages": {k: _summary(v, 0, 0) for k, v in parts.items()}}
    return result


BENCH = ["cargo", "bench", "--quiet", "--locked", "--bench", "pipeline"]


def build_bench(root, core):
    """Builds the benchmark, so that nothing is compiled while something is timed; what is wrong, `bench` says."""
    subprocess.run(["taskset", "-c", str(core), *BENCH, "--no-run"], cwd=root, capture_output=True)


def bench(root, core):
    """The rows that `cargo bench` prints for one thread: per stage, per line, bare nets, and the face path over its bare nets."""
    run = subprocess.run(["taskset", "-c", str(core), *BENCH], cwd=root, capture_output=True, text=True)
    if run.returncode != 0:
        raise LeftOut(f"cargo bench: {(run.stderr.strip().splitlines() or ['ended with ' + str(run.returncode)])[-1][:300]}")
    rows, title, ratios = [], "", []
    for line in run.stdout.splitlines():
        if "interpreter threads" in line and not line.startswith("  "):
            title = line.strip()
        found = re.match(r"^  (.{58}) +([\d.]+) +([\d.]+) +([\d.]+) +(\d+) ", line)
        if found:
            rows.append([title, found[1].strip(), *map(float, found.groups()[1:4])])
        if "of medians" in line:
            ratios.append(line.strip())
    return {"rows": rows, "ratios": ratios}
