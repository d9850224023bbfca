"""Gives a float net an int8 input: a DEQUANTIZE before its first op. Exact for pixels that are shifted and divided.

The service then writes a quarter of the bytes into the input, and the runtime turns them into floats with its own vector code.
"""

import common  # noqa: F401  (quiet TensorFlow)


def rewrite(data, mean=0, std=255):
    """The bytes of `data` with an int8 input in place of its only float32 one: a pixel less 128, for the real (pixel - mean)/std."""
    import copy

    import flatbuffers
    import numpy as np
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    (graph,) = model.subgraphs
    (real,) = graph.inputs
    if graph.tensors[real].type != schema.TensorType.FLOAT32:
        raise SystemExit("the net's input is not float32: nothing to dequantize")

    byte = copy.copy(graph.tensors[real])
    byte.type, byte.buffer = schema.TensorType.INT8, 0
    byte.quantization = schema.QuantizationParametersT()
    byte.quantization.scale, byte.quantization.zeroPoint = np.array([1 / std], np.float32), np.array([mean - 128], np.int64)
    graph.tensors[real].name = byte.name + b"/real"
    graph.tensors.append(byte)

    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = 2  # the version that takes int8
    model.operatorCodes.append(code)
    first = schema.OperatorT()
    first.opcodeIndex, first.inputs, first.outputs = len(model.operatorCodes) - 1, np.array([len(graph.tensors) - 1], np.int32), np.array([real], np.int32)
    first.builtinOptionsType, first.builtinOptions = schema.BuiltinOptions.DequantizeOptions, schema.DequantizeOptionsT()
    graph.operators.insert(0, first)
    graph.inputs = np.array([len(graph.tensors) - 1], np.int32)

    builder = flatbuffers.Builder(1 << 21)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
