"""Trains the corner net on the scenes of scenes.py; writes weights at intervals and `training.csv` (step, loss, seconds).

`train_corners.py --scenes DIR --out DIR`. Heat maps learn a small hill on each corner (cross entropy over the map), the class head the kind.
"""

import argparse
import pathlib
import time

import common  # noqa: F401  (quiet TensorFlow)
import numpy as np

import training
from scenes import NOTHING, SHARD, SIDE

BATCH = 32
GROUP = 2
PEAK_RATE = 2e-3
STEPS_OF_TRAINING = 3072
MAP, CLASSES = 48, 6
HILL = 1.2
"""Standard deviation of the hill in cells of the map."""
CLASS_WEIGHT = 0.5


def network():
    """RGB [n, 192, 192, 3] in -1..1 to heat maps [n, 48, 48, 4] and classes [n, 6]."""
    import tensorflow as tf

    layers = tf.keras.layers

    def conv(x, filters, kernel=3, stride=1):
        x = layers.Conv2D(filters, kernel, stride, "same", use_bias=False)(x)
        return layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.97)(x))

    def join(low, high, filters):
        # Nearest neighbour by 2, in the ops that have int8 kernels in XNNPACK.
        low = conv(low, filters, 1)
        low = layers.Lambda(lambda v: tf.nn.depth_to_space(v, 2))(layers.Concatenate()([low] * 4))
        return conv(layers.Add()([low, conv(high, filters, 1)]), filters)

    x = image = layers.Input((SIDE, SIDE, 3), name="image")
    x = conv(x, 12, 3, 2)
    quarter = conv(x, 24, 3, 2)
    eighth = conv(conv(quarter, 40, 3, 2), 40)
    sixteenth = conv(conv(eighth, 72, 3, 2), 72)
    deep = conv(conv(conv(sixteenth, 104, 3, 2), 104), 104)
    heat = layers.Conv2D(4, 1, name="heat_maps")(join(join(join(deep, sixteenth, 72), eighth, 40), quarter, 24))
    kind = layers.GlobalAveragePooling2D(keepdims=True)(conv(deep, 96, 1))
    kind = layers.Reshape((CLASSES,), name="document_class")(layers.Conv2D(CLASSES, 1)(kind))
    return tf.keras.Model(image, [heat, kind])


def load_shard(folder, index):
    """Arrays of a shard; waits for it, so that drawing and training may run at once."""
    path = folder / f"scenes-{index:03d}.npz"
    while not path.exists():
        time.sleep(5)
    with np.load(path) as z:
        return z["x"], z["corners"], z["kind"]


def batches(folder, shards, first):
    """(step, (pictures, corners, kinds)); a quarter is mirrored, all get another colour of light and another exposure."""
    for step, (x, corners, kind), chosen, rng in training.grouped(folder, load_shard, shards, GROUP, SHARD, BATCH, first):
        picked, places = x[chosen].astype(np.float32) / 127.5 - 1, corners[chosen].copy()
        mirror = rng.random(BATCH) < 0.25
        picked[mirror] = picked[mirror, :, ::-1]
        places[mirror] = places[mirror][:, [1, 0, 3, 2]] * np.float32([-1, 1]) + np.float32([1, 0])
        gain, offset = rng.uniform(0.7, 1.25, (BATCH, 1, 1, 3)), rng.uniform(-0.2, 0.2, (BATCH, 1, 1, 1))
        yield step, (np.clip(picked * gain + offset, -1, 1).astype(np.float32), places, kind[chosen])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=pathlib.Path, required=True, help="folder of the shards of scenes.py")
    parser.add_argument("--shards", type=int, default=12, help=f"shards that are used, a multiple of {GROUP} (default: %(default)s)")
    training.add_arguments(parser, STEPS_OF_TRAINING, BATCH)
    args = parser.parse_args()
    if args.shards < GROUP or args.shards % GROUP:
        parser.error(f"--shards {args.shards}: has to be a multiple of {GROUP}, since so many are shuffled together")
    training.prepare()
    import tensorflow as tf

    model = network()
    cells = (tf.range(MAP, dtype=tf.float32) + 0.5) / MAP

    def loss_of(x, corners, kind, late):
        heat, classes = model(x, training=True)
        across = (cells[None, None, None, :] - corners[:, :, 0, None, None]) ** 2
        down = (cells[None, None, :, None] - corners[:, :, 1, None, None]) ** 2
        hill = tf.reshape(tf.exp(-(across + down) * MAP**2 / (2 * HILL**2)), [-1, 4, MAP * MAP])
        hill = hill / (tf.reduce_sum(hill, -1, keepdims=True) + 1e-6)
        logs = tf.nn.log_softmax(tf.reshape(tf.transpose(heat, [0, 3, 1, 2]), [-1, 4, MAP * MAP]))
        there = tf.cast(kind != NOTHING, tf.float32)
        places = tf.reduce_sum(tf.reduce_mean(-tf.reduce_sum(hill * logs, -1), 1) * there) / (tf.reduce_sum(there) + 1e-3)
        return places + CLASS_WEIGHT * tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(kind, classes))

    training.train(args, "corners", model, PEAK_RATE, loss_of, lambda first: batches(args.scenes, args.shards, first))


if __name__ == "__main__":
    main()
