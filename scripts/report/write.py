"""docs/accuracy.md and its plots, from the results."""

import pathlib
import re

import plot
import rates

# The goals of the project, against which the report says reached or not.
GOALS = {
    "loss": 0.5, "specimens": 16, "document_ms": 150.0, "document_ratio": 8.0, "number": 0.99, "name": 0.97, "face_ratio": 3.0, "models_bytes": 10_000_000,
    "bare_ratio": 1.2,
}
WHOLE, FACE, MESH = "the same with the template", "detection, landmarks, quality, attack detection", "detection, landmarks, quality"
# Fewer than these say nothing of a goal in percent.
ENOUGH = 100


def table(heading, rows):
    """A Markdown table."""
    line = lambda cells: "| " + " | ".join(str(c).replace("|", "/") for c in cells) + " |"
    return [line(heading), line(["---"] * len(heading)), *map(line, rows), ""]


def reached(good):
    return "reached" if good else "**not reached**"


class Page:
    """Lines of the page, goals, and where plots go."""

    def __init__(self, path):
        self.path, self.plots = path, path.with_suffix("")
        self.lines, self.goals = [], []
        self.plots.mkdir(parents=True, exist_ok=True)
        for old in self.plots.glob("*.svg"):
            old.unlink()

    def add(self, *lines):
        self.lines.extend(lines)

    def picture(self, name, words):
        self.add(f"![{words}]({self.plots.name}/{name})", "")

    def goal(self, what, wanted, found, good, n=ENOUGH):
        self.goals.append([what, wanted, found, reached(good) if n >= ENOUGH else "too few to say"])


def page(results, path):
    p = Page(path)
    for section in (faces, attacks, zones, drawn, corners, document_speed, face_speed, bench):
        section(p, results)
    left_out(p, results)
    text = "\n".join([*head(results), *goals(p), *p.lines]).rstrip() + "\n"
    path.write_text(text, encoding="utf-8")
    return text


def head(results):
    m = results["machine"]
    return [
        "# Accuracy and speed", "",
        f"Written by `make report` on {m['date']} from commit {m['commit']}, in one run of {results['seconds']:.0f} s on one machine; not edited by hand.",
        f"Machine: {m['processor']}, {m['cores']} cores; load when the run began {m['load']:.1f}. Everything timed ran on core {m['core']} alone, one after the other, with one",
        "thread, while the other cores were at rest; what is not timed had been done before, on all of them. Times are the least of the rounds of each picture, then the median over pictures, so that what else the machine did counts little;",
        "on a busy machine trust the ratios more than the milliseconds. Nothing was timed on a Raspberry Pi.", "",
        "Intervals are 95 % (Clopper and Pearson) and take comparisons as independent, which those of one person are not. The face and document sets",
        "are small and not of this booth's camera or people: the figures say how the software does on these sets, not what error rate a booth will have.", "",
    ]


def goals(p):
    return ["## Goals", "", *table(["what", "goal", "found", ""], p.goals)] if p.goals else []


