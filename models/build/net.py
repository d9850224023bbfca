"""Intermediate form of a plain convolution net: read it from ONNX or TFLite, rewrite it, emit it as TensorFlow.

A net is a list of ops in execution order. Every op is a dict with `kind`, `out` (name of its result), `ins` (names of its
operands) and the fields of its kind. Activations are NHWC with a batch of one; arrays are float32.

| kind    | fields                                                                                         |
|---------|------------------------------------------------------------------------------------------------|
| input   | shape [1, h, w, c]                                                                             |
| conv    | w [kh, kw, cin, cout], b [cout], stride (y, x), pad ((top, bottom), (left, right)) or "SAME"    |
| dw      | w [kh, kw, c], b [c], stride, pad as above (depth multiplier 1)                                 |
| prelu   | a [c]: x where x > 0, else a*x                                                                 |
| leaky_add | alpha, c [c]: leaky_relu(x, alpha) + c*x, see `leaky_slopes`                                  |
| relu    |                                                                                                |
| add     |                                                                                                |
| pad     | pads [4][2]: zero padding                                                                      |
| maxpool | size (y, x), stride (y, x), pad "SAME" or "VALID"                                               |
| mean    | mean over height and width, which become 1 (MEAN; XNNPACK has no int8 average over a whole map of a pooling op) |
| logistic |                                                                                               |
| mul     | a map times one factor per channel: ins are the map and the [1, 1, 1, c] factors                |
| reshape | shape                                                                                          |
| concat  | axis                                                                                           |
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Net:
    """Ops in execution order and the names of the results that are the net's outputs, in the source's order."""

    ops: list = field(default_factory=list)
    outputs: list = field(default_factory=list)

    @property
    def input(self):
        return next(op for op in self.ops if op["kind"] == "input")

    def consumers(self, name):
        return [op for op in self.ops if name in op["ins"]]

    def producer(self, name):
        return next(op for op in self.ops if op["out"] == name)


def from_onnx(path):
    """Reads a net of convolutions, PRelu, Relu, Add, squeeze-excite (GlobalAveragePool, Sigmoid, Mul) and, behind a flattening
    of a 1x1 map, MatMul and BatchNormalization; ONNX is NCHW, so weights are transposed.

    MatMul becomes a 1x1 convolution before the flattening, BatchNormalization is folded into it.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    weights = {t.name: numpy_helper.to_array(t).astype(np.float32) for t in model.graph.initializer if t.data_type == 1}
    net = Net()
    source = model.graph.input[0]
    n, c, h, w = [d.dim_value for d in source.type.tensor_type.shape.dim]
    net.ops.append({"kind": "input", "ins": [], "out": source.name, "shape": [n, h, w, c]})
    # Results that only say a shape; and {flattened result: the 1x1 map it was}.
    shapes, flat = set(), {}
    for node in model.graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type in ("Shape", "Constant") or node.input and all(i in shapes or i in weights or i in constants(model) for i in node.input):
            shapes.add(node.output[0])
            continue
        op = {"ins": [i for i in node.input if i and i not in weights and i not in shapes], "out": node.output[0]}
        if node.op_type == "Conv":
            kernel = weights[node.input[1]]
            top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
            bias = weights[node.input[2]] if len(node.input) > 2 else np.zeros(kernel.shape[0], np.float32)
            op |= {"b": bias, "stride": tuple(attributes.get("strides", [1, 1])), "pad": ((top, bottom), (left, right))}
            group = attributes.get("group", 1)
            if group == 1:
                op |= {"kind": "conv", "w": kernel.transpose(2, 3, 1, 0).copy()}
            else:
                if group != kernel.shape[0] or kernel.shape[1] != 1:
                    raise ValueError(f"{path}: Conv {op['out']}: group {group} with kernel {kernel.shape}; only 1 or one per channel")
                op |= {"kind": "dw", "w": kernel[:, 0].transpose(1, 2, 0).copy()}
        elif node.op_type == "PRelu":
            op |= {"kind": "prelu", "a": weights[node.input[1]].reshape(-1)}
        elif node.op_type == "Add":
            op |= {"kind": "add"}
        elif node.op_type == "Relu":
            op |= {"kind": "relu"}
        elif node.op_type == "GlobalAveragePool":
            op |= {"kind": "mean"}
        elif node.op_type == "Sigmoid":
            op |= {"kind": "logistic"}
        elif node.op_type == "Mul":
            if len(op["ins"]) != 2 or net.producer(op["ins"][1])["kind"] != "logistic":
                raise ValueError(f"{path}: Mul {op['out']}: only a map times the factors of a Sigmoid is read")
            op |= {"kind": "mul"}
        elif node.op_type == "Reshape":
            # Only the flattening of a 1x1 map at the end, where NCHW and NHWC agree.
            flat[op["out"]] = node.input[0]
            op |= {"kind": "reshape", "shape": [1, -1], "ins": [node.input[0]]}
        elif node.op_type == "MatMul" and node.input[0] in flat:
            kernel = weights[node.input[1]]
            net.ops = [o for o in net.ops if o["out"] != node.input[0]]
            op |= {"kind": "conv", "w": kernel[None, None], "b": np.zeros(kernel.shape[1], np.float32), "stride": (1, 1), "pad": ((0, 0), (0, 0)),
                   "ins": [flat[node.input[0]]], "out": op["out"] + "/map"}
            flat[node.output[0]] = op["out"]
            net.ops += [op, {"kind": "reshape", "shape": [1, -1], "ins": [op["out"]], "out": node.output[0]}]
            continue
        elif node.op_type == "BatchNormalization" and node.input[0] in flat:
            gain, shift, mean, variance = (weights[i] for i in node.input[1:5])
            gain = gain / np.sqrt(variance + attributes["epsilon"])
            before = net.producer(flat[node.input[0]])
            scale_result(before, gain)
            before["b"] = (before["b"] + shift - mean * gain).astype(np.float32)
            flat[node.output[0]] = flat[node.input[0]]
            net.ops[-1]["out"] = node.output[0]
            continue
        else:
            raise ValueError(f"{path}: op {node.op_type} ({op['out']}) is not read")
        net.ops.append(op)
    net.outputs = [o.name for o in model.graph.output]
    return net


