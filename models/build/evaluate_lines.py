"""Says how many lines a reader gets exactly right, without position rules and check digits, which the booth adds.

`evaluate_lines.py --strips NPZ... [READER.tflite | WEIGHTS.h5]...` prints a table.
`evaluate_lines.py --strips NPZ... --training DIR... --plot SVG` reads the weights files of a training and draws its curves.

Strips: shards of lines.py (seeds that the training did not use: `--fresh N` draws N lines), or strips.npz of specimen_frames.py.
"""

import argparse
import csv
import pathlib

import common  # noqa: F401  (quiet TensorFlow)
import numpy as np

import train_lines

FRESH = 100000
"""Index of the shard that `--fresh` draws; no training has so many."""


def sets_of(args):
    """{name: (strips, texts)}; upside-down lines are left out."""
    sets = {}
    if args.fresh:
        import cv2

        import lines

        cv2.setNumThreads(1)
        drawn = lines.shard(lines.Printer(), FRESH, args.fresh)
        sets["lines.py, fresh"] = drawn["x"], drawn["y"]
    for path in args.strips:
        with np.load(path) as z:
            sets[f"{path.parent.name}/{path.stem}"] = z["x"], z["y"]
    return {name: (x[y != ""], y[y != ""]) for name, (x, y) in sets.items()}


def reader(path):
    """strips -> texts, by a TFLite file or the weights of train_lines.py."""
    import tensorflow as tf

    if path.suffix == ".h5":
        model = train_lines.network()
        model.load_weights(str(path))
        run = tf.function(lambda x: tf.argmax(model(train_lines.standardised(x), training=False), -1))
        return lambda x: train_lines.decoded(np.concatenate([run(tf.constant(x[i:i + 64])).numpy() for i in range(0, len(x), 64)]))
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    into, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = into["quantization"]

    def best(strip):
        value = train_lines.standardised(tf.constant(strip[None])).numpy()
        interpreter.set_tensor(into["index"], np.clip(np.round(value / scale + zero), -128, 127).astype(np.int8))
        interpreter.invoke()
        return interpreter.get_tensor(out["index"])[0].argmax(-1)

    return lambda x: train_lines.decoded(np.array([best(strip) for strip in x]))


def distance(a, b):
    """Edit distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def figures(found, texts):
    """(share of exact lines, errors per character)."""
    exact = np.mean([a == b for a, b in zip(found, texts)])
    return float(exact), sum(distance(a, b) for a, b in zip(found, texts) if a != b) / sum(map(len, texts))


def curves(folders, sets, target, every):
    """Draws loss and exact lines over the steps; writes the numbers beside the picture."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "boothd"
    from matplotlib import pyplot

    rows, loss, before = [], [], 0
    for folder in folders:
        paths = sorted(folder.glob("*.weights.h5"))
        step = lambda path: int(path.name.split("-")[1].split(".")[0])
        for path in paths[-1::-every][::-1]:
            read = reader(path)
            rows.append([before + step(path)] + [figures(read(x), y)[0] for x, y in sets.values()])
            print(*rows[-1], flush=True)
        loss += [(before + int(row[0]), float(row[1])) for row in list(csv.reader((folder / "training.csv").open()))[1:]]
        before += step(paths[-1])
    loss = np.array(loss)
    figure, (upper, lower) = pyplot.subplots(2, 1, sharex=True, figsize=(7, 5))
    upper.semilogy(loss[:, 0], loss[:, 1], color="tab:gray")
    upper.set_ylabel("loss (mean of 64 steps)")
    for i, name in enumerate(sets, 1):
        lower.plot([r[0] for r in rows], [100 * r[i] for r in rows], marker=".", label=name)
    lower.set_xlabel("step")
    lower.set_ylabel("lines exact, %")
    lower.set_ylim(0, 100)
    lower.grid(alpha=0.3)
    lower.legend()
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})
    with target.with_suffix(".csv").open("w") as file:
        csv.writer(file, lineterminator="\n").writerows([["step", *sets], *rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", type=pathlib.Path, nargs="*", help="TFLite files or weights")
    parser.add_argument("--strips", type=pathlib.Path, nargs="*", default=[], help="NPZ files of strips and texts")
    parser.add_argument("--fresh", type=int, default=0, help="lines of lines.py to draw with a seed of their own")
    parser.add_argument("--training", type=pathlib.Path, nargs="*", default=[], help="folders of the parts of a training whose curves are drawn")
    parser.add_argument("--every", type=int, default=1, help="take each such weights file only, the last one always (default: %(default)s)")
    parser.add_argument("--plot", type=pathlib.Path, help="SVG of the curves")
    args = parser.parse_args()
    sets = sets_of(args)
    if not sets:
        parser.error("no lines to read: name --strips FILE or --fresh NUMBER")
    if bool(args.training) != bool(args.plot):
        parser.error("--training and --plot go together")
    for path in args.readers:
        read = reader(path)
        for name, (x, y) in sets.items():
            found = read(x)
            exact, errors = figures(found, y)
            pairs = {}
            for a, b in zip(found, y):
                if len(a) == len(b):
                    for c, d in zip(b, a):
                        if c != d:
                            pairs[c + d] = pairs.get(c + d, 0) + 1
            common = ", ".join(f"{k[0]} as {k[1]} {n}" for k, n in sorted(pairs.items(), key=lambda p: -p[1])[:6])
            print(f"{path.name}: {name}: {len(y)} lines, exact {100 * exact:.1f} %, character errors {100 * errors:.3f} %; {common}", flush=True)
    if args.training:
        curves(args.training, sets, args.plot, args.every)


if __name__ == "__main__":
    main()