def faces(p, results):
    pairs = results.get("pairs")
    if not pairs:
        return
    forms = pairs["forms"]
    p.add("## Face comparison", "",
          f"{pairs['n_listed']} listed pairs of {pairs['n_pictures']} pictures. *All*: genuine comparisons are the listed ones; impostor comparisons are all pairs of pictures that by",
          "their names show different persons. *Listed*: the list alone, which is too short for FMR 1e-3. TMR: true match rate, comparisons that were not",
          "possible counted as not matched.", "")
    rows = []
    for form, f in forms.items():
        for kind in ("all", "listed"):
            for r in f[kind]:
                rows.append([form, kind, f"{r['fmr']:g}", f"{r['threshold']:.3f}", rates.in_words(r["k"], r["n"], 2), f"{r['false']} of {r['n_impostor']}"])
    p.add(*table(["embedding", "comparisons", "FMR at most", "threshold", "TMR", "false matches"], rows))
    if "dlib_pairs" in results:
        p.add("dlib's embedding (a peer) on the same genuine pairs, a seventh of the impostor comparisons: " + "; ".join(
            f"TMR {rates.in_words(r['k'], r['n'], 2)} at FMR {r['fmr']:g}" for r in results["dlib_pairs"]["rows"]) + ".", "")
    if "loss" in pairs:
        loss, low, high = pairs["loss"]
        p.add(f"Loss of the committed form against float at FMR 1e-3: **{loss:.2f} percentage points** (bootstrap over genuine pairs {low:.2f} to {high:.2f}).", "")
        p.goal("true match rate lost against float at FMR 1e-3", f"at most {GOALS['loss']} points", f"{loss:.2f} ({low:.2f} to {high:.2f})", loss <= GOALS["loss"])
    elif pairs["float_left_out"]:
        p.add(f"Not compared with float: {pairs['float_left_out']}.", "")
    plot.lines(p.plots / "face-det.svg", "Face comparison: false matches against false non-matches",
               plot.Axis("false match rate", 1e-5, 1, log=True), plot.Axis("false non-match rate", 1e-3, 1, log=True),
               {f"{form} embedding": f["det"] for form, f in forms.items()})
    p.picture("face-det.svg", "False non-match rate over false match rate")
    own = forms["committed"]
    spread = [(-0.5 + (i + 0.5) * 1.5 / 75) for i, c in enumerate(own["impostor_histogram"]) for _ in range(round(2000 * c / max(own["n_impostor"], 1)))]
    mark = [(r["threshold"], "FMR 1e-3") for r in own["all"] if r["fmr"] == 1e-3]
    plot.histogram(p.plots / "face-scores.svg", "Comparison scores, committed embedding", plot.Axis("comparison score (cosine)", -0.5, 1.0),
                   {f"one person ({len(own['genuine'])})": own["genuine"], f"different persons ({own['n_impostor']})": spread}, mark, n_bins=75)
    p.picture("face-scores.svg", "Histogram of comparison scores")


def attacks(p, results):
    found = results.get("attacks")
    if not found:
        return
    p.add("## Presentation attack detection", "",
          "As `boothd calibrate pad` prints it: APCER for each presentation attack instrument species, BPCER, non-responses apart (ISO/IEC 30107-3). This is no",
          "test for conformance.", "", "```text", *found["text"], "```", "")
    for s in found["sets"]:
        p.add(f"Caution: {s['caution']}.", "")
    (p.plots / "attacks.svg").write_text(found["svg"], encoding="utf-8")
    p.picture("attacks.svg", "APCER and BPCER over the threshold")


def zones(p, results):
    found = results.get("specimens")
    if not found:
        return
    rows = found["rows"]
    exact, n = sum(r["exact"] for r in rows), len(rows)
    lines, n_lines = sum(r["lines_exact"] for r in rows), sum(r["n_lines"] for r in rows)
    p.add("## Machine readable zones of specimens", "",
          f"Every line exact: **{exact} of {n}** pictures ({rates.in_words(exact, n)}); lines exact: {lines} of {n_lines}; peak memory {found['memory_mb']:.0f} MB.", "")
    p.add(*table(["picture", "kind", "lines exact", ""], [[r["picture"], r["kind"], f"{r['lines_exact']} of {r['n_lines']}", "exact" if r["exact"] else "wrong" if r["read"] else "not read"] for r in rows]))
    p.goal("specimens with every line of the zone exact", f"{GOALS['specimens']} of 17", f"{exact} of {n}", exact >= GOALS["specimens"] and n >= 17)


def drawn(p, results):
    for name, title in (("specimen_set_fields", "Drawn passports and cards (TD3, TD1)"), ("prc_card_fields", "Drawn resident identity cards of the PRC")):
        found = results.get(name)
        if not found:
            continue
        p.add(f"## {title}", "",
              f"{found['n']} frames of 1280 x 720 by the project's generator (clutter, tilt, light, glare, blur, JPEG), each looked at once. Read as a live frame",
              f"{found['n_live']}; peak memory {found['memory_mb']:.0f} MB. A live session sees many frames, so this is the share of single frames, not of sessions.", "")
        if timed := results.get("drawn_speed", {}).get(name.removesuffix("_fields")):
            p.add(f"Whole document path of {timed['n']} of them, evenly chosen, each looked at once: median {timed['median_ms']:.0f} ms, worst {timed['worst_ms']:.0f} ms.", "")
        if found["zones_exact"] is not None:
            p.add(f"Every line of the zone exact: {rates.in_words(found['zones_exact'], found['n_zones'])}.", "")
        rows = []
        for field, r in found["fields"].items():
            n = sum(r.values())
            said = r["exact"] + r["wrong"]
            rows.append([field, rates.in_words(r["exact"], n), r["not_read"], r["wrong"], rates.in_words(r["exact"], said) if said else "-"])
        p.add(*table(["field", "exact, of all frames", "not read", "wrong", "exact, of those read"], rows))
        if found["checks"]:
            words = ("verified", "refuted", "not_read", "not_printed")
            p.add("Checks, on frames that were read:", "", *table(["check", *words], [[c, *(r.get(w, 0) for w in words)] for c, r in found["checks"].items()]))
        if found["problems"]:
            p.add("Frames that were not read, by the problem that was told: " + ", ".join(f"{k} {v}" for k, v in sorted(found["problems"].items())) + ".", "")
        if name == "prc_card_fields":
            for field, goal in (("number", GOALS["number"]), ("name", GOALS["name"])):
                r = found["fields"].get(f"front {field}")
                n = sum(r.values()) if r else 0
                p.goal(f"PRC cards, {field} exact", f"{100 * goal:.0f} %", rates.in_words(r["exact"], n) if n else "no frames", bool(n) and r["exact"] / n >= goal, n)


