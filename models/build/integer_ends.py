"""Last step of the document models: int8 at both ends and only ops that XNNPACK runs. Lossless on the quantized values.

usage: integer_ends.py CONVERTED.tflite OUT.tflite INPUT_NAME OUTPUT_NAME...

- the QUANTIZE of the input and the DEQUANTIZE of every output are dropped: the caller quantizes;
- nearest upsampling by 2, which the converter writes as RESHAPE, TILE, RESHAPE, TILE, RESHAPE, becomes CONCATENATION of four
  copies and DEPTH_TO_SPACE: TILE has no int8 kernel in XNNPACK.
Used for the committed document_corners.tflite and mrz_line_reader.tflite, whose trainings are not kept; what document_corners.py and mrz_line_reader.py
build does not need it.
"""

import sys

import common  # noqa: F401  (quiet TensorFlow)


def rewrite(data, input_name, output_names):
    import flatbuffers
    import numpy as np
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    graph, builtin = model.subgraphs[0], schema.BuiltinOperator
    kind = lambda o: max(model.operatorCodes[o.opcodeIndex].builtinCode, model.operatorCodes[o.opcodeIndex].deprecatedBuiltinCode)

    def opcode(code):
        for i, known in enumerate(model.operatorCodes):
            if max(known.builtinCode, known.deprecatedBuiltinCode) == code:
                return i
        added = schema.OperatorCodeT()
        added.builtinCode = added.deprecatedBuiltinCode = code
        added.version = 2  # the int8 version of CONCATENATION and DEPTH_TO_SPACE
        model.operatorCodes.append(added)
        return len(model.operatorCodes) - 1

    def operator(code, options_type, options, ins, outs):
        op = schema.OperatorT()
        op.opcodeIndex, op.builtinOptionsType, op.builtinOptions = opcode(code), options_type, options
        op.inputs, op.outputs = ins, outs
        return op

    kept, queue = [], list(graph.operators)
    while queue:
        op = queue.pop(0)
        if kind(op) == builtin.QUANTIZE and op.inputs[0] in graph.inputs:
            graph.inputs = [op.outputs[0] if i == op.inputs[0] else i for i in graph.inputs]
        elif kind(op) == builtin.DEQUANTIZE and op.outputs[0] in graph.outputs:
            graph.outputs = [op.inputs[0] if i == op.outputs[0] else i for i in graph.outputs]
        elif [kind(o) for o in [op, *queue[:4]]] == [builtin.RESHAPE, builtin.TILE] * 2 + [builtin.RESHAPE]:
            source, target = op.inputs[0], queue[3].outputs[0]
            queue = queue[4:]
            n, h, w, c = graph.tensors[source].shape
            if list(graph.tensors[target].shape) != [n, 2 * h, 2 * w, c]:
                raise SystemExit(f"upsampling from {[n, h, w, c]} to {list(graph.tensors[target].shape)}: only by 2 is known")
            wide = schema.TensorT()
            wide.shape, wide.type, wide.quantization = np.array([n, h, w, 4 * c], np.int32), graph.tensors[source].type, graph.tensors[source].quantization
            wide.name, wide.buffer = graph.tensors[target].name + b"/wide", 0
            graph.tensors.append(wide)
            concat, depth = schema.ConcatenationOptionsT(), schema.DepthToSpaceOptionsT()
            concat.axis, depth.blockSize = 3, 2
            options, index = schema.BuiltinOptions, len(graph.tensors) - 1
            kept.append(operator(builtin.CONCATENATION, options.ConcatenationOptions, concat, [source] * 4, [index]))
            kept.append(operator(builtin.DEPTH_TO_SPACE, options.DepthToSpaceOptions, depth, [index], [target]))
        else:
            kept.append(op)
    graph.operators = kept
    graph.tensors[graph.inputs[0]].name = input_name.encode()
    for i, name in zip(graph.outputs, output_names, strict=True):
        graph.tensors[i].name = name.encode()

    # Drop the tensors and constants that nothing uses any more, so that their bytes leave the file.
    used = sorted({int(i) for o in kept for i in (*o.inputs, *o.outputs) if i >= 0} | {int(i) for i in (*graph.inputs, *graph.outputs)})
    place = {old: new for new, old in enumerate(used)}
    for o in kept:
        o.inputs, o.outputs = [place.get(int(i), -1) for i in o.inputs], [place[int(i)] for i in o.outputs]
    graph.inputs, graph.outputs = [place[int(i)] for i in graph.inputs], [place[int(i)] for i in graph.outputs]
    graph.tensors = [graph.tensors[i] for i in used]
    buffers = [model.buffers[0]]
    for tensor in graph.tensors:
        data = model.buffers[tensor.buffer].data
        if data is None or not len(data):
            tensor.buffer = 0
        else:
            buffers.append(model.buffers[tensor.buffer])
            tensor.buffer = len(buffers) - 1
    codes = sorted({o.opcodeIndex for o in kept})
    for o in kept:
        o.opcodeIndex = codes.index(o.opcodeIndex)
    model.operatorCodes = [model.operatorCodes[i] for i in codes]
    model.buffers, model.signatureDefs, model.metadata, model.metadataBuffer, model.description = buffers, [], [], [], b""
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


if __name__ == "__main__":
    if len(sys.argv) < 5:
        raise SystemExit(__doc__)
    source, target, name, *outputs = sys.argv[1:]
    with open(source, "rb") as file:
        result = rewrite(file.read(), name, outputs)
    with open(target, "wb") as file:
        file.write(result)
    print(f"{target}: {len(result)} bytes")
