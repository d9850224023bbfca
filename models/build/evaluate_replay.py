"""Says how many documents the booth reads right, all the way from the picture: `boothd replay --show-fields` against what is printed.

`evaluate_replay.py --truth JSON PICTURES REPLAY-OUTPUT...`, where REPLAY-OUTPUT is what `boothd replay --models DIR --show-fields PICTURES` printed.
The truth is {name of the picture: {"mrz": [lines], ...}}, as specimen_frames.py writes it; `corners` are compared where it has them.
A zone counts as right if every field that replay prints is, and a check digit is refuted only where the print itself has a wrong one.
"""

import argparse
import json
import pathlib
import re

import numpy as np

import mrz


def fields(lines):
    """What `replay --show-fields` prints of a zone, by the positions of Doc 9303-4 to 9303-7."""
    if len(lines) == 3:
        first, second, names = lines
        number, nationality, birth, sex, expiry = first[5:14], second[15:18], second[0:6], second[7], second[8:14]
        if first[14] == "<" and first[15] != "<":
            # A longer number goes on in the optional data, its check digit is the last before the filler.
            number += first[15:30].split("<")[0][:-1]
    else:
        (first, second), names = lines, lines[0][5:]
        number, nationality, birth, sex, expiry = second[0:9], second[10:13], second[13:19], second[20], second[21:27]
    primary, _, secondary = names.partition("<<")
    clean = lambda text: text.strip("<").replace("<", " ")
    words = lambda text: " ".join(text.replace("<", " ").split())
    return {"code": clean(first[0:2]), "state": clean(first[2:5]), "number": clean(number), "primary": words(primary), "secondary": words(secondary),
            "nationality": clean(nationality), "birth": birth.strip("<"), "sex": sex.strip("<"), "expiry": expiry.strip("<")}


def holds(lines):
    """Whether the print's own check digits are right; specimens of the world have wrong ones. Taken for granted of TD2 and visas."""
    return len(lines[0]) == 36 or lines[0][0] == "V" or mrz.check_digits_valid(lines)


def read(text):
    """{picture: what was printed about it}."""
    pictures, name = {}, None
    for line in text.splitlines():
        if (m := re.match(r"(\S+)  \d+x\d+$", line)):
            name = m[1]
            pictures[name] = {}
        elif name is None:
            continue
        elif (m := re.match(r"  document     corners (.*?)  confidence ([\d.]+)", line)):
            pictures[name]["corners"] = [tuple(map(float, p.split(","))) for p in re.findall(r"\(([-\d,]+)\)", m[1])]
            pictures[name]["corner_confidence"] = float(m[2])
        elif (m := re.search(r"problem (\w+)$", line)):
            pictures[name]["problem"] = m[1]
        elif line.startswith("  check digits"):
            pictures[name]["refuted"] = "REFUTED" in line
        elif (m := re.match(r"  fields       (\S*) (\S*) number (.*)$", line)):
            pictures[name]["fields"] = {"code": m[1], "state": m[2], "number": m[3]}
        elif "fields" in pictures[name] and (m := re.match(r"               nationality (.*) birth (.*) sex (.*) expiry (.*)$", line)):
            pictures[name]["fields"] |= dict(zip(("nationality", "birth", "sex", "expiry"), m.groups()))
        elif "fields" in pictures[name] and (m := re.match(r"               (.*) / (.*)$", line)):
            pictures[name]["fields"] |= {"primary": m[1], "secondary": m[2]}
    return pictures


def overlap(a, b):
    """Intersection over union of two quadrilaterals."""
    import cv2

    a, b = (cv2.convexHull(np.float32(q)) for q in (a, b))
    inside, _ = cv2.intersectConvexConvex(a, b)
    return inside / max(cv2.contourArea(a) + cv2.contourArea(b) - inside, 1e-6)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", type=pathlib.Path, required=True, help="JSON of what is printed")
    parser.add_argument("--wrong", action="store_true", help="name what was read wrong; only for invented holders")
    parser.add_argument("outputs", type=pathlib.Path, nargs="+", help="files with the output of boothd replay")
    args = parser.parse_args()
    truth = {pathlib.PurePosixPath(k).name: v for k, v in json.loads(args.truth.read_text()).items()}
    for path in args.outputs:
        seen = read(path.read_text())
        zones = {k: v for k, v in truth.items() if v["mrz"]}
        right, wrong, n_read, places, ghosts = 0, [], 0, [], 0
        for name, about in truth.items():
            found = seen.get(name, {})
            if about.get("corners"):
                places.append(overlap(about["corners"], found["corners"]) if len(found.get("corners", [])) == 4 else 0.0)
            elif "corners" in about:
                ghosts += "corners" in found
            if name not in zones:
                continue
            n_read += "fields" in found
            expected = fields(about["mrz"])
            off = {k: (found.get("fields", {}).get(k), v) for k, v in expected.items() if found.get("fields", {}).get(k) != v}
            if off or (found.get("refuted") and holds(about["mrz"])):
                wrong.append((name, off if "fields" in found else "not read: " + found.get("problem", "no document")))
            else:
                right += 1
        print(f"{path.name}: zones right {right} of {len(zones)}, read at all {n_read}")
        if places:
            q = np.array(places)
            print(f"  corners: IoU > 0.9 on {100 * np.mean(q > 0.9):.1f} % of {len(q)}, median {np.median(q):.4f}, none found on {int((q == 0).sum())}; "
                  f"found where there is none: {ghosts} of {sum('corners' in v and not v['corners'] for v in truth.values())}")
        if args.wrong:
            for name, off in wrong:
                print(f"  {name}: {off}")


if __name__ == "__main__":
    main()
