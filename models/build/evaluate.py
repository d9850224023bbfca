"""Compares the committed face models with the makers' float models on evaluation pictures, and times every model.

usage: evaluate.py --pairs PAIRS.csv --sessions SESSIONS.csv [--cache CACHE]
PAIRS.csv: columns a, b, same (paths relative to the file). SESSIONS.csv: columns file, subject, session, label (bona_fide or print).
The pictures are not part of the project; nothing of them is written.
"""

import argparse
import csv
import pathlib
import time

import common
import numpy as np


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def overlap(a, b):
    inner = np.maximum(0, np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])).prod()
    return inner / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - inner)


def prepare(files, detector, mesh):
    """Letterboxes, landmark crops, aligned crops and wide crops by the float models; the best face of every picture."""
    import cv2

    import face_pipeline as pipeline

    prepared = {"letterbox": [], "roi": [], "aligned": [], "wide": []}
    for file in files:
        raw = cv2.imread(str(file))
        if raw is None:
            raise SystemExit(f"{file}: not a readable picture")
        image = cv2.cvtColor(raw, cv2.COLOR_BGR2RGB)
        faces = pipeline.detect(detector, image)
        if not faces:
            raise SystemExit(f"{file}: the float detector finds no face; take it out of the list")
        points, _, crop, _ = pipeline.landmarks(mesh, image, faces[0])
        for key, value in (("letterbox", pipeline.letterbox(image)[0]), ("roi", crop), ("aligned", pipeline.align(image, pipeline.five_points(points))),
                           ("wide", pipeline.pad_crop(image, points))):
            prepared[key].append(value)
    return prepared


def compare_detector(reference, model, pictures):
    import face_pipeline as pipeline

    missed = extra = 0
    ious, scores, points, rolls = [], [], [], []
    for picture in pictures:
        found = []
        for m in (reference, model):
            outputs = m(pipeline.normalise_detector(picture))
            found.append(pipeline.decode(next(o for o in outputs if o.shape[-1] == 16), next(o for o in outputs if o.shape[-1] == 1)))
        extra += max(0, len(found[1]) - len(found[0]))
        for face in found[0][:1]:
            if not found[1]:
                missed += 1
                continue
            other = max(found[1], key=lambda f: overlap(face[1], f[1]))
            eyes = face[2][1] - face[2][0], other[2][1] - other[2][0]
            ious.append(overlap(face[1], other[1]))
            scores.append(abs(face[0] - other[0]))
            points.append(np.linalg.norm(face[2] - other[2], axis=1).mean() / np.linalg.norm(eyes[0]))
            rolls.append(abs(np.degrees(np.arctan2(eyes[0][1], eyes[0][0]) - np.arctan2(eyes[1][1], eyes[1][0]))))
    return (f"{len(pictures)} pictures: missed {missed}, extra {extra}, IoU mean {np.mean(ious):.3f} / 1st percentile {np.quantile(ious, 0.01):.3f}, "
            f"score difference mean {np.mean(scores):.3f}, key points {100 * np.mean(points):.1f} % of the inter-eye distance, roll {np.mean(rolls):.2f} degrees")


def compare_landmarks(reference, model, crops):
    errors, presence = [], []
    for crop in crops:
        a, b = (m(crop.astype(np.float32) / 255) for m in (reference, model))
        p, q = (next(o for o in r if o.size == 1404).reshape(-1, 3)[:, :2] for r in (a, b))
        eyes = np.linalg.norm(p[[33, 133]].mean(0) - p[[263, 362]].mean(0))
        errors.append(np.linalg.norm(p - q, axis=1).mean() / eyes)
        presence.append(abs(float(next(o for o in a if o.size == 1).ravel()[0]) - float(next(o for o in b if o.size == 1).ravel()[0])))
    return (f"{len(crops)} crops: points {100 * np.mean(errors):.2f} % of the inter-eye distance (95th percentile {100 * np.quantile(errors, 0.95):.2f} %), "
            f"presence logit differs by {np.mean(presence):.2f}")


def compare_pad(reference, model, crops, rows):
    """Logits and scores beside the float model's, and how many of each label fall on the wrong side of 0.5."""
    import face_pipeline as pipeline

    logits = [np.array([m(pipeline.normalise_pad(c))[0].ravel() for c in crops]) for m in (reference, model)]
    scores = [np.array([pipeline.bona_fide(v) for v in l]) for l in logits]
    text = (f"{len(crops)} crops: logits differ by {np.abs(logits[0] - logits[1]).mean():.3f} (most {np.abs(logits[0] - logits[1]).max():.2f}), "
            f"scores by {np.abs(scores[0] - scores[1]).mean():.4f} (most {np.abs(scores[0] - scores[1]).max():.4f});")
    labels = np.array([r["label"] for r in rows])
    for label in sorted(set(labels)):
        wrong = [int(((s < 0.5) == (label == "bona_fide"))[labels == label].sum()) for s in scores]
        text += f" {label}: {wrong[0]} (float) and {wrong[1]} (ours) of {(labels == label).sum()} on the wrong side of 0.5, ours from {scores[1][labels == label].min():.4f} to {scores[1][labels == label].max():.4f};"
    return text.rstrip(";")


def embed(model, crops):
    import face_pipeline as pipeline

    return unit(np.array([model(pipeline.normalise_embedding(c))[0].ravel() for c in crops]))


def cosine(a, b):
    c = (a * b).sum(1)
    return f"cosine to float mean {c.mean():.4f}, 1st percentile {np.quantile(c, 0.01):.4f}, least {c.min():.4f}"


