"""Builds ../document_corners.tflite: draws the scenes, trains the net, quantizes it to int8 with int8 ends.

What is already in the cache is not made again: shards of scenes, and the state of a training that was broken off.
"""

import common
import training

STEPS = 3072
SHARDS = 12
CALIBRATION = 300


def quantized(weights, scenes):
    """int8 TFLite bytes."""
    import numpy as np

    import quantize
    import train_corners

    model = train_corners.network()
    model.load_weights(str(weights))
    x = train_corners.load_shard(scenes, 0)[0][:CALIBRATION]
    inputs = x.astype(np.float32) / 127.5 - 1
    shape = (1, train_corners.SIDE, train_corners.SIDE, 3)
    data = quantize.quantize(training.frozen(model, shape), shape, inputs, (-1.0, 1.0))
    return common.finish(data, ["heat_maps", "document_class"])


def main():
    args = common.arguments(__doc__)
    scenes, work = args.cache / "scenes", args.cache / "corners"
    weights = training.finished("scenes.py", scenes, "train_corners.py", "--scenes", work, "corners", SHARDS, STEPS)
    args.out.mkdir(parents=True, exist_ok=True)
    common.deliver(quantized(weights, scenes), args.out / "document_corners.tflite")


if __name__ == "__main__":
    main()
