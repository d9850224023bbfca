"""Fine-tuning of a net for int8: the float net teaches its own copy that runs with simulated int8 rounding.

Weights: symmetric, one scale per output channel, 127 steps a side. Activations: one asymmetric range of 255 steps per
tensor, at the places where the TFLite graph has a tensor. Gradients pass rounding unchanged (straight-through).
The only data are the calibration inputs; labels are the float net's own outputs.
"""

import time

import numpy as np

from quantize import SAMPLES_PER_INPUT, least_error_range

LINEAR = ("conv", "dw", "add")


def points(net):
    """{result of an op: place of its range}; a place is a tensor of the TFLite graph: `out`, `out/leaky`, `out/mul`."""
    place = {}
    for op in net.ops:
        after = net.consumers(op["out"])
        fused = op["kind"] in LINEAR and len(after) == 1 and after[0]["kind"] == "relu"
        if op["kind"] in ("pad", "maxpool", "reshape"):
            place[op["out"]] = None
        elif op["kind"] == "relu" and net.producer(op["ins"][0])["kind"] not in LINEAR:
            raise ValueError(f"{op['out']}: ReLU after {net.producer(op['ins'][0])['kind']} has no fused form")
        elif fused or op["kind"] == "concat":
            place[op["out"]] = None
        else:
            place[op["out"]] = op["out"]
    return place


class Student:
    """The net with simulated rounding.

    fixed: {place: (lo, hi)} of ranges that stay. shared: {place: other place} for tensors that must have one range.
    relevant: {(h, w): cells [n, h, w] bool} for `inputs`, see `_start`.
    unclipped: heights of maps whose range is the full one seen, and stays.
    """

    def __init__(self, net, inputs, input_range, fixed=None, shared=None, relevant=None, unclipped=()):
        import tensorflow as tf

        self.net, self.place, self.shared = net, points(net), shared or {}
        self.weights = {op["out"]: (tf.Variable(op["w"]), tf.Variable(op["b"])) for op in net.ops if op["kind"] in ("conv", "dw")}
        # The int8 kernel of the logistic has one range only.
        logistic = {op["out"]: (0.0, 255 / 256) for op in net.ops if op["kind"] == "logistic"}
        fixed = {net.input["out"]: input_range} | logistic | (fixed or {})
        self.base = self._start(inputs, relevant or {}, unclipped) | fixed
        self.stretch = {k: tf.Variable(np.zeros(2, np.float32), trainable=k not in fixed and k not in self.wide) for k in self.base}

    def _start(self, inputs, relevant, unclipped):
        """Ranges of least error over the inputs, by place; of maps of a size in `relevant` only the cells marked there count."""
        import tensorflow as tf

        rng, run, seen, self.wide = np.random.default_rng(0), tf.function(lambda x: self._run(x, False)[1]), {}, set()
        for i in range(0, len(inputs), 25):
            for name, value in run(tf.constant(inputs[i:i + 25])).items():
                v = value.numpy()
                if v.shape[1:3] in relevant:
                    v = v[relevant[v.shape[1:3]][i:i + 25]]
                v = v.ravel()
                least, greatest, kept = seen.get(name, (0, 0, []))
                kept.append(rng.choice(v, min(v.size, 25 * SAMPLES_PER_INPUT), replace=False))
                if value.shape[1] in unclipped:
                    self.wide.add(name)
                seen[name] = (min(least, v.min()), max(greatest, v.max()), kept)
        choose = lambda k, v: (float(v[0]), float(v[1])) if k in self.wide else least_error_range(np.concatenate(v[2]), v[0], v[1])
        return {k: choose(k, v) for k, v in seen.items()}

    def range(self, name):
        import tensorflow as tf

        lo, hi = self.base[name]
        s = tf.exp(self.stretch[name])
        return lo * s[0], hi * s[1]

    def ranges(self):
        return {k: tuple(float(v) for v in self.range(self.shared.get(k, k))) for k in self.base}

    def _weight(self, op):
        import tensorflow as tf

        w, _ = self.weights[op["out"]]
        axes = [0, 1, 2] if op["kind"] == "conv" else [0, 1]
        step = tf.maximum(tf.stop_gradient(tf.reduce_max(tf.abs(w), axes)), 1e-9) / 127
        return w + tf.stop_gradient(tf.round(w / step) * step - w)

    def _run(self, x, rounding):
        import tensorflow as tf

        tensors, results = {}, {}

        def at(name, value):
            tensors[name] = value
            if not rounding:
                return value
            return tf.quantization.fake_quant_with_min_max_vars(value, *self.range(self.shared.get(name, name)))

        for op in self.net.ops:
            kind, out, args = op["kind"], op["out"], [results[i] for i in op["ins"]]
            if kind == "input":
                y = x
            elif kind in ("conv", "dw"):
                y, pad, (sy, sx) = args[0], op["pad"], op["stride"]
                w = self._weight(op) if rounding else self.weights[out][0]
                if pad != "SAME":
                    y = tf.pad(y, [(0, 0), *pad, (0, 0)]) if any(map(any, pad)) else y
                    pad = "VALID"
                y = tf.nn.conv2d(y, w, [1, sy, sx, 1], pad) if kind == "conv" else tf.nn.depthwise_conv2d(y, w[..., None], [1, sy, sx, 1], pad)
                y = y + self.weights[out][1]
            elif kind == "relu":
                y = tf.nn.relu(args[0])
            elif kind == "leaky_add":
                # The factors are one int8 tensor with one asymmetric range, as the quantizer writes constants.
                c = op["c"]
                if rounding:
                    lo, hi = min(0.0, c.min()), max(0.0, c.max())
                    c = tf.quantization.fake_quant_with_min_max_args(c, lo, hi)
                y = at(out + "/leaky", tf.nn.leaky_relu(args[0], op["alpha"])) + at(out + "/mul", args[0] * c)
            elif kind == "add":
                y = args[0] + args[1]
            elif kind == "pad":
                y = tf.pad(args[0], op["pads"])
            elif kind == "maxpool":
                y = tf.nn.max_pool2d(args[0], op["size"], op["stride"], op["pad"])
            elif kind == "mean":
                y = tf.reduce_mean(args[0], [1, 2], keepdims=True)
            elif kind == "logistic":
                y = tf.sigmoid(args[0])
            elif kind == "mul":
                y = args[0] * args[1]
            elif kind == "reshape":
                width = int(np.prod(args[0].shape[1:]))
                y = tf.reshape(args[0], [-1] + [d if d > 0 else width for d in op["shape"][1:]])
            elif kind == "concat":
                y = tf.concat(args, op["axis"])
            else:
                raise ValueError(f"{out}: op {kind} is not simulated")
            results[out] = at(out, y) if self.place[out] else y
        return results, tensors

    def run(self, x, rounding=True):
        """{result: value} of all ops."""
        return self._run(x, rounding)[0]

    def tensors(self, x):
        """{place: value} without rounding."""
        return self._run(x, False)[1]

    def write_back(self):
        """Puts the tuned weights into the net."""
        for op in self.net.ops:
            if op["out"] in self.weights:
                op["w"], op["b"] = (v.numpy() for v in self.weights[op["out"]])