def corners(p, results):
    found = results.get("corners")
    if not found:
        return
    p.add("## Corners", "",
          f"Intersection over union with the true corners on {found['n']} drawn frames: median {found['median']:.3f}; over 0.9 on {rates.in_words(found['over_90'], found['n'])}, over 0.95 on",
          f"{rates.in_words(found['over_95'], found['n'])}; none found on {found['none']}.", "")
    plot.histogram(p.plots / "corners.svg", "Corners on drawn frames", plot.Axis("intersection over union", 0.0, 1.0), {f"frames ({found['n']})": found["values"]}, [(0.9, "0.9")])
    p.picture("corners.svg", "Histogram of intersection over union")


# Peers that read the zone and nothing else.
ZONE_READERS = ("passporteye", "fastmrz")


def document_speed(p, results):
    found = results.get("document_speed")
    if not found:
        return
    p.add("## Documents: time of one core, beside peers", "",
          "The whole document path: ours finds corners, measures, reads the zone and the printed text, and looks for the portrait; the peers read text or",
          "the zone. The same pictures at the same size; pictures decoded beforehand (PassportEye reads the file itself). Peers' lines are forgiven what position decides",
          "between letters and digits, as ours are. *Ratio*: the peer's median over that of our whole document path. PassportEye and fastmrz read the zone",
          "and nothing else: the row *boothd until the zone is read* is the time that ours had taken, corners and all, when the zone of the document had",
          "been read, and is what theirs is fairly compared with.", "")
    ours = found["systems"]["boothd"]
    rows, ratios = [], {}
    for name, n in found["sets"].items():
        for system, about in found["systems"].items():
            s = about["sets"].get(name)
            if s:
                ratio = s["median_ms"] / ours["sets"][name]["median_ms"]
                if system != "boothd":
                    ratios.setdefault(name, []).append((ratio, system))
                zone = ours["sets"][name].get("until_zone")
                beside = f" ({s['median_ms'] / zone['median_ms']:.1f} to the zone)" if zone and system in ZONE_READERS else ""
                rows.append([name, system, f"{s['exact']} of {s['n']}", f"{s['median_ms']:.1f}", f"{s['least_ms']:.1f}", f"{s['worst_ms']:.1f}", f"{ratio:.1f}{beside}", f"{about['memory_mb']:.0f}"])
            if s and (zone := s.get("until_zone")):
                rows.append([name, f"{system} until the zone is read", f"{s['exact']} of {s['n']}", f"{zone['median_ms']:.1f}", f"{zone['least_ms']:.1f}", f"{zone['worst_ms']:.1f}", "-", f"{about['memory_mb']:.0f}"])
    p.add(*table(["set", "system", "exact", "median ms", "least", "worst", "ratio", "memory MB"], rows))
    stages = {name: ours["sets"][name].get("stages", {}) for name in found["sets"]}
    names = list(dict.fromkeys(stage for of_set in stages.values() for stage in of_set))
    if names:
        p.add("Where our time goes, means over the pictures, ms (each stage without those within it):", "")
        p.add(*table(["set", *names], [[name, *(f"{of_set[stage]:.1f}" if stage in of_set else "-" for stage in names)] for name, of_set in stages.items()]))
    versions(p, found)
    for name in found["sets"]:
        bars = [(system, about["sets"][name]["median_ms"]) for system, about in found["systems"].items() if name in about["sets"]]
        file = f"documents-{re.sub('[^a-z]+', '-', name.lower())}.svg"
        plot.bars(p.plots / file, f"Documents: {name}", "median ms a picture, one core", bars)
        p.picture(file, f"Time a picture, {name}")
    first = next(iter(found["sets"]))
    own = ours["sets"][first]
    p.goal(f"document path on one core, {first}", f"at most {GOALS['document_ms']:.0f} ms", f"median {own['median_ms']:.0f}, worst {own['worst_ms']:.0f} ms", own["worst_ms"] <= GOALS["document_ms"])
    if first in ratios:
        ratio, system = min(ratios[first])
        p.goal("faster than the fastest document peer", f"{GOALS['document_ratio']:.0f} times", f"{ratio:.1f} times ({system})", ratio >= GOALS["document_ratio"])


