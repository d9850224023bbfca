"""Builds ../face_detector.tflite: BlazeFace short range, full int8 with int8 input and output.

On flat dark areas the net's late maps and logits run to tens of thousands of times their size on faces. Ranges are
therefore taken near faces only, the rest saturates, and the net is tuned to its own float results under that rounding.
"""

import copy

import common

OUTPUTS = ["regressors", "classificators"]
# Only logits near the threshold matter; regressors are needed for anchors on a face.
LOGIT_RANGE = (-12.0, 6.0)
STEPS = 1000


def near_faces(logits):
    """{(h, w): cells [n, h, w] bool} of anchors whose logit [n, 896] is above -1.5, and the cells next to them."""
    import cv2
    import numpy as np

    cells = {}
    for size, anchors in ((16, logits[:, :512].reshape(-1, 16, 16, 2)), (8, logits[:, 512:].reshape(-1, 8, 8, 6))):
        marked = (anchors.max(3) > -1.5).astype(np.uint8)
        cells[size, size] = np.array([cv2.dilate(m, np.ones((3, 3), np.uint8)) for m in marked]).astype(bool)
    # A face found in the coarse grid passes through the fine one too.
    cells[16, 16] |= cells[8, 8].repeat(2, 1).repeat(2, 2)
    return cells


def loss(student, teacher):
    """Mean error of regressors (in 1/128 of the frame) and of clipped logits, weighted by how likely the anchor is a face."""
    import tensorflow as tf

    logits = teacher["classificators"]
    weight = tf.sigmoid(1.5 * logits + 1.5)
    box = tf.abs(student["regressors"] - teacher["regressors"])
    score = tf.abs(tf.clip_by_value(student["classificators"], *LOGIT_RANGE) - tf.clip_by_value(logits, *LOGIT_RANGE))
    # The small constant keeps the background below the threshold.
    return (tf.reduce_sum(box * weight) / 16 + tf.reduce_sum(score * (weight + 0.02))) / tf.reduce_sum(weight)


def main():
    args = common.arguments(__doc__)
    import numpy as np
    import tensorflow as tf

    import calibration
    import distill
    import net
    import quantize

    graph = net.from_tflite(common.fetch("face_detector", args.cache))
    pictures = calibration.detector_inputs(args.cache, 3000)
    first = pictures[:300]
    float_run = net.emit(graph, every=True)
    logits, regressors = (np.concatenate([float_run(first[i:i + 50])[k].numpy() for i in range(0, 300, 50)]) for k in ("classificators", "regressors"))
    used = regressors[logits[..., 0] > -1]
    box_range = (float(used.min()), float(used.max()))
    print(f"regressors of anchors on faces: {box_range[0]:.1f} to {box_range[1]:.1f}")
    cells = near_faces(logits[..., 0])
    net.equalize(graph, first, strength=0.5, relevant=cells)
    teacher = net.emit(copy.deepcopy(graph), every=True)
    heads = {"regressor_8": box_range, "regressor_16": box_range, "classificator_8": LOGIT_RANGE, "classificator_16": LOGIT_RANGE}
    student = distill.Student(graph, first, (-1, 1), heads, {"regressor_16": "regressor_8", "classificator_16": "classificator_8"}, cells)
    distill.tune(student, teacher, pictures, loss, STEPS, rate=1e-3, range_rate=2e-3)
    student.write_back()
    data = quantize.quantize(net.emit(graph), [1, 128, 128, 3], first, (-1, 1), {0: box_range, 1: LOGIT_RANGE}, student)
    common.deliver(common.finish(data, OUTPUTS), args.out / "face_detector.tflite")


if __name__ == "__main__":
    main()
