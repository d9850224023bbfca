"""Builds ../mrz_line_reader.tflite: draws the lines, trains the reader, quantizes it to int8 with int8 ends.

What is already in the cache is not made again: shards of lines, and the state of a training that was broken off.
Takes over an hour on one core.
"""

import common
import training

STEPS, SECOND_STEPS = 4096, 6144
SHARDS, SECOND_SHARDS = 16, 16
INPUT_RANGE = (-3.8, 3.8)
"""Standardised luminance; what lies beyond saturates."""
CALIBRATION = 400


def quantized(weights, lines):
    """int8 TFLite bytes."""
    import numpy as np
    import tensorflow as tf

    import quantize
    import train_lines

    model = train_lines.network()
    model.load_weights(str(weights))
    # A shard that the training has not seen would do as well; ranges are not sensitive to it.
    x = train_lines.load_shard(lines, SHARDS)[0][:CALIBRATION]
    inputs = np.clip(train_lines.standardised(tf.constant(x)).numpy(), *INPUT_RANGE)
    shape = (1, train_lines.HEIGHT, train_lines.WIDTH, 1)
    data = quantize.quantize(training.frozen(model, shape), shape, inputs, INPUT_RANGE)
    return common.finish(data, ["characters"], "line")


def main():
    args = common.arguments(__doc__)
    lines, work = args.cache / "lines", args.cache / "line_reader"
    first = training.finished("lines.py", lines, "train_lines.py", "--lines", work, "line_reader", SHARDS, STEPS)
    # lines.py says what is different in the later shards.
    second = args.cache / "line_reader_2"
    weights = training.finished("lines.py", lines, "train_lines.py", "--lines", second, "line_reader", SECOND_SHARDS, SECOND_STEPS, SHARDS, first)
    args.out.mkdir(parents=True, exist_ok=True)
    common.deliver(quantized(weights, lines), args.out / "mrz_line_reader.tflite")


if __name__ == "__main__":
    main()
