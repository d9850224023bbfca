"""PaddleOCR's ONNX nets as TensorFlow: the convolution trunk op by op in NHWC, the reader's transformer neck by its weights.

`read` folds what the exporter left (Identity, biases apart from their convolution, batch normalisation, the five ops of a GELU)
into a list of ops as in net.py. Further kinds beside those of net.py:

| kind         | fields                                                                        |
|--------------|-------------------------------------------------------------------------------|
| gelu, swish, sigmoid |                                                                       |
| hard_sigmoid | alpha: relu6-like, clip(alpha*x + 0.5, 0, 1)                                    |
| mul          |                                                                               |
| mean         | over height and width, kept                                                   |
| avepool      | size, stride                                                                  |
| enlarge      | by: nearest neighbour, so many times as high and wide                         |
| deconv       | w [kh, kw, cout, cin], b; stride = kernel                                     |
"""

import numpy as np

import net


class _Source:
    """The nodes of an ONNX graph without Identity and Constant, their weights, and who uses what."""

    def __init__(self, path):
        import onnx
        from onnx import numpy_helper

        graph = onnx.load(path).graph
        self.path, self.input, self.output = path, graph.input[0].name, graph.output[0].name
        self.weights = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.same = {}
        self.nodes = []
        for node in graph.node:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "Constant":
                self.weights[node.output[0]] = numpy_helper.to_array(attributes["value"])
            elif node.op_type == "Identity":
                self.same[node.output[0]] = self.root(node.input[0])
            else:
                ins = [self.root(i) for i in node.input if i]
                self.nodes.append((node.op_type, ins, node.output[0], attributes))
        self.output = self.root(self.output)
        self.users = {}
        for node in self.nodes:
            for name in node[1]:
                self.users.setdefault(name, []).append(node)

    def root(self, name):
        return self.same.get(name, name)

    def weight(self, name):
        found = self.weights.get(name)
        return None if found is None else np.asarray(found, np.float32)

    def only_user(self, name, kind):
        """The one node that uses `name`, if it is of this kind."""
        users = self.users.get(name, [])
        return users[0] if len(users) == 1 and users[0][0] == kind else None


def read(path, until=()):
    """The net from its input to the results named in `until` (default: its output), as net.Net; and the source, for what follows."""
    source = _Source(path)
    result = net.Net(ops=[{"kind": "input", "ins": [], "out": source.input}], outputs=[source.root(o) for o in until or [source.output]])
    known, done = {source.input}, set()
    for kind, ins, out, attributes in source.nodes:
        if out in done:
            continue
        op = _gelu(source, kind, ins, out, done) or _swish(source, kind, ins, out, done) or _plain(source, kind, ins, out, attributes, done)
        if not set(op["ins"]) <= known:
            raise ValueError(f"{path}: {kind} {out}: uses a result that was not made")
        result.ops.append(op)
        known.add(op["out"])
        if known.issuperset(result.outputs):
            return result, source
    raise ValueError(f"{path}: not all of {result.outputs} are made")


def _gelu(source, kind, ins, out, done):
    """x/sqrt(2) -> erf -> +1 -> *x -> *0.5."""
    erf = source.only_user(out, "Erf") if kind == "Div" else None
    if not erf:
        return None
    one = source.only_user(erf[2], "Add")
    product = source.only_user(one[2], "Mul")
    half = source.only_user(product[2], "Mul")
    scalars = [float(source.weight(n[1][1])) for n in (one, half)]
    if ins[0] not in product[1] or scalars != [1.0, 0.5] or abs(float(source.weight(ins[1])) - 2**0.5) > 1e-4:
        raise ValueError(f"{source.path}: Erf {erf[2]}: not the five ops of a GELU")
    done.update(n[2] for n in (erf, one, product, half))
    return {"kind": "gelu", "ins": [ins[0]], "out": half[2]}


def _swish(source, kind, ins, out, done):
    """sigmoid(x)*x."""
    product = source.only_user(out, "Mul") if kind == "Sigmoid" else None
    if not product or ins[0] not in product[1]:
        return None
    done.add(product[2])
    return {"kind": "swish", "ins": [ins[0]], "out": product[2]}


