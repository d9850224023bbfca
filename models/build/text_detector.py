"""Builds ../text_detector.tflite: PP-OCRv6 tiny, full int8 with int8 input and output.

GELU becomes x*sigmoid(1.702x) and nearest neighbour a concatenation, so that XNNPACK runs all of it. The ranges come from drawn
pages. With --measure N the result is compared with the maker's float net on N drawn pages that the ranges did not see.
"""

import common

SHAPE = [1, 416, 640, 3]
N_PAGES = 60
# In the order B, G, R, as the maker's code has it.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def prepare(page):
    """A BGR page of 640x416 as the net's input."""
    import numpy as np

    return ((page.astype(np.float32) / 255 - MEAN) / STD).astype(np.float32)


def main():
    args = common.arguments(__doc__, measure="number of drawn pages to measure on")
    import numpy as np

    import paddle
    import text_samples

    path = common.fetch("text_detector", args.cache)
    graph, _ = paddle.read(path)
    # Pure black and white reach the ends of the input's range.
    ends = np.zeros(SHAPE[1:], np.uint8)
    ends[:200, :320] = 255
    pages = [prepare(text_samples.page(seed)[0]) for seed in range(N_PAGES)] + [prepare(ends)]
    data = common.finish(common.convert(paddle.emit(graph, int8=True), SHAPE, "int8", pages), ["probability"])
    common.deliver(data, args.out / "text_detector.tflite")
    if args.measure:
        import text_measure

        text_measure.detector(path, data, int(str(args.measure)))


if __name__ == "__main__":
    main()