def tune(student, teacher, inputs, loss, steps, batch=32, rate=2e-4, range_rate=1e-3, seed=0, report=50):
    """Trains the student against the float function `teacher` (x -> {result: value}) by loss(student results, teacher results)."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    slow = [v for pair in student.weights.values() for v in pair]
    fast = [v for v in student.stretch.values() if v.trainable]
    # Weights of a net differ in size: the step is relative to the tensor's root mean square.
    size = [float(np.sqrt(np.mean(v.numpy() ** 2))) + 1e-6 for v in slow]
    decay = tf.keras.optimizers.schedules.CosineDecay
    moments = [(tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v))) for v in slow + fast]
    step_rates = [rate * s for s in size] + [range_rate] * len(fast)
    schedule = decay(1.0, steps, alpha=0.02)

    @tf.function
    def step(x, count):
        target = teacher(x)
        with tf.GradientTape() as tape:
            value = loss(student.run(x), target)
        gradients = tape.gradient(value, slow + fast)
        # Adam (Kingma and Ba 2014), written out for the step per tensor.
        for v, g, (m, n), r in zip(slow + fast, gradients, moments, step_rates):
            if g is None:
                continue
            m.assign(0.9 * m + 0.1 * g)
            n.assign(0.99 * n + 0.01 * g * g)
            mean, square = m / (1 - 0.9 ** (count + 1)), n / (1 - 0.99 ** (count + 1))
            v.assign_sub(r * schedule(count) * mean / (tf.sqrt(square) + 1e-12))
        return value

    begin, recent = time.time(), []
    for i in range(steps):
        chosen = np.sort(rng.choice(len(inputs), batch, replace=False))
        recent.append(float(step(tf.constant(inputs[chosen]), tf.constant(i, tf.float32))))
        if (i + 1) % report == 0 or i == 0:
            print(f"step {i + 1}: loss {np.mean(recent):.6f}, {time.time() - begin:.0f} s", flush=True)
            recent = []