SHORT = {MESH: "faces and landmarks", FACE: "with attack detection", WHOLE: "with the template"}
# What of a peer can be compared with what of ours.
COMPARABLE = {"mediapipe": ("whole path", MESH), "dlib": ("whole path", WHOLE), "yunet": ("detect", MESH)}


def face_speed(p, results):
    found = results.get("face_speed")
    if not found:
        return
    p.add("## Faces: time of one core, beside peers", "", f"{found['n']} pictures, 250 x 250 and 640 x 480. *Ratio*: the peer's median over the median of what of ours does at least as much.", "")
    ours = found["systems"]["boothd"]["stages"]
    rows, bars, ratios = [], [(f"boothd: {SHORT.get(k, k)}", v["median_ms"]) for k, v in ours.items()], []
    for system, about in found["systems"].items():
        for stage, s in about["stages"].items():
            ratio = "-"
            if system in COMPARABLE and COMPARABLE[system][0] == stage:
                value = s["median_ms"] / ours[COMPARABLE[system][1]]["median_ms"]
                ratio = f"{value:.1f} to `{COMPARABLE[system][1]}`"
                ratios.append((value, system))
                bars.append((f"{system}: {stage}", s["median_ms"]))
            rows.append([system, stage, f"{about['found']} of {found['n']}", f"{s['median_ms']:.2f}", f"{s['least_ms']:.2f}", f"{s['worst_ms']:.2f}", ratio, f"{about['memory_mb']:.0f}"])
    p.add(*table(["system", "stage", "faces found", "median ms", "least", "worst", "ratio", "memory MB"], rows))
    versions(p, found)
    plot.bars(p.plots / "faces.svg", "Faces", "median ms a picture, one core", bars)
    p.picture("faces.svg", "Time a picture, faces")
    if ratios:
        ratio, system = min(ratios)
        p.goal("face path faster than any peer's comparable path", f"{GOALS['face_ratio']:.0f} times", f"{ratio:.1f} times ({system})", ratio >= GOALS["face_ratio"])


def versions(p, found):
    said = [f"{system} ({', '.join(f'{k} {v}' for k, v in about['versions'].items())})" for system, about in found["systems"].items() if "versions" in about]
    if said:
        p.add("Peers: " + "; ".join(said) + ".", "")
    for peer, reason in found["not_run"].items():
        p.add(f"Not run: {peer}: {reason}.", "")


def bench(p, results):
    size = results["machine"]["models_bytes"]
    p.goal("models together", "under 10 MB", f"{size / 1e6:.2f} MB", size < GOALS["models_bytes"])
    found = results.get("bench")
    if not found:
        return
    p.add("## Stages", "", "By `cargo bench` on rendered frames of the virtual booth, on the same core.", "")
    p.add(*table(["setting", "stage", "median ms", "p95", "least"], [[*row[:2], *(f"{v:.3f}" for v in row[2:])] for row in found["rows"] if "threads: 1" in row[0]]))
    p.add("Face frame over the sum of its bare invocations:", "", "```text", *found["ratios"], "```", "")
    least = [float(m[1]) for r in found["ratios"] if (m := re.search(r"of minima ([\d.]+)", r)) and "threads: 1" in r]
    if least:
        p.goal("face path over the sum of bare model invocations", f"at most {GOALS['bare_ratio']}", f"{max(least):.2f} (minima)", max(least) <= GOALS["bare_ratio"])


def left_out(p, results):
    if results["left_out"]:
        p.add("## Left out of this run", "", *[f"- {name}: {reason}." for name, reason in results["left_out"]], "")


def for_the_terminal(text):
    """The goals and tables without pictures."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("![") and line != "| " + " | ".join(["---"]) + " |")