def constants(model):
    """Names of an ONNX model's initializers, whatever their type."""
    return {t.name for t in model.graph.initializer}


def merge_linear(net):
    """Merges a 1x1 convolution into the convolution before it where nothing lies between and nobody else looks there. Exact;
    edits the net in place and returns the number of convolutions that went away.

    A depthwise one before is merged only if its kernel covers the whole map, so that its result is one pixel: such kernels (64
    taps for 8x8) are slow in XNNPACK, and the product is small where few channels come out.
    """
    merged = 0
    for op in list(net.ops):
        if op["kind"] != "conv" or op["w"].shape[:2] != (1, 1) or op["stride"] != (1, 1):
            continue
        before = net.producer(op["ins"][0])
        whole = before["kind"] == "dw" and before["w"].shape[0] * before["w"].shape[1] > 25 and not any(map(any, before["pad"]))
        if not (before["kind"] == "conv" or whole) or len(net.consumers(before["out"])) != 1:
            continue
        kernel = op["w"][0, 0].astype(np.float64)
        before["b"] = (before["b"].astype(np.float64) @ kernel + op["b"]).astype(np.float32)
        w = before["w"].astype(np.float64)
        before["w"] = (w[..., None] * kernel if whole else w @ kernel).astype(np.float32)
        before["kind"], before["out"] = "conv", op["out"]
        net.ops.remove(op)
        merged += 1
    return merged


