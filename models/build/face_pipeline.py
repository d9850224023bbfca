"""The face pipeline in numpy, as the models' makers define it: detection, landmarks, alignment. RGB pictures, uint8.

It serves calibration and evaluation here, and is the reference for the service's own code.
"""

import cv2
import numpy as np

SCORE_THRESHOLD = 0.5
# The attack detection sees so much more than the box of the mesh.
PAD_SCALE = 2.7
NMS_IOU = 0.3
# Mesh points of the five alignment points: image-left eye (four points), image-right eye, nose tip, mouth corners.
LEFT_EYE, RIGHT_EYE, NOSE, LEFT_MOUTH, RIGHT_MOUTH = [33, 133, 159, 145], [362, 263, 386, 374], 1, 61, 291
ARCFACE_112 = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32)


class Model:
    """A TFLite model of one input, in real numbers on both sides; quantized ends are converted here."""

    def __init__(self, path, threads=1):
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter = Interpreter(model_path=str(path), num_threads=threads)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]
        self.outputs = self.interpreter.get_output_details()

    def __call__(self, x):
        """x [h, w, c] float32, normalised; returns the outputs as float32."""
        kind = self.input["dtype"]
        if kind != np.float32:
            scale, zero = self.input["quantization"]
            limits = np.iinfo(kind)
            x = np.clip(np.round(x / scale + zero), limits.min, limits.max)
        self.interpreter.set_tensor(self.input["index"], np.ascontiguousarray(x[None], dtype=kind))
        self.interpreter.invoke()
        results = []
        for detail in self.outputs:
            value = self.interpreter.get_tensor(detail["index"])
            if detail["dtype"] != np.float32:
                scale, zero = detail["quantization"]
                value = (value.astype(np.float32) - zero) * np.float32(scale)
            results.append(value)
        return results


def letterbox(image, size=128):
    """(picture [size, size, 3], scale, (pad x, pad y)): dst = src*scale + pad, zero border."""
    height, width = image.shape[:2]
    scale = size / max(height, width)
    pad = ((size - width * scale) / 2, (size - height * scale) / 2)
    if scale <= 0.6:
        # Area mean against aliasing, then whole-pixel placement.
        small = cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
        x, y = int(round(pad[0])), int(round(pad[1]))
        out = np.zeros((size, size, 3), np.uint8)
        out[y:y + small.shape[0], x:x + small.shape[1]] = small[:size - y, :size - x]
        return out, scale, pad
    matrix = np.array([[scale, 0, pad[0]], [0, scale, pad[1]]], np.float32)
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=0), scale, pad


def anchors():
    """Anchor centres [896, 2] in 0..1: 16x16 twice, then 8x8 six times, row-major."""
    points = []
    for cells, repeat in ((16, 2), (8, 6)):
        for y in range(cells):
            for x in range(cells):
                points += [((x + 0.5) / cells, (y + 0.5) / cells)] * repeat
    return np.array(points, np.float32)


ANCHORS = anchors()


def normalise_detector(picture):
    return (picture.astype(np.float32) - 127.5) / 127.5


def decode(regressors, logits):
    """Boxes [n, 4] (x0, y0, x1, y1), key points [n, 6, 2] in 0..1 of the letterbox, and scores [n], weighted NMS done."""
    scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1), -80, 80)))
    keep = np.where(scores >= SCORE_THRESHOLD)[0]
    raw, centre, scores = regressors.reshape(-1, 16)[keep] / 128, ANCHORS[keep], scores[keep]
    middle, half = raw[:, :2] + centre, raw[:, 2:4] / 2
    boxes = np.concatenate([middle - half, middle + half], 1)
    points = raw[:, 4:].reshape(-1, 6, 2) + centre[:, None]
    found, rest = [], list(np.argsort(-scores, kind="stable"))
    while rest:
        best, ids = boxes[rest[0]], np.array(rest)
        size = np.maximum(0, np.minimum(boxes[ids, 2:], best[2:]) - np.maximum(boxes[ids, :2], best[:2]))
        overlap = size.prod(1)
        area = (boxes[ids, 2:] - boxes[ids, :2]).prod(1)
        union = area + (best[2:] - best[:2]).prod() - overlap
        cluster = ids[(overlap / np.maximum(union, 1e-9) > NMS_IOU) | (ids == rest[0])]
        weight = scores[cluster] / scores[cluster].sum()
        found.append((float(scores[rest[0]]), (boxes[cluster] * weight[:, None]).sum(0), (points[cluster] * weight[:, None, None]).sum(0)))
        rest = [i for i in rest if i not in set(cluster.tolist())]
    return found


