"""Full int8 quantization with ranges of our own choice in place of the converter's minimum and maximum.

The converter's calibrated model is a float TFLite model whose tensors carry a range each. The ranges are replaced by those
of least squared rounding and clipping error over the calibration inputs; then TensorFlow's quantizer runs on it.
"""

import numpy as np

SAMPLES_PER_INPUT = 400


def _interpreter(data):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(model_content=data, num_threads=2, experimental_preserve_all_tensors=True,
                              experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    interpreter.allocate_tensors()
    return interpreter


def _samples(data, wanted, inputs, seed=0):
    """{tensor index: (random values, least of all, greatest of all)} over the inputs."""
    interpreter, rng = _interpreter(data), np.random.default_rng(seed)
    index = interpreter.get_input_details()[0]["index"]
    seen = {i: [] for i in wanted}
    extremes = {i: [np.inf, -np.inf] for i in wanted}
    for x in inputs:
        interpreter.set_tensor(index, x[None])
        interpreter.invoke()
        for i in wanted:
            v = interpreter.get_tensor(i).ravel()
            extremes[i] = [min(extremes[i][0], v.min()), max(extremes[i][1], v.max())]
            seen[i].append(rng.choice(v, min(SAMPLES_PER_INPUT, v.size), replace=False))
    return {i: (np.concatenate(seen[i]), *extremes[i]) for i in wanted}


def least_error_range(values, least, greatest):
    """(lo, hi) within [least, greatest] of least mean squared error after rounding to 256 steps and clipping."""
    least, greatest = min(0.0, float(least)), max(0.0, float(greatest))

    def error(lo, hi):
        step = max(hi - lo, 1e-9) / 255
        return np.mean((np.clip(np.round((values - lo) / step), 0, 255) * step + lo - values) ** 2)

    # By turns, since rounding couples the ends only through the step.
    best, factors = (1.0, 1.0), np.geomspace(1, 0.02, 50)
    for _ in range(2):
        best = (min(factors, key=lambda f: error(f * least, best[1] * greatest)) if least < 0 else 1.0, best[1])
        best = (best[0], min(factors, key=lambda f: error(best[0] * least, f * greatest)) if greatest > 0 else 1.0)
    return best[0] * least, best[1] * greatest


def match(data, wanted, probe, tensors):
    """{tensor index: name} for the TFLite tensors that hold the values of `tensors` ({name: array}) on the input `probe`."""
    interpreter, found = _interpreter(data), {}
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], probe)
    interpreter.invoke()
    for i in wanted:
        value = interpreter.get_tensor(i).ravel()
        near = [(np.abs(v.ravel() - value).max(), name) for name, v in tensors.items() if v.size == value.size]
        if near and min(near)[0] <= 1e-3 * (np.abs(value).max() + 1e-6):
            found[i] = min(near)[1]
    return found


def quantize(run, shape, inputs, input_range, output_ranges=None, student=None):
    """int8 TFLite bytes of a net function (net.emit); inputs and outputs int8.

    inputs: calibration inputs [n, h, w, c] float32. input_range: (lo, hi) of the normalised input, pixel 0 to 255.
    output_ranges: {place of the output: (lo, hi)} to set by hand.
    student: a tuned distill.Student of the same net; the tensors it knows get its ranges.
    """
    import flatbuffers
    import tensorflow as tf
    from tensorflow.lite.python import convert, schema_py_generated as schema

    function = tf.function(lambda image: {"abcdefgh"[i]: y for i, y in enumerate(run(image))})
    concrete = function.get_concrete_function(tf.TensorSpec(shape, tf.float32, name="image"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([x[None]] for x in inputs[:2])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter._experimental_calibrate_only = True
    data = converter.convert()

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    graph = model.subgraphs[0]
    by_key = {t.name.decode(): t.tensorIndex for t in model.signatureDefs[0].outputs}
    keys = sorted(by_key)
    constants = {i for i, t in enumerate(graph.tensors) if model.buffers[t.buffer].data is not None and len(model.buffers[t.buffer].data)}
    wanted = [i for i, t in enumerate(graph.tensors) if i not in constants and t.quantization is not None and t.quantization.min is not None]
    sampled = _samples(bytes(data), wanted, inputs)
    ranges = {i: least_error_range(*sampled[i]) for i in wanted}
    ranges[graph.inputs[0]] = input_range
    if student is not None:
        probe = inputs[:1]
        tuned, known = student.ranges(), {k: v.numpy() for k, v in student.tensors(tf.constant(probe)).items()}
        places = match(bytes(data), wanted, probe, known)
        missing = set(known) - set(places.values()) - {student.net.input["out"]}
        if missing:
            raise SystemExit(f"no tensor of the TFLite graph matches {sorted(missing)} of the student")
        ranges |= {i: tuned[name] for i, name in places.items()}
    codes = [max(c.builtinCode, c.deprecatedBuiltinCode) for c in model.operatorCodes]
    ties = {schema.BuiltinOperator.RESHAPE, schema.BuiltinOperator.CONCATENATION, schema.BuiltinOperator.PAD, schema.BuiltinOperator.MAX_POOL_2D,
            schema.BuiltinOperator.DEPTH_TO_SPACE}
    for place, limits in (output_ranges or {}).items():
        ranges[by_key[keys[place]]] = limits
    # Ops that copy values need one scale on both sides: an output set by hand decides upwards, else the operand decides.
    hand = {by_key[keys[p]] for p in (output_ranges or {})}
    for operator in reversed(graph.operators):
        if codes[operator.opcodeIndex] in ties and operator.outputs[0] in hand:
            for i in operator.inputs:
                if i in ranges:
                    ranges[i] = ranges[operator.outputs[0]]
                    hand.add(i)
    for operator in graph.operators:
        if codes[operator.opcodeIndex] in ties and operator.outputs[0] not in hand:
            spans = [ranges[i] for i in operator.inputs if i in ranges]
            ranges[operator.outputs[0]] = (min(a for a, _ in spans), max(b for _, b in spans))
    for i, (lo, hi) in ranges.items():
        graph.tensors[i].quantization.min, graph.tensors[i].quantization.max = [float(lo)], [float(hi)]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return convert.mlir_quantize(bytes(builder.Output()), input_data_type=tf.int8, output_data_type=tf.int8)