def _plain(source, kind, ins, out, attributes, done):
    op = {"ins": [i for i in ins if i not in source.weights], "out": out}
    if kind == "Conv":
        return op | _convolution(source, ins, attributes, op, done)
    if kind == "ConvTranspose":
        w = source.weight(ins[1])
        if list(attributes["kernel_shape"]) != list(attributes["strides"]) or any(attributes.get("pads", [0])) or w.shape[2] != w.shape[3]:
            raise ValueError(f"{source.path}: ConvTranspose {out}: only square kernels of the stride's size without padding")
        bias = source.weight(ins[2]) if len(ins) > 2 else np.zeros(w.shape[1], np.float32)
        bias, op["out"] = _bias(source, out, bias, done)
        return op | {"kind": "deconv", "w": w.transpose(2, 3, 1, 0).copy(), "b": bias}
    if kind in ("Add", "Mul", "Relu", "Sigmoid"):
        if len(op["ins"]) != len(ins):
            raise ValueError(f"{source.path}: {kind} {out} with a constant")
        return op | {"kind": kind.lower()}
    if kind == "HardSigmoid":
        return op | {"kind": "hard_sigmoid", "alpha": float(attributes["alpha"])}
    if kind in ("GlobalAveragePool", "ReduceMean"):
        return op | {"kind": "mean"}
    if kind == "Concat":
        return op | {"kind": "concat", "axis": -1}
    if kind == "Resize":
        scales = source.weight(ins[-1])
        if attributes["mode"] != b"nearest" or list(scales[:2]) != [1, 1] or scales[2] != scales[3]:
            raise ValueError(f"{source.path}: Resize {out}: only nearest neighbour, equally in both directions")
        return op | {"kind": "enlarge", "ins": [ins[0]], "by": int(scales[2])}
    if kind in ("MaxPool", "AveragePool"):
        pad = "SAME" if attributes.get("auto_pad") == b"SAME_UPPER" else "VALID"
        return op | {"kind": {"MaxPool": "maxpool", "AveragePool": "avepool"}[kind], "size": tuple(attributes["kernel_shape"]), "stride": tuple(attributes["strides"]), "pad": pad}
    raise ValueError(f"{source.path}: op {kind} ({out}) is not read")


def _convolution(source, ins, attributes, op, done):
    """A convolution with the bias and the batch normalisation behind it."""
    w = source.weight(ins[1])
    bias = source.weight(ins[2]) if len(ins) > 2 else np.zeros(w.shape[0], np.float32)
    bias, out = _bias(source, op["out"], bias, done)
    norm = source.only_user(out, "BatchNormalization")
    if norm:
        gamma, beta, mean, variance = (source.weight(i) for i in norm[1][1:5])
        factor = gamma / np.sqrt(variance + norm[3]["epsilon"])
        w, bias = w * factor.reshape(-1, 1, 1, 1), beta + (bias - mean) * factor
        done.add(norm[2])
        out = norm[2]
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    pad = "SAME" if attributes.get("auto_pad") == b"SAME_UPPER" else ((top, bottom), (left, right))
    depthwise = attributes.get("group", 1) != 1
    w = w[:, 0].transpose(1, 2, 0) if depthwise else w.transpose(2, 3, 1, 0)
    return {"kind": "dw" if depthwise else "conv", "w": np.ascontiguousarray(w, np.float32), "b": bias.astype(np.float32),
            "stride": tuple(attributes["strides"]), "pad": pad, "out": out}


def _bias(source, out, bias, done):
    """The bias that is added to `out` by a node of its own, and the name of the sum."""
    add = source.only_user(out, "Add")
    constants = [i for i in add[1] if i in source.weights] if add else []
    if not constants:
        return bias, out
    done.add(add[2])
    return bias + source.weight(constants[0]).reshape(-1), add[2]


def emit(graph, int8=False, runnable=False):
    """A function of one [1, h, w, c] float32 tensor that is the net in TensorFlow.

    runnable: TensorFlow itself can run it. It has no kernel for depthwise convolutions of unequal strides, which TFLite has; so
    without `runnable` it can only be converted, and with it TFLite has a STRIDED_SLICE that no fast kernel takes.
    int8: write GELU as x*sigmoid(1.702x), off by at most 0.021, because XNNPACK has int8 kernels for that and none for GELU.
    """
    import tensorflow as tf

    def convolve(x, op):
        pad, (sy, sx) = op["pad"], op["stride"]
        if pad != "SAME":
            if any(map(any, pad)):
                x = tf.pad(x, [(0, 0), *pad, (0, 0)])
            pad = "VALID"
        if op["kind"] == "conv":
            y = tf.nn.conv2d(x, op["w"], [1, sy, sx, 1], pad)
        elif sy == sx or not runnable:
            y = tf.nn.depthwise_conv2d(x, op["w"][..., None], [1, sy, sx, 1], pad)
        else:
            y = tf.nn.depthwise_conv2d(x, op["w"][..., None], [1, 1, 1, 1], pad)[:, ::sy, ::sx, :]
        return tf.nn.bias_add(y, op["b"])

    def deconvolve(x, op):
        # Stride = kernel: a pointwise convolution to all pixels of a cell, laid out by DEPTH_TO_SPACE. TRANSPOSE_CONV is slow in int8.
        kh, kw, cout, cin = op["w"].shape
        cells = op["w"].transpose(3, 0, 1, 2).reshape(1, 1, cin, kh * kw * cout)
        y = tf.nn.bias_add(tf.nn.conv2d(x, cells, 1, "VALID"), np.tile(op["b"], kh * kw))
        return tf.nn.depth_to_space(y, kh)

    def enlarge(x, op):
        # XNNPACK has no nearest neighbour, but it has CONCATENATION of up to four, which is the same with RESHAPE around it.
        by = op["by"]
        while by > 1:
            n = 4 if by % 4 == 0 else 2
            _, h, w, c = x.shape
            wide = tf.reshape(tf.concat([x] * n, -1), [1, h, 1, n * w * c])
            x = tf.reshape(tf.concat([wide] * n, 2), [1, n * h, n * w, c])
            by //= n
        return x

    def hard_sigmoid(x, op):
        # The form that becomes ADD with a fused RELU6 and MUL.
        return tf.nn.relu6(x * (op["alpha"] * 6) + 3) / 6

    def gelu(x, op):
        return x * tf.sigmoid(1.702 * x) if int8 else tf.nn.gelu(x)

    def swish(x, op):
        return x * tf.sigmoid(x)

    def relu(x, op):
        return tf.nn.relu(x)

    def sigmoid(x, op):
        return tf.sigmoid(x)

    def mean(x, op):
        return tf.reduce_mean(x, [1, 2], keepdims=True)

    def maxpool(x, op):
        return tf.nn.max_pool2d(x, op["size"], op["stride"], op["pad"])

    def avepool(x, op):
        return tf.nn.avg_pool2d(x, op["size"], op["stride"], op["pad"])

    kinds = {"conv": convolve, "dw": convolve, "deconv": deconvolve, "hard_sigmoid": hard_sigmoid, "relu": relu, "sigmoid": sigmoid,
             "gelu": gelu, "swish": swish, "mean": mean, "enlarge": enlarge, "maxpool": maxpool, "avepool": avepool}

    def run(image):
        results = {}
        for op in graph.ops:
            args = [results[i] for i in op["ins"]]
            if op["kind"] == "input":
                y = image
            elif op["kind"] == "add":
                y = args[0] + args[1]
            elif op["kind"] == "mul":
                y = args[0] * args[1]
            elif op["kind"] == "concat":
                y = tf.concat(args, op["axis"])
            else:
                y = kinds[op["kind"]](args[0], op)
            results[op["out"]] = y
        return [results[o] for o in graph.outputs]

    return run