def detect(model, image):
    """Faces of a picture, best first: (score, box x0 y0 x1 y1 in pixels, six key points in pixels)."""
    picture, scale, pad = letterbox(image)
    outputs = model(normalise_detector(picture))
    regressors = next(o for o in outputs if o.shape[-1] == 16)
    logits = next(o for o in outputs if o.shape[-1] == 1)
    to_pixels = lambda p: (p * 128 - np.array(pad)) / scale
    return [(s, np.concatenate([to_pixels(b[:2]), to_pixels(b[2:])]), to_pixels(k)) for s, b, k in decode(regressors, logits)]


def rotated_roi(face, size=192):
    """Affine matrix [2, 3] from the picture to the landmark input: square of 1.5 times the longer side, turned by the eyes."""
    _, box, points = face
    angle = np.arctan2(points[1][1] - points[0][1], points[1][0] - points[0][0])
    cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    scale = size / (1.5 * max(box[2] - box[0], box[3] - box[1]))
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, s, size / 2 - c * cx - s * cy], [-s, c, size / 2 + s * cx - c * cy]], np.float32)


def landmarks(model, image, face):
    """(468 points [468, 2] in pixels of the picture, presence logit, the input crop, the raw points [468, 3])."""
    matrix = rotated_roi(face)
    crop = cv2.warpAffine(image, matrix, (192, 192), flags=cv2.INTER_LINEAR, borderValue=0)
    outputs = model(crop.astype(np.float32) / 255)
    raw = next(o for o in outputs if o.size == 1404).reshape(-1, 3)
    presence = float(next(o for o in outputs if o.size == 1).ravel()[0])
    back = cv2.invertAffineTransform(matrix)
    return raw[:, :2] @ back[:, :2].T + back[:, 2], presence, crop, raw


def five_points(points):
    return np.stack([points[LEFT_EYE].mean(0), points[RIGHT_EYE].mean(0), points[NOSE], points[LEFT_MOUTH], points[RIGHT_MOUTH]])


def similarity(source, target):
    """Least-squares similarity [2, 3] of Umeyama (1991) from source [n, 2] to target [n, 2]."""
    ms, mt = source.mean(0), target.mean(0)
    s, t = source - ms, target - mt
    u, d, v = np.linalg.svd(t.T @ s / len(s))
    sign = np.diag([1, np.sign(np.linalg.det(u) * np.linalg.det(v))])
    rotation = u @ sign @ v
    scale = np.trace(np.diag(d) @ sign) / s.var(0).sum()
    return np.concatenate([scale * rotation, (mt - scale * rotation @ ms)[:, None]], 1).astype(np.float32)


def align(image, points):
    """The 112x112 RGB crop of the ArcFace template."""
    matrix = similarity(points.astype(np.float64), ARCFACE_112.astype(np.float64))
    return cv2.warpAffine(image, matrix, (112, 112), flags=cv2.INTER_LINEAR, borderValue=0)


def normalise_embedding(crop):
    """BGR, (x - 127)/128."""
    return (crop[..., ::-1].astype(np.float32) - 127) / 128


def pad_rect(points, width, height):
    """(x0, y0, x1, y1) of the attack detection's crop: 2.7 times the box of the mesh points, smaller where the frame is, moved into the frame."""
    least, greatest = points.min(0), points.max(0)
    size = np.maximum(greatest - least, 1)
    scale = min((height - 1) / size[1], (width - 1) / size[0], PAD_SCALE)
    middle, half = (least + greatest) / 2, size * scale / 2
    middle = np.clip(middle, half, np.maximum(np.array([width - 1, height - 1]) - half, half))
    return np.concatenate([middle - half, middle + half])


def pad_matrix(rect, size=128):
    """Affine matrix [2, 3] from the picture to the stretched crop; middles of pixels at whole numbers, as OpenCV has them."""
    sx, sy = size / (rect[2] - rect[0]), size / (rect[3] - rect[1])
    return np.array([[sx, 0, (0.5 - rect[0]) * sx - 0.5], [0, sy, (0.5 - rect[1]) * sy - 0.5]], np.float32)


def pad_crop(image, points, size=128):
    """The RGB crop of the attack detection; bilinear without antialiasing, as the maker has it."""
    height, width = image.shape[:2]
    return cv2.warpAffine(image, pad_matrix(pad_rect(points, width, height), size), (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def normalise_pad(crop):
    """BGR, 0..255 as it is."""
    return crop[..., ::-1].astype(np.float32)


def bona_fide(logits):
    """Softmax of three logits, class 0: bona fide."""
    e = np.exp(logits - logits.max())
    return float(e[0] / e.sum())
