"""Builds ../face_embedding.tflite: fr_feature (512 numbers, BGR), weights int8 per channel, ranges of activations found at run time.

The weights of depthwise convolutions are kept as float32, so that the whole net is one XNNPACK partition. No picture takes part:
the build takes seconds and repeats byte for byte. The input is int8 (pixel - 128), dequantized before the first op.

--alternatives FOLDER also builds the forms it was chosen against: float32, plain dynamic range, and full int8: PReLU becomes
LEAKY_RELU, MUL, ADD, which XNNPACK runs in int8; ranges are equalized across layers; the net is then tuned to its own float results
under simulated int8 rounding, on augmentations of two public-domain portraits.
"""

import copy

import byte_input
import common

SHAPE = [1, 112, 112, 3]
OUTPUTS = ["embedding"]
STEPS = 500
INPUT_RANGE = (-127 / 128, 128 / 128)
# The last maps carry the identity: ranges learnt on two people clip other people there.
UNCLIPPED = (7, 1)


def int8(graph, cache):
    import tensorflow as tf

    import calibration
    import distill
    import net
    import quantize

    pictures = calibration.embedding_inputs(cache, 4000)
    first = pictures[:300]
    output = graph.outputs[0]
    original = net.emit(graph, every=True)(first[:8])[output].numpy()
    print(f"slopes above 1 turned: {net.flip_slopes(graph)}")
    net.leaky_slopes(graph)
    net.equalize(graph, first, strength=0.5)
    rebuilt = net.emit(copy.deepcopy(graph), every=True)
    print(f"rebuilt net against the source: greatest difference {abs(rebuilt(first[:8])[output].numpy() - original).max():.1e}")
    trunk = [op["out"] for op in graph.ops if op["kind"] == "add"]

    def loss(student, teacher):
        """One minus the cosine of the embeddings, and small terms that keep length and the maps after each block."""
        a, b = student[output], teacher[output]
        square = lambda p, q: tf.reduce_mean((p - q) ** 2) / tf.reduce_mean(q**2)
        cosine = tf.reduce_sum(a * b, 1) / (tf.norm(a, axis=1) * tf.norm(b, axis=1))
        return tf.reduce_mean(1 - cosine) + 0.1 * square(a, b) + 0.02 * tf.add_n([square(student[k], teacher[k]) for k in trunk])

    student = distill.Student(graph, first, INPUT_RANGE, unclipped=UNCLIPPED)
    distill.tune(student, rebuilt, pictures, loss, STEPS, rate=6e-4, range_rate=1e-3)
    student.write_back()
    return quantize.quantize(net.emit(graph), SHAPE, first, INPUT_RANGE, student=student)


def main():
    args = common.arguments(__doc__, alternatives="folder for the forms that were not chosen")
    import net

    graph = net.from_onnx(common.fetch("face_embedding", args.cache))
    data = common.convert(net.emit(graph), SHAPE, "dynamic_range")
    chosen = common.finish(common.float_depthwise(data), OUTPUTS)
    common.deliver(byte_input.rewrite(chosen, mean=127, std=128), args.out / "face_embedding.tflite")
    if args.alternatives:
        float32 = common.convert(net.emit(graph), SHAPE, "float32")
        common.deliver_forms({"float32": float32, "dynamic_range": data, "int8": int8(graph, args.cache)}, OUTPUTS, args.alternatives, "face_embedding")


if __name__ == "__main__":
    main()
