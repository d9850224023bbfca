"""What the trainings of the line reader and of the corner net share: schedule, log, weights at intervals, going on after a break.

One thread and a seed for everything that is drawn: two runs on one machine gave the same weights, byte for byte. What a step gets depends on
its number only, so a training that was broken off goes on as if it had not been.
"""

import time

import numpy as np

SEED = 20261125
WARM_UP = 300
DECAY = 1e-4
FALL_FROM = 0.7
"""Share of the steps after which the learning rate falls; a training that starts from weights has it fall from the start."""
KEEP_EVERY = 256


def finished(generator, examples, trainer, option, work, name, shards, steps, first_shard=0, start=None):
    """Path of the last weights of a training; draws the examples and trains, or goes on, if they are not there."""
    import subprocess
    import sys

    import common

    weights = work / f"{name}-{steps:05d}.weights.h5"
    if not weights.exists():
        run = lambda script, *options: subprocess.run([sys.executable, str(common.HERE / script), *map(str, options)], check=True)
        run(generator, "--out", examples, "--shards", first_shard + shards)
        states = sorted(work.glob("state-*.index"))
        resume = states[-1].stem.removeprefix("state-") if states else 0
        more = ("--first-shard", first_shard, "--start", start) if start else ()
        run(trainer, option, examples, "--out", work, "--shards", shards, "--steps", steps, "--resume", resume, *more)
    return weights


def add_arguments(parser, steps, batch):
    import pathlib

    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for weights and log")
    parser.add_argument("--steps", type=int, default=steps, help=f"steps of {batch} examples (default: %(default)s)")
    parser.add_argument("--start", type=pathlib.Path, help="weights to start from, for the second part of a training")
    parser.add_argument("--resume", type=int, default=0, help="step whose state in --out is gone on from")
    parser.add_argument("--stop", type=int, default=0, help="end after this step of the schedule, for trials")


def frozen(model, shape):
    """The net as a function of its input to a list of outputs, its weights constants, as quantize.py wants it."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    outputs = lambda image: tf.nest.flatten(model(image, training=False))
    concrete = tf.function(outputs).get_concrete_function(tf.TensorSpec(shape, tf.float32, name="image"))
    return convert_variables_to_constants_v2(concrete)


def prepare():
    """One thread, seeds set; before a net is made."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.keras.utils.set_random_seed(SEED)


def rate(step, total, peak, fall_from):
    """Learning rate: rises, stays, falls to nothing over the last part. What comes before the fall does not depend on `total`."""
    falling = (total - step) / ((1 - fall_from) * total)
    return peak * min(1.0, step / WARM_UP, max(falling, 0.005))


def grouped(folder, load, shards, group, per_shard, batch, first, first_shard=0):
    """(step, arrays of the group, chosen rows, generator) from step `first` on, without end; shards are shuffled within groups."""
    per_group = group * per_shard // batch
    step = first
    while True:
        turn = (step - 1) // per_group
        parts = [load(folder, first_shard + turn % (shards // group) * group + i) for i in range(group)]
        arrays = [np.concatenate(p) for p in zip(*parts)]
        order = np.random.default_rng([SEED, turn]).permutation(len(arrays[0]))
        while (step - 1) // per_group == turn:
            place = (step - 1) % per_group * batch
            yield step, arrays, np.sort(order[place:place + batch]), np.random.default_rng([SEED, turn, step])
            step += 1


def train(args, name, model, peak, loss_of, batches):
    """Runs the schedule. loss_of(*batch, late): mean loss, inside a gradient tape; `late` once the rate falls. batches(first): (step, batch)."""
    import tensorflow as tf

    optimizer = tf.keras.optimizers.AdamW(peak, weight_decay=DECAY, clipnorm=5.0)
    optimizer.build(model.trainable_variables)
    state = tf.train.Checkpoint(model=model, optimizer=optimizer)
    args.out.mkdir(parents=True, exist_ok=True)
    fall_from = FALL_FROM
    if args.start:
        model.load_weights(str(args.start))
        fall_from = 0.0
    if args.resume:
        state.read(str(args.out / f"state-{args.resume:05d}")).assert_existing_objects_matched()
    print(f"{model.count_params()} parameters, {args.steps} steps", flush=True)

    def one(late):
        @tf.function
        def step(*batch):
            with tf.GradientTape() as tape:
                loss = loss_of(*batch, late)
            optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
            return loss

        return step

    kinds, begin, recent = {late: one(late) for late in (False, True)}, time.time(), []
    with (args.out / "training.csv").open("a" if args.resume else "w") as log:
        for i, batch in batches(args.resume + 1):
            optimizer.learning_rate.assign(rate(i, args.steps, peak, fall_from))
            recent.append(float(kinds[i > fall_from * args.steps](*batch)))
            if i % 64 == 0:
                log.write(f"{i},{np.mean(recent):.5f},{time.time() - begin:.0f}\n")
                log.flush()
                recent = []
            if i % KEEP_EVERY == 0 or i in (args.steps, args.stop):
                model.save_weights(str(args.out / f"{name}-{i:05d}.weights.h5"))
                state.write(str(args.out / f"state-{i:05d}"))
            if i in (args.steps, args.stop):
                break
