"""Says how well a corner net finds documents, before the booth moves sides onto edges, and how often its class is right.

`evaluate_corners.py [--fresh N] [--frames DIR...] [NET.tflite | WEIGHTS.h5]...` prints a table;
`evaluate_corners.py ... --training DIR --plot SVG` reads every weights file of a training and draws its curves.

Frames: folders of specimen_frames.py (`truth.json`), or of sets of camera_frames.py (`truth.csv`). `--fresh N` draws N scenes of scenes.py
with a seed that no training uses.
"""

import argparse
import csv
import json
import pathlib

import common  # noqa: F401  (quiet TensorFlow)
import cv2
import numpy as np

import scenes
import train_corners
from evaluate_replay import overlap

FRESH = 100000
KINDS = {"td3": scenes.TD3, "td1": scenes.TD1_MRZ, "td1 front": scenes.TD1_FRONT, "prc_id": scenes.PRC, "none": scenes.NOTHING}
MATTERS = 0.9
"""Intersection over union from which a page is cut out well enough to be read."""


def stretched(path):
    """(frame in 192x192 RGB, its width and height)."""
    frame = cv2.imread(str(path))
    return cv2.resize(frame, (scenes.SIDE, scenes.SIDE), interpolation=cv2.INTER_AREA)[..., ::-1], frame.shape[1], frame.shape[0]


def frames_of(folder):
    """(pictures, corners in units of the frame, kinds) of a folder with its truth."""
    rows = []
    if (folder / "truth.json").is_file():
        for name, about in json.loads((folder / "truth.json").read_text()).items():
            rows.append((name, about["corners"], about["kind"]))
    elif (folder / "truth.csv").is_file():
        with (folder / "truth.csv").open() as file:
            for row in csv.DictReader(file):
                kind = row["kind"] if row["kind"] != "td1" or row.get("side") in ("back", "combined") else "td1 front"
                rows.append((row["file"], [[float(row[f"{c}_{a}"]) for a in "xy"] for c in ("tl", "tr", "br", "bl")], kind))
    else:
        raise SystemExit(f"{folder} holds neither truth.json nor truth.csv; name a folder that specimen_frames.py or prc_card.py set wrote")
    pictures, places, kinds = [], [], []
    for name, corners, kind in rows:
        picture, w, h = stretched(folder / name)
        pictures.append(picture)
        places.append(np.full((4, 2), -1.0) if corners is None else np.array(corners) / (w, h))
        kinds.append(KINDS[kind])
    return np.array(pictures), np.array(places, np.float32), np.array(kinds)


def net(path):
    """pictures -> (heat maps, class logits), by a TFLite file or the weights of train_corners.py."""
    import tensorflow as tf

    if path.suffix == ".h5":
        model = train_corners.network()
        model.load_weights(str(path))
        run = tf.function(lambda x: model(tf.cast(x, tf.float32) / 127.5 - 1, training=False))
        return lambda x: [np.concatenate(p) for p in zip(*[[v.numpy() for v in run(tf.constant(x[i:i + 32]))] for i in range(0, len(x), 32)])]
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    into = interpreter.get_input_details()[0]
    outs = {tuple(d["shape"][1:]): d for d in interpreter.get_output_details()}
    maps, classes = outs[(48, 48, 4)], outs[(6,)]

    def one(picture):
        scale, zero = into["quantization"]
        value = np.clip(np.round((picture / 127.5 - 1) / scale + zero), -128, 127)
        interpreter.set_tensor(into["index"], value.astype(np.int8)[None])
        interpreter.invoke()
        return [(interpreter.get_tensor(d["index"])[0].astype(np.float32) - d["quantization"][1]) * d["quantization"][0] for d in (maps, classes)]

    return lambda x: [np.array(p) for p in zip(*[one(v) for v in x])]