def verification(vectors, files, pairs):
    """AUC and true match rate at the threshold that one impostor pair in a hundred passes, over the listed pairs."""
    place = {f: i for i, f in enumerate(files)}
    scores = np.array([vectors[place[a]] @ vectors[place[b]] for a, b, _ in pairs])
    same = np.array([s for _, _, s in pairs])
    genuine, impostor = scores[same], np.sort(scores[~same])[::-1]
    auc = (genuine[:, None] > impostor[None]).mean() + (genuine[:, None] == impostor[None]).mean() / 2
    threshold = impostor[int(0.01 * len(impostor))]
    return f"{len(pairs)} pairs: AUC {auc:.4f}, TMR {100 * (genuine > threshold).mean():.1f} % at FMR 1e-2 (threshold {threshold:.3f})"


def all_pairs(vectors, files):
    """True match rates over every pair of pictures, at thresholds from their own impostor pairs; a picture's subject is what stands before `__` in its name."""
    subject = np.array([pathlib.PurePath(f).name.split("__")[0] for f in files])
    i, j = np.triu_indices(len(vectors), 1)
    scores, same = (vectors @ vectors.T)[i, j], subject[i] == subject[j]
    genuine, impostor = scores[same], np.sort(scores[~same])[::-1]
    text = f"all pairs, {len(genuine)} genuine, {len(impostor)} impostor comparisons:"
    for rate in (1e-2, 1e-3, 1e-4):
        threshold = impostor[int(rate * len(impostor))]
        text += f" TMR {100 * (genuine > threshold).mean():.2f} % at FMR {rate:.0e} (threshold {threshold:.3f})"
    return text


def across_sessions(vectors, rows):
    """False non-match rate between sessions of a subject, at thresholds from the impostor pairs of the same set."""
    live = np.array([r["label"] != "print" for r in rows])
    v = vectors[live]
    subject, session = (np.array([r[k] for r in rows])[live] for k in ("subject", "session"))
    i, j = np.triu_indices(len(v), 1)
    scores, same = (v[i] * v[j]).sum(1), subject[i] == subject[j]
    genuine, impostor = scores[same & (session[i] != session[j])], np.sort(scores[~same])[::-1]
    text = f"{len(genuine)} genuine, {len(impostor)} impostor comparisons:"
    for rate in (1e-2, 1e-3):
        threshold = impostor[int(rate * len(impostor))]
        text += f" FNMR {100 * (genuine <= threshold).mean():.2f} % at FMR {rate:.0e} (threshold {threshold:.3f})"
    return text


def milliseconds(path, runs=300):
    """(least time of one inference on one thread, number of XNNPACK partitions, ops outside)."""
    import face_pipeline as pipeline

    model = pipeline.Model(path)
    model(np.zeros(model.input["shape"][1:], np.float32))
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        model.interpreter.invoke()
        times.append(time.perf_counter() - begin)
    parts = [o["op_name"] for o in model.interpreter._get_ops_details()].count("DELEGATE")
    return 1e3 * min(times), parts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=pathlib.Path, required=True)
    parser.add_argument("--sessions", type=pathlib.Path, required=True)
    parser.add_argument("--cache", type=pathlib.Path, default=common.HERE / "cache")
    parser.add_argument("--models", type=pathlib.Path, default=common.MODELS)
    args = parser.parse_args()
    import face_pipeline as pipeline
    import net

    for path in sorted(args.models.glob("*.tflite")):
        least, parts = milliseconds(path)
        print(f"{path.name}: {path.stat().st_size} bytes, {least:.3f} ms on one thread, {parts} XNNPACK partition(s)", flush=True)

    float_models = {k: pipeline.Model(common.fetch(k, args.cache)) for k in ("face_detector", "face_landmarks")}
    for task, side in (("face_embedding", 112), ("face_pad", 128)):
        graph = net.from_onnx(common.fetch(task, args.cache))
        float_path = args.cache / f"{task}_float32.tflite"
        float_path.write_bytes(common.convert(net.emit(graph), [1, side, side, 3], "float32"))
        float_models[task] = pipeline.Model(float_path)
    ours = {k: pipeline.Model(args.models / f"{k}.tflite") for k in float_models}

    with open(args.pairs) as file:
        pairs = [(r["a"], r["b"], r["same"] == "1") for r in csv.DictReader(file)]
    with open(args.sessions) as file:
        rows = list(csv.DictReader(file))
    files = sorted({f for a, b, _ in pairs for f in (a, b)})
    sets = {"pairs": [args.pairs.parent / f for f in files], "sessions": [args.sessions.parent / r["file"] for r in rows]}
    for name, paths in sets.items():
        prepared = prepare(paths, float_models["face_detector"], float_models["face_landmarks"])
        print(f"detector, {name}: {compare_detector(float_models['face_detector'], ours['face_detector'], prepared['letterbox'])}", flush=True)
        print(f"landmarks, {name}: {compare_landmarks(float_models['face_landmarks'], ours['face_landmarks'], prepared['roi'])}", flush=True)
        if name == "sessions":
            print(f"attack detection, {name}: {compare_pad(float_models['face_pad'], ours['face_pad'], prepared['wide'], rows)}", flush=True)
        reference, ours_vectors = (embed(m["face_embedding"], prepared["aligned"]) for m in (float_models, ours))
        print(f"embedding, {name}: {cosine(reference, ours_vectors)}")
        for label, vectors in (("float", reference), ("ours", ours_vectors)):
            print(f"embedding, {name}, {label}: {verification(vectors, files, pairs) if name == 'pairs' else across_sessions(vectors, rows)}", flush=True)
            if name == "pairs":
                print(f"embedding, {name}, {label}: {all_pairs(vectors, files)}", flush=True)


if __name__ == "__main__":
    main()