def from_tflite(path):
    """Reads a float net with float32 or float16 weights (DEQUANTIZE of constants is folded)."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(open(path, "rb").read(), 0))
    graph = model.subgraphs[0]
    codes = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}
    dtypes = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.FLOAT16: np.float16, schema.TensorType.INT32: np.int32}
    constants = {}
    for index, tensor in enumerate(graph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data):
            constants[index] = np.frombuffer(bytes(data), dtypes[tensor.type]).reshape(tensor.shape)
    name = lambda i: graph.tensors[i].name.decode()
    padding = lambda o: "SAME" if o.padding == schema.Padding.SAME else ((0, 0), (0, 0))
    net = Net()
    net.ops.append({"kind": "input", "ins": [], "out": name(graph.inputs[0]), "shape": [int(v) for v in graph.tensors[graph.inputs[0]].shape]})
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = codes[max(code.builtinCode, code.deprecatedBuiltinCode)]
        ins, out, options = list(operator.inputs), operator.outputs[0], operator.builtinOptions
        if kind == "DEQUANTIZE":
            constants[out] = constants[ins[0]].astype(np.float32)
            continue
        op = {"ins": [name(i) for i in ins if i >= 0 and i not in constants], "out": name(out)}
        fused = getattr(options, "fusedActivationFunction", 0)
        if kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            kernel, bias = constants[ins[1]].astype(np.float32), constants[ins[2]].astype(np.float32)
            op |= {"b": bias, "stride": (options.strideH, options.strideW), "pad": padding(options)}
            if kind == "CONV_2D":
                op |= {"kind": "conv", "w": kernel.transpose(1, 2, 3, 0).copy()}
            else:
                op |= {"kind": "dw", "w": kernel[0].copy()}
        elif kind == "PRELU":
            op |= {"kind": "prelu", "a": constants[ins[1]].astype(np.float32).reshape(-1)}
        elif kind == "RELU":
            op |= {"kind": "relu"}
        elif kind == "ADD":
            op |= {"kind": "add"}
        elif kind == "PAD":
            op |= {"kind": "pad", "pads": constants[ins[1]].tolist()}
        elif kind == "MAX_POOL_2D":
            op |= {"kind": "maxpool", "size": (options.filterHeight, options.filterWidth), "stride": (options.strideH, options.strideW),
                   "pad": "SAME" if options.padding == schema.Padding.SAME else "VALID"}
        elif kind == "RESHAPE":
            op |= {"kind": "reshape", "shape": [int(v) for v in graph.tensors[out].shape]}
        elif kind == "CONCATENATION":
            op |= {"kind": "concat", "axis": options.axis}
        else:
            raise ValueError(f"{path}: op {kind} ({op['out']}) is not read")
        if fused == schema.ActivationFunctionType.RELU:
            inner = op["out"] + "/linear"
            net.ops += [op | {"out": inner}, {"kind": "relu", "ins": [inner], "out": op["out"]}]
        elif fused == schema.ActivationFunctionType.NONE:
            net.ops.append(op)
        else:
            raise ValueError(f"{path}: fused activation {fused} ({op['out']}) is not read")
    net.outputs = [name(i) for i in graph.outputs]
    return net


def emit(net, prelu="native", every=False):
    """A function of one [n, h, w, c] float32 tensor that runs the net in TensorFlow.

    prelu: how PReLU is written:
      "native"     one PRELU op; no int8 kernel in XNNPACK;
      "leaky_sum"  p*leaky_relu(x, alpha) + q*x with p = (1-a)/(1-alpha), q = 1-p, exact for every a: LEAKY_RELU, two MUL, ADD, all
                   int8 in XNNPACK; for PReLU that does not follow a convolution of its own (else see `leaky_slopes`).
    every: return the results of all ops as a dict instead of the outputs (for ranges and statistics).
    """
    import tensorflow as tf

    def convolve(x, op):
        pad = op["pad"]
        if pad != "SAME":
            kernel = op["w"].shape[:2]
            same = op["stride"] == (1, 1) and all(p == (k // 2, k // 2) and k % 2 for p, k in zip(map(tuple, pad), kernel))
            if same:
                pad = "SAME"
            else:
                if any(map(any, pad)):
                    x = tf.pad(x, [(0, 0), *pad, (0, 0)])
                pad = "VALID"
        sy, sx = op["stride"]
        if op["kind"] == "conv":
            x = tf.nn.conv2d(x, op["w"], [1, sy, sx, 1], pad)
        else:
            x = tf.nn.depthwise_conv2d(x, op["w"][..., None], [1, sy, sx, 1], pad)
        return tf.nn.bias_add(x, op["b"])

    def rectify(x, op):
        a = op["a"]
        if "turned" in op:
            raise ValueError(f"{op['out']}: its sign was turned by `flip_slopes`; `leaky_slopes` must follow")
        if prelu == "native":
            # The pattern that the converter recognises as PRELU.
            return tf.nn.relu(x) + (-a.reshape(1, 1, -1)) * tf.nn.relu(-x)
        alpha = mean_slope(a)
        p = (1 - a) / (1 - alpha)
        return tf.nn.leaky_relu(x, alpha) * p + x * (1 - p)

    def run(x):
        results = {}
        for op in net.ops:
            kind, args = op["kind"], [results[i] for i in op["ins"]]
            if kind == "input":
                y = x
            elif kind in ("conv", "dw"):
                y = convolve(args[0], op)
            elif kind == "prelu":
                y = rectify(args[0], op)
            elif kind == "leaky_add":
                y = tf.nn.leaky_relu(args[0], op["alpha"]) + args[0] * op["c"]
            elif kind == "relu":
                y = tf.nn.relu(args[0])
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
                # With `every` the batch is free.
                width = int(np.prod(args[0].shape[1:]))
                shape = [1] + [d if d > 0 else width for d in op["shape"][1:]]
                y = tf.reshape(args[0], [-1] + shape[1:] if every else shape)
            elif kind == "concat":
                y = tf.concat(args, op["axis"])
            results[op["out"]] = y
        return results if every else [results[o] for o in net.outputs]

    return run


def mean_slope(a):
    """The alpha of LEAKY_RELU that stands for the slopes a [c]: their mean, but not 0, which would become RELU, without an int8 kernel of its own."""
    alpha = float(np.clip(a.mean(), -0.5, 0.5))
    return alpha if abs(alpha) >= 0.01 else 0.01


def flip_slopes(net):
    """Makes every PReLU slope at most 1 by turning the sign of the channels above it.

    For a > 1, PReLU(x) = min(x, a*x) = -max(-x, -a*x): the convolution before yields -x, the one after takes -w.
    The convolution before must feed only the PReLU, and only convolutions may follow it. Edits the net in place
    and returns the number of channels turned.
    """
    turned = 0
    for op in net.ops:
        if op["kind"] != "prelu" or op["a"].max() <= 1:
            continue
        sign = np.where(op["a"] > 1, -1, 1).astype(np.float32)
        before, after = net.producer(op["ins"][0]), net.consumers(op["out"])
        if len(net.consumers(before["out"])) != 1 or before["kind"] not in ("conv", "dw") or any(a["kind"] not in ("conv", "dw") for a in after):
            raise ValueError(f"{op['out']}: slope above 1 beside {before['kind']} and {[a['kind'] for a in after]}; the sign cannot be moved")
        scale_result(before, sign)
        for a in after:
            scale_operand(a, sign)
        # The turned channel's result is max(u, a*u) with u = -x.
        op["turned"] = sign
        turned += int((sign < 0).sum())
    return turned


def leaky_slopes(net):
    """Writes every PReLU as leaky_relu(g, alpha) + c*g with one alpha per map: ops that XNNPACK runs in int8.

    With g = s*x, s = (1-a)/(1-alpha) moved into the convolution before, and c = (a-alpha)/(1-a): the slope is s*(1+c) = 1
    for x > 0 and s*(alpha+c) = a for x < 0. Needs a < 1, so run `flip_slopes` first. alpha is the mean of the slopes,
    which keeps the second term small, and with it its rounding. Edits the net in place.
    """
    for op in net.ops:
        if op["kind"] != "prelu":
            continue
        a = op["a"]
        if "turned" in op:
            # max(u, a*u) with a > 1: slope a for u > 0 and 1 for u < 0, that is a times PReLU of slope 1/a.
            gain = np.where(op["turned"] < 0, a, 1).astype(np.float32)
            a = np.where(op["turned"] < 0, 1 / a, a).astype(np.float32)
        else:
            gain = np.ones_like(a)
        alpha = mean_slope(a)
        before = net.producer(op["ins"][0])
        if len(net.consumers(before["out"])) != 1 or before["kind"] not in ("conv", "dw"):
            raise ValueError(f"{op['out']}: PReLU after {before['kind']}; its factor cannot be moved")
        scale_result(before, (gain * (1 - a) / (1 - alpha)).astype(np.float32))
        op |= {"kind": "leaky_add", "alpha": alpha, "c": ((a - alpha) / (1 - a)).astype(np.float32)}
        del op["a"]


def scale_result(op, s):
    """Multiplies the result of a convolution by s per channel, in its weights."""
    op["w"] = (op["w"] * s).astype(np.float32)
    op["b"] = (op["b"] * s).astype(np.float32)


def scale_operand(op, s):
    """Lets a convolution take its operand multiplied by 1/s per channel (for signs, s is its own inverse)."""
    s = s.reshape(-1, 1) if op["kind"] == "conv" else s
    op["w"] = (op["w"] / s).astype(np.float32)


def ranges(net, inputs, batch=25, relevant=None):
    """{result: (least, greatest, root mean square)} per channel, arrays [c], over inputs [n, h, w, c].

    relevant: {(h, w): cells [n, h, w] bool}: of maps of that size only the marked cells count.
    """
    import tensorflow as tf

    run = tf.function(emit(net, every=True))
    seen = {}
    for i in range(0, len(inputs), batch):
        for name, value in run(tf.constant(inputs[i:i + batch])).items():
            v = value.numpy()
            if relevant and v.shape[1:3] in relevant:
                v = v[relevant[v.shape[1:3]][i:i + batch]]
                if not len(v):
                    continue
            axes = tuple(range(v.ndim - 1))
            seen.setdefault(name, []).append((v.min(axes), v.max(axes), (v**2).mean(axes)))
    return {k: (np.min([a for a, _, _ in v], 0), np.max([b for _, b, _ in v], 0), np.sqrt(np.mean([c for _, _, c in v], 0))) for k, v in seen.items()}


def equalize(net, inputs, strength=1.0, limit=32.0, relevant=None):
    """Gives the channels of every map a like range, so that one int8 scale per map serves them all. Edits the net in place.

    Cross-layer equalization (Nagel et al. 2019, arXiv 1906.04721, section 4.1), here on measured ranges of activations:
    channel c of a map is multiplied by s_c = (G/r_c)^strength, r_c its range over `inputs`, G the geometric mean of all r_c;
    the convolutions before and after are changed to match. Exact, because PReLU, ReLU, Add, means and max pooling commute
    with a positive factor. Maps joined by such ops share one s. The input's and the outputs' scales stay.
    """
    parent = {}

    def root(name):
        while parent.get(name, name) != name:
            name = parent[name]
        return name

    fixed = set(net.outputs)
    for op in net.ops:
        # A pad appends zero channels, so the factors of its operand are the first ones of its result.
        if op["kind"] in ("prelu", "leaky_add", "relu", "add", "maxpool", "pad"):
            for name in op["ins"]:
                parent[root(op["out"])] = root(name)
        elif op["kind"] in ("mean", "mul"):
            # Both commute with a factor on the map; the factors of `mul` come from a logistic and stay.
            parent[root(op["out"])] = root(op["ins"][0])
        elif op["kind"] in ("reshape", "concat", "logistic"):
            # These may mix channels or are not linear: their operands and results keep their scales.
            fixed |= {op["out"], *op["ins"]}
        elif op["kind"] == "input":
            fixed.add(op["out"])
    held = {root(name) for name in fixed}
    measured, widest = ranges(net, inputs, relevant=relevant), {}
    for op in net.ops:
        group = root(op["out"])
        if group not in held:
            least, greatest, _ = measured[op["out"]]
            extent = np.maximum(np.abs(least), np.abs(greatest))
            known = widest.get(group, np.zeros(0, np.float32))
            width = max(len(known), len(extent))
            widest[group] = np.maximum(*(np.pad(v, (0, width - len(v))) for v in (known, extent)))
    factors = {}
    for group, extent in widest.items():
        extent = np.maximum(extent, 1e-6 * extent.max() + 1e-12)
        factors[group] = np.clip((np.exp(np.log(extent).mean()) / extent) ** strength, 1 / limit, limit).astype(np.float32)
    for op in net.ops:
        if op["kind"] in ("conv", "dw"):
            before, after = factors.get(root(op["ins"][0])), factors.get(root(op["out"]))
            if after is not None:
                scale_result(op, after[:len(op["b"])])
            if before is not None:
                scale_operand(op, before[:op["w"].shape[2]])