def corners(heat):
    """Corners [4, 2] in units of the frame: the centroid of 5x5 cells about each peak, as corners/heat.rs."""
    out = np.zeros((4, 2))
    for k in range(4):
        p = np.exp(heat[..., k] - heat[..., k].max())
        y, x = np.unravel_index(p.argmax(), p.shape)
        y0, x0 = max(0, y - 2), max(0, x - 2)
        w = p[y0:y + 3, x0:x + 3]
        yy, xx = np.mgrid[y0:y0 + w.shape[0], x0:x0 + w.shape[1]]
        out[k] = ((xx + 0.5) * w).sum() / w.sum() / p.shape[1], ((yy + 0.5) * w).sum() / w.sum() / p.shape[0]
    return out


def figures(run, data):
    """(share with IoU above MATTERS, median IoU, share of right classes, IoUs)."""
    pictures, places, kinds = data
    heat, classes = run(pictures)
    there = kinds != scenes.NOTHING
    unions = np.array([overlap(corners(h) * 1000, q * 1000) for h, q, t in zip(heat, places, there) if t])
    return float(np.mean(unions > MATTERS)), float(np.median(unions)), float(np.mean(classes.argmax(1) == kinds)), classes.argmax(1)


def curves(folder, sets, target):
    """Draws loss, IoU and classes over the steps; writes the numbers beside the picture."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "boothd"
    from matplotlib import pyplot

    rows = []
    for path in sorted(folder.glob("*.weights.h5")):
        run = net(path)
        row = [int(path.name.split("-")[1].split(".")[0])]
        for data in sets.values():
            good, _, right, _ = figures(run, data)
            row += [good, right]
        rows.append(row)
        print(*row, flush=True)
    loss = np.array([[float(v) for v in row[:2]] for row in list(csv.reader((folder / "training.csv").open()))[1:]])
    figure, (upper, lower) = pyplot.subplots(2, 1, sharex=True, figsize=(7, 5))
    upper.semilogy(loss[:, 0], loss[:, 1], color="tab:gray")
    upper.set_ylabel("loss (mean of 64 steps)")
    for i, name in enumerate(sets):
        lower.plot([r[0] for r in rows], [100 * r[1 + 2 * i] for r in rows], marker=".", color=f"C{i}", label=f"{name}: IoU > {MATTERS}")
        lower.plot([r[0] for r in rows], [100 * r[2 + 2 * i] for r in rows], marker=".", color=f"C{i}", linestyle=":", label=f"{name}: class")
    lower.set_xlabel("step")
    lower.set_ylabel("%")
    lower.set_ylim(0, 100)
    lower.grid(alpha=0.3)
    lower.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})
    with target.with_suffix(".csv").open("w") as file:
        head = ["step"] + [f"{name}: {what}" for name in sets for what in (f"IoU > {MATTERS}", "class")]
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", type=pathlib.Path, nargs="*", help="TFLite files or weights")
    parser.add_argument("--frames", type=pathlib.Path, nargs="*", default=[], help="folders of frames with their truth")
    parser.add_argument("--fresh", type=int, default=0, help="scenes of scenes.py to draw with a seed of their own")
    parser.add_argument("--training", type=pathlib.Path, help="folder of a training whose curves are drawn")
    parser.add_argument("--plot", type=pathlib.Path, help="SVG of the curves")
    args = parser.parse_args()
    if bool(args.training) != bool(args.plot):
        parser.error("--training and --plot go together")
    sets = {}
    if args.fresh:
        drawn = scenes.shard(FRESH, args.fresh)
        sets["scenes.py, fresh"] = drawn["x"], drawn["corners"], drawn["kind"]
    for folder in args.frames:
        sets[folder.name] = frames_of(folder)
    if not sets:
        parser.error("nothing to look at: name --frames DIR or --fresh NUMBER")
    for path in args.nets:
        run = net(path)
        for name, data in sets.items():
            good, median, right, found = figures(run, data)
            table = {int(k): np.bincount(found[data[2] == k], minlength=6).tolist() for k in np.unique(data[2])}
            print(f"{path.name}: {name}: {len(found)} frames, IoU > {MATTERS} on {100 * good:.1f} %, median {median:.4f}, class right {100 * right:.1f} %; "
                  f"found by true class {table}", flush=True)
    if args.training:
        curves(args.training, sets, args.plot)


if __name__ == "__main__":
    main()
