"""Trains the line reader on the shards of lines.py; writes weights at intervals and a log of what they are worth.

`train_lines.py --lines DIR --out DIR`: `line_reader-00256.weights.h5` and so on, `training.csv` (step, loss, seconds).

The generator knows where every character stands, so most of the training has no alignment to find: a step is asked for its
character, for a blank, or for either. The last part goes over to connectionist temporal classification (CTC), the loss that the
decoder of the booth assumes, which makes the answers sharp; training.py says when.
"""

import argparse
import pathlib
import time

import common  # noqa: F401  (quiet TensorFlow)
import numpy as np

import training
from line_texts import ALPHABET
from lines import HEIGHT, LONGEST, SHARD, WIDTH

STEPS, CLASSES = 144, len(ALPHABET) + 1
CELL = WIDTH // STEPS
BATCH = 32
GROUP = 4
"""Shards that are shuffled together."""
PEAK_RATE, SECOND_RATE = 3e-3, 1.2e-3
STEPS_OF_TRAINING = 4096
SHIFT = 3
"""Strips are shifted by up to so many pixels along the line, and a third of it across."""


def network():
    """grey [n, 32, 576, 1], standardised, to logits [n, 144, 38]; the height is gone early, as most of the cost is in the large maps."""
    import tensorflow as tf

    layers = tf.keras.layers

    def conv(x, filters, kernel, stride=1, padding="same"):
        x = layers.Conv2D(filters, kernel, stride, padding, use_bias=False)(x)
        return layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.97)(x))

    x = image = layers.Input((HEIGHT, WIDTH, 1), name="line")
    x = conv(x, 16, 3, 2)
    x = conv(x, 24, 3, 2)
    x = conv(x, 40, 3)
    x = conv(layers.MaxPooling2D((2, 1))(x), 56, 3)
    x = conv(layers.MaxPooling2D((2, 1))(x), 72, 3)
    x = conv(x, 80, (2, 1), padding="valid")
    # What stands beside a character helps to tell 0 from O.
    for _ in range(2):
        x = layers.Add()([x, conv(x, 80, (1, 5))])
    x = layers.Conv2D(CLASSES, 1, name="logits")(x)
    return tf.keras.Model(image, layers.Reshape((STEPS, CLASSES))(x))


def standardised(x):
    """As `normalise` of mrz_lines.rs."""
    import tensorflow as tf

    x = tf.cast(x, tf.float32)
    mean = tf.reduce_mean(x, [1, 2], keepdims=True)
    return ((x - mean) / (tf.math.reduce_std(x, [1, 2], keepdims=True) + 8))[..., None]


def encoded(texts):
    """Classes [n, LONGEST], 0 where a text has ended."""
    classes = np.zeros((len(texts), LONGEST), np.int32)
    for row, text in zip(classes, texts):
        row[:len(text)] = [ALPHABET.index(char) + 1 for char in text]
    return classes


def allowed(classes, places):
    """Two classes [n, 144, 2] that a step may answer (the same twice where only one is right)."""
    middles = np.arange(STEPS, dtype=np.float32) * CELL + CELL / 2
    far = np.where(np.isnan(places), np.inf, places)
    distance = np.abs(middles[None, :, None] - far[:, None, :])
    nearest = distance.argmin(2)
    least = np.take_along_axis(distance, nearest[..., None], 2)[..., 0]
    own = np.take_along_axis(classes, nearest, 1)
    n = np.maximum((classes > 0).sum(1), 2)
    pitch = (np.nan_to_num(places[np.arange(len(n)), n - 1]) - np.nan_to_num(places[:, 0])) / (n - 1)
    inside = np.floor(np.take_along_axis(np.where(np.isinf(far), -9, far), nearest, 1) / CELL) == np.arange(STEPS)
    blank = ~inside & (least >= pitch[:, None] / 2 - CELL / 2 - 0.01)
    first = np.where(blank, 0, own)
    return np.stack([first, np.where(inside, own, 0)], -1).astype(np.int32)


def decoded(best):
    """Texts of the most likely classes [n, 144]."""
    texts = []
    for row in best:
        keep = (row != 0) & (row != np.concatenate([[0], row[:-1]]))
        texts.append("".join(ALPHABET[k - 1] for k in row[keep]))
    return texts


def load_shard(folder, index):
    """Arrays of a shard; waits for it, so that drawing and training may run at once."""
    path = folder / f"lines-{index:03d}.npz"
    while not path.exists():
        time.sleep(5)
    with np.load(path) as z:
        return z["x"], encoded(z["y"]), z["at"]


def batches(folder, shards, first_shard, first):
    """(step, (strips, classes, allowed classes)) from step `first` on; every strip is shifted and a part of them gets noise."""
    for step, (x, classes, places), chosen, rng in training.grouped(folder, load_shard, shards, GROUP, SHARD, BATCH, first, first_shard):
        dx, dy = rng.integers(-SHIFT, SHIFT + 1, BATCH), rng.integers(-(SHIFT // 3), SHIFT // 3 + 1, BATCH)
        rows = np.clip(np.arange(HEIGHT)[None] - dy[:, None], 0, HEIGHT - 1)
        columns = np.clip(np.arange(WIDTH)[None] - dx[:, None], 0, WIDTH - 1)
        picked = x[chosen][np.arange(BATCH)[:, None, None], rows[:, :, None], columns[:, None, :]].astype(np.float32)
        noisy = rng.random(BATCH) < 0.4
        picked[noisy] += rng.uniform(0, 5, (noisy.sum(), 1, 1)).astype(np.float32) * rng.standard_normal((noisy.sum(), HEIGHT, WIDTH), np.float32)
        yield step, (picked, classes[chosen], allowed(classes[chosen], places[chosen] + dx[:, None]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=pathlib.Path, required=True, help="folder of the shards of lines.py")
    parser.add_argument("--shards", type=int, default=16, help=f"shards that are used, a multiple of {GROUP} (default: %(default)s)")
    parser.add_argument("--first-shard", type=int, default=0, help="the first of them (default: %(default)s)")
    training.add_arguments(parser, STEPS_OF_TRAINING, BATCH)
    args = parser.parse_args()
    if args.shards < GROUP or args.shards % GROUP:
        parser.error(f"--shards {args.shards}: has to be a multiple of {GROUP}, since so many are shuffled together")
    training.prepare()
    import tensorflow as tf

    model = network()

    def aligned(logits, pair):
        logs = tf.gather(tf.nn.log_softmax(logits), pair, batch_dims=2)
        once = tf.where(pair[..., 0] == pair[..., 1], logs[..., 0], tf.reduce_logsumexp(logs, -1))
        return -tf.reduce_mean(once, 1)

    def ctc(logits, classes):
        # An empty text has no path here: such lines are left to the aligned loss.
        safe = tf.concat([tf.maximum(classes[:, :1], 1), classes[:, 1:]], 1)
        return tf.nn.ctc_loss(tf.sparse.from_dense(safe), logits, None, tf.fill([tf.shape(logits)[0]], STEPS), logits_time_major=False, blank_index=0)

    def loss_of(x, classes, pair, late):
        logits = model(standardised(x), training=True)
        loss = aligned(logits, pair)
        if late:
            n = tf.reduce_sum(tf.cast(classes > 0, tf.float32), 1)
            loss = tf.where(n > 0, ctc(logits, classes) / tf.maximum(n, 1), loss)
        return tf.reduce_mean(loss)

    peak = SECOND_RATE if args.start else PEAK_RATE
    training.train(args, "line_reader", model, peak, loss_of, lambda first: batches(args.lines, args.shards, args.first_shard, first))


if __name__ == "__main__":
    main()
