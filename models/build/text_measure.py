"""Measures the text models against the maker's float nets on drawn lines and pages (text_samples.py)."""

import time

import cv2
import numpy as np

import text_samples

HEIGHT = 48
# Seeds from here on are for measuring only.
FIRST_SEED = 10_000


class _TFLite:
    def __init__(self, data):
        from ai_edge_litert.interpreter import Interpreter

        self.run_in = Interpreter(model_content=data, num_threads=1)
        self.run_in.allocate_tensors()
        self.input, self.output = self.run_in.get_input_details()[0], self.run_in.get_output_details()[0]
        self.least = np.inf
        names = [o["op_name"] for o in self.run_in._get_ops_details()]
        self.partitions, self.operators = names.count("DELEGATE"), len(names) - names.count("DELEGATE")

    def __call__(self, x):
        if self.input["dtype"] == np.int8:
            scale, zero = self.input["quantization"]
            x = np.clip(np.round(x / scale) + zero, -128, 127).astype(np.int8)
        self.run_in.set_tensor(self.input["index"], x)
        # CPU time of the process: what else runs on the machine counts less.
        begin = time.process_time()
        self.run_in.invoke()
        self.least = min(self.least, time.process_time() - begin)
        y = self.run_in.get_tensor(self.output["index"])
        if self.output["dtype"] == np.int8:
            scale, zero = self.output["quantization"]
            y = (y.astype(np.float32) - zero) * scale
        return y


class _Onnx:
    def __init__(self, path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options)
        self.input = self.session.get_inputs()[0].name

    def __call__(self, x):
        return self.session.run(None, {self.input: x.transpose(0, 3, 1, 2)})[0]


def strip(picture, width):
    """A BGR line as the reader's input: height 48, aspect kept as far as it fits, 0 to the right."""
    h, w = picture.shape[:2]
    wide = min(width, int(np.ceil(HEIGHT * w / h)))
    x = np.zeros((1, HEIGHT, width, 3), np.float32)
    x[0, :, :wide] = cv2.resize(picture, (wide, HEIGHT), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 127.5 - 1
    return x


def greedy(steps, characters):
    """(text, least confidence) of probabilities [steps, 1 + characters]; class 0 is the blank."""
    best, said, least, before = steps.argmax(-1), "", 1.0, 0
    for i, k in enumerate(best):
        if k and k != before:
            said += characters[k - 1]
            least = min(least, float(steps[i, k]))
        before = k
    return said, least


def distance(a, b):
    """Edit distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def reader(path, characters, data, charset, n):
    maker, ours = _Onnx(path), _TFLite(data)
    width = int(ours.input["shape"][2])
    print(f"reader: {ours.operators} operators in {ours.partitions} XNNPACK partition(s)")
    print("kind: lines exact, float / ours; characters wrong, float / ours; readings alike")
    totals = np.zeros(5)
    unsure = []
    for kind in text_samples.KINDS:
        count = np.zeros(5)
        letters = 0
        for seed in range(FIRST_SEED, FIRST_SEED + n):
            picture, said = text_samples.line(kind, seed)
            said = said.replace(" ", "")
            x = strip(picture, width)
            both = [greedy(net(x)[0], names) for net, names in ((maker, characters), (ours, charset))]
            found = [t.replace(" ", "") for t, _ in both]
            unsure.append((both[1][1], found[1] == said))
            count += [found[0] == said, found[1] == said, distance(found[0], said), distance(found[1], said), found[0] == found[1]]
            letters += len(said)
        totals += count
        print(f"  {kind:10} {100 * count[0] / n:5.1f} / {100 * count[1] / n:5.1f} %   {100 * count[2] / letters:5.2f} / {100 * count[3] / letters:5.2f} %   {100 * count[4] / n:5.1f} %")
    n_all = n * len(text_samples.KINDS)
    print(f"  all        {100 * totals[0] / n_all:5.1f} / {100 * totals[1] / n_all:5.1f} %; least {1e3 * ours.least:.2f} ms CPU a line")
    for limit in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9):
        said = [right for c, right in unsure if c >= limit]
        print(f"  least confidence of a line >= {limit}: {100 * len(said) / n_all:5.1f} % of lines, {100 * (1 - np.mean(said)):5.2f} % of them wrong")


def lines_found(map_, boxes):
    """How many drawn lines are covered to half by pixels above the threshold."""
    return sum((map_[int(y0):int(y1), int(x0):int(x1)] > 0.2).mean() > 0.4 for x0, y0, x1, y1 in boxes)


def detector(path, data, n):
    import text_detector

    maker, ours = _Onnx(path), _TFLite(data)
    print(f"detector: {ours.operators} operators in {ours.partitions} XNNPACK partition(s)")
    overlap, difference, found, drawn = [], [], np.zeros(2), 0
    for seed in range(FIRST_SEED, FIRST_SEED + n):
        page, boxes = text_samples.page(seed)
        x = text_detector.prepare(page)[None]
        a, b = maker(x)[0, 0], ours(x)[0, ..., 0]
        both, either = ((a > 0.2) & (b > 0.2)).sum(), ((a > 0.2) | (b > 0.2)).sum()
        overlap.append(both / max(either, 1))
        difference.append(np.abs(a - b).mean())
        found += [lines_found(a, boxes), lines_found(b, boxes)]
        drawn += len(boxes)
    print(f"  pixels above the threshold, IoU to float: mean {np.mean(overlap):.3f}, least {np.min(overlap):.3f}; mean difference {np.mean(difference):.4f}")
    print(f"  lines found of {drawn}: float {found[0]:.0f}, ours {found[1]:.0f}; least {1e3 * ours.least:.1f} ms CPU")
