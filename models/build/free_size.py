"""A net whose input may be made narrower or lower when it runs.

The converter writes the sizes of its input into every RESHAPE. Where one of them follows from the others (-1), the runtime works it out
itself, and the net can be resized: the reader to the width of a line, the detector to the height of the part of a page with print.
"""

import numpy as np


def free(data, sizes):
    """TFLite bytes -> the same net, in whose RESHAPEs the first length that is one of `sizes` is left to the runtime."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    graph = model.subgraphs[0]
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) != schema.BuiltinOperator.RESHAPE:
            continue
        buffer = model.buffers[graph.tensors[operator.inputs[1]].buffer]
        shape = np.frombuffer(bytes(buffer.data), np.int32).copy()
        known = [i for i, length in enumerate(shape) if length in sizes]
        # Operators of one shape share it: it may have been done.
        if known and -1 not in shape:
            shape[known[0]] = -1
        buffer.data = np.frombuffer(shape.tobytes(), np.uint8)
        if getattr(operator.builtinOptions, "newShape", None) is not None:
            operator.builtinOptions.newShape = shape
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
