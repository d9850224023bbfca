"""Face comparison and attack detection."""

import data
import rates
from mistakes import LeftOut, Mistake

TARGETS = (1e-2, 1e-3, 1e-4)


def _rows(genuine, impostor):
    rows = []
    for fmr in TARGETS:
        n = sum(s is not None for s in impostor)
        if n * fmr < 1:
            continue
        threshold, k, n_genuine = rates.true_matches(genuine, impostor, fmr)
        rows.append({"fmr": fmr, "threshold": threshold, "k": k, "n": n_genuine, "false": rates.matches(impostor, threshold), "n_impostor": n})
    return rows


def _histogram(values, low=-0.5, high=1.0, n=75):
    counts = [0] * n
    for value in values:
        counts[min(max(int((value - low) / (high - low) * n), 0), n - 1)] += 1
    return counts


def pairs(boothd, path, float_models):
    """The listed pairs, and all pairs of different persons among their pictures; with the float net beside the committed one."""
    listed, pictures, crossed = data.pairs(path)
    if not any(same for _, _, same in listed) or all(same for _, _, same in listed):
        raise Mistake(f"{path}: allowed: at least one pair of one person and one of different persons")
    asked = [(a, b) for a, b, _ in listed] + crossed
    forms = {"committed": boothd}
    reason = None
    try:
        forms["float"] = boothd.with_models(float_models())
    except LeftOut as left_out:
        reason = str(left_out)
    result = {"n_pictures": len(pictures), "n_listed": len(listed), "float_left_out": reason, "forms": {}}
    genuine_of, thresholds = {}, {}
    for form, program in forms.items():
        scores = program.compare(asked)
        own = scores[:len(listed)]
        genuine = [s for s, (_, _, same) in zip(own, listed) if same]
        listed_impostor = [s for s, (_, _, same) in zip(own, listed) if not same]
        impostor = scores[len(listed):]
        possible = [s for s in impostor if s is not None]
        result["forms"][form] = {
            "all": _rows(genuine, impostor), "listed": _rows(genuine, listed_impostor),
            "det": rates.curve(genuine, impostor), "not_possible": sum(s is None for s in genuine),
            "genuine": [s for s in genuine if s is not None], "impostor_histogram": _histogram(possible), "n_impostor": len(possible),
        }
        genuine_of[form] = genuine
        thresholds[form] = {row["fmr"]: row["threshold"] for row in result["forms"][form]["all"]}
    if "float" in forms and 1e-3 in thresholds["float"]:
        both = list(zip(genuine_of["float"], genuine_of["committed"]))
        result["loss"] = rates.loss_interval(both, thresholds["float"][1e-3], thresholds["committed"][1e-3])
    return result


def attacks(boothd, path):
    """What `boothd calibrate pad` says of a list of frames."""
    data.table(path, ["file", "label"])
    if not (boothd.models / "face_pad.tflite").is_file():
        raise LeftOut("attack detection is not built")
    text, svg, calibration = boothd.pad(path)
    lines = text.splitlines()
    return {"text": [line for line in lines if not line.startswith("written")], "svg": svg, "sets": [{k: v for k, v in s.items() if k != "point"} for s in calibration["set"]]}


def dlib_pairs(others, path):
    """True match rate of dlib's embedding on the listed pairs: score is the negative distance."""
    listed, pictures, crossed = data.pairs(path)
    said = others.run("dlib", pictures, 1)["pictures"]
    vectors = {p: said[str(p)].get("vector") for p in pictures}

    def score(a, b):
        a, b = vectors[a], vectors[b]
        return None if a is None or b is None else -sum((x - y) ** 2 for x, y in zip(a, b)) ** 0.5

    genuine = [score(a, b) for a, b, same in listed if same]
    # Every seventh of the crossed pairs: pure Python, and enough for 1e-3.
    impostor = [score(a, b) for a, b in crossed[::7]]
    return {"rows": _rows(genuine, impostor), "not_possible": sum(s is None for s in genuine)}
