"""Builds ../face_pad.tflite: fr_liveness (three logits, BGR 0..255), weights int8 per channel, ranges of activations found at run time.

The head behind the last depthwise convolution (8x8 over the whole map, MatMul, batch normalization, MatMul) is linear and is folded
into one convolution; the mean of squeeze-excite is MEAN; the weights of depthwise convolutions are kept as float32, so that the whole
net is one XNNPACK partition. No picture takes part: the build takes seconds and repeats byte for byte. The input is int8 (pixel - 128), dequantized before the first op.

--alternatives FOLDER also builds the forms it was chosen against: float32, plain dynamic range, and full int8 (PReLU as LEAKY_RELU,
MUL, ADD; ranges equalized and chosen for least squared error on augmentations and simulated recaptures of two public-domain
portraits; not tuned).
"""

import byte_input
import common

SHAPE = [1, 128, 128, 3]
OUTPUTS = ["classes"]
# int8 = pixel - 128, exactly.
INPUT_RANGE = (0.0, 255.0)


def int8(graph, cache):
    import calibration
    import net
    import quantize

    pictures = calibration.pad_inputs(cache, 300)
    print(f"slopes above 1 turned: {net.flip_slopes(graph)}")
    net.leaky_slopes(graph)
    net.equalize(graph, pictures, strength=0.5)
    return quantize.quantize(net.emit(graph), SHAPE, pictures, INPUT_RANGE)


def main():
    args = common.arguments(__doc__, alternatives="folder for the forms that were not chosen")
    import numpy as np

    import net

    graph = net.from_onnx(common.fetch("face_pad", args.cache))
    noise = np.random.default_rng(0).uniform(0, 255, SHAPE).astype(np.float32)
    before = net.emit(graph)(noise)[0].numpy()
    print(f"convolutions merged: {net.merge_linear(graph)}, greatest difference {np.abs(net.emit(graph)(noise)[0].numpy() - before).max():.1e}")
    data = common.convert(net.emit(graph), SHAPE, "dynamic_range")
    chosen = common.finish(common.float_depthwise(data), OUTPUTS)
    common.deliver(byte_input.rewrite(chosen, mean=0, std=1), args.out / "face_pad.tflite")
    if args.alternatives:
        float32 = common.convert(net.emit(graph), SHAPE, "float32")
        common.deliver_forms({"float32": float32, "dynamic_range": data, "int8": int8(graph, args.cache)}, OUTPUTS, args.alternatives, "face_pad")


if __name__ == "__main__":
    main()
