"""Dynamic range quantization that XNNPACK runs in one piece: int8 weights per output channel, activations quantized at run time.

The converter's own dynamic range form also quantizes depthwise convolutions, for which XNNPACK has no kernel of this kind, so the
net falls into a dozen pieces. Here only CONV_2D and FULLY_CONNECTED are; depthwise weights are few and stay float32.
"""

import numpy as np

# Smaller weights stay float32: they are one in a hundred bytes, and their operators take no time.
LEAST_VALUES = 2048


def quantize(data):
    """TFLite bytes of a float32 net -> TFLite bytes with int8 weights."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    graph = model.subgraphs[0]
    kinds = {schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED}
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) not in kinds:
            continue
        tensor = graph.tensors[operator.inputs[1]]
        stored = model.buffers[tensor.buffer].data
        if stored is None or tensor.type != schema.TensorType.FLOAT32:
            continue
        weights = np.frombuffer(bytes(stored), np.float32).reshape(tensor.shape)
        if weights.size < LEAST_VALUES:
            continue
        rows = weights.reshape(len(weights), -1)
        scale = np.maximum(np.abs(rows).max(1) / 127, 1e-9).astype(np.float32)
        values = np.clip(np.round(rows / scale[:, None]), -127, 127).astype(np.int8)
        model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
        tensor.type = schema.TensorType.INT8
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = scale
        tensor.quantization.zeroPoint = np.zeros(len(scale), np.int64)
        tensor.quantization.quantizedDimension = 0
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