class Neck:
    """The reader's transformer and its last layer, by their weights in the order of the graph (PP-OCRv6: SVTR with two blocks)."""

    HEADS = 8

    def __init__(self, source, after):
        """`after`: name of the trunk's result that the neck begins with."""
        names = [n[2] for n in source.nodes]
        rest = [n for n in source.nodes[names.index(source.root(after)) + 1:]]
        vectors = [(kind, source.weight(i)) for kind, ins, _, _ in rest for i in ins if kind in ("MatMul", "Mul", "Add") and i in source.weights]
        # Epsilons and the scale of the queries are single numbers; the latter is known, 1/sqrt(width of a head).
        vectors = [(kind, v) for kind, v in vectors if v.size > 1]
        expected = (["Mul", "Add"] + ["MatMul", "Add"] * 2) * 4 + ["Mul", "Add"] + ["MatMul", "Add"]
        if [kind for kind, _ in vectors] != expected:
            raise ValueError(f"{source.path}: the neck has other parts than two blocks of attention and a last layer")
        pairs = [(vectors[i][1], vectors[i + 1][1]) for i in range(0, len(vectors), 2)]
        self.blocks = [dict(zip(("norm_1", "qkv", "projection", "norm_2", "wide", "narrow"), pairs[6 * k:6 * k + 6], strict=True)) for k in range(2)]
        self.norm, (self.last, self.last_bias) = pairs[12], pairs[13]

    def emit(self):
        """A function of the trunk's two results [1, 1, n, c] (what the neck begins with, what goes past it) to logits [1, n, classes]."""
        import tensorflow as tf

        def norm(x, pair, epsilon):
            mean = tf.reduce_mean(x, -1, keepdims=True)
            variance = tf.reduce_mean(tf.math.squared_difference(x, mean), -1, keepdims=True)
            return (x - mean) * tf.math.rsqrt(variance + epsilon) * pair[0] + pair[1]

        def full(x, w, b):
            return tf.matmul(x, w) + b

        def attention(x, w, b):
            n, c = x.shape[1:]
            heads, width = self.HEADS, c // self.HEADS
            scales = (width**-0.5, 1.0, 1.0)
            q, k, v = (tf.transpose(tf.reshape(full(x, w[:, i * c:(i + 1) * c] * s, b[i * c:(i + 1) * c] * s), [n, heads, width]), [1, 0, 2])
                       for i, s in enumerate(scales))
            mixed = tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True)), v)
            return tf.reshape(tf.transpose(mixed, [1, 0, 2]), [1, n, c])

        def run(begin, past):
            x = tf.squeeze(begin, 1)
            for block in self.blocks:
                x += full(attention(norm(x, block["norm_1"], 1e-5), *block["qkv"]), *block["projection"])
                y = full(norm(x, block["norm_2"], 1e-5), *block["wide"])
                x += full(y * tf.sigmoid(y), *block["narrow"])
            return full(norm(x, self.norm, 1e-6) + tf.squeeze(past, 1), self.last, self.last_bias)

        return run
