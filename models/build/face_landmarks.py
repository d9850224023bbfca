"""Builds ../face_landmarks.tflite: the maker's net as it is (float16 weights, float32 arithmetic), with an int8 input before it.

With --alternatives the quantized forms that were measured and not chosen (see ../README.md) are written to a folder, one sub-folder
each, where evaluate.py can compare them once the other models are copied beside them.
"""

import byte_input
import common

SHAPE = [1, 192, 192, 3]
OUTPUTS = ["points", "presence"]


def main():
    args = common.arguments(__doc__, alternatives="folder for the quantized forms that were not chosen")
    source = common.fetch("face_landmarks", args.cache)
    common.deliver(byte_input.rewrite(source.read_bytes()), args.out / "face_landmarks.tflite")
    if args.alternatives is None:
        return
    import calibration
    import net
    import quantize

    pictures = calibration.landmark_inputs(args.cache, 200)
    graph = net.from_tflite(source)
    forms = {"dynamic_range": common.convert(net.emit(graph), SHAPE, "dynamic_range")}
    net.equalize(graph, pictures, strength=0.5)
    for name, prelu in (("int8_prelu", "native"), ("int8_leaky_sum", "leaky_sum")):
        forms[name] = quantize.quantize(net.emit(graph, prelu), SHAPE, pictures, (0, 1))
    for name, data in forms.items():
        folder = args.alternatives / name
        folder.mkdir(parents=True, exist_ok=True)
        common.deliver(common.finish(data, OUTPUTS), folder / "face_landmarks.tflite")


if __name__ == "__main__":
    main()
