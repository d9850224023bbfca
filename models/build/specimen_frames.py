"""Draws camera frames of specimen documents with drawn-by-lot holders: what the document models are compared on, never trained on.

`specimen_frames.py --out DIR [--frames N]` writes
- `frame-000.jpg` and so on (1280x720),
- `truth.json`: kind, corners in the frame (top left, top right, bottom right, bottom left) and lines of the zone of each,
- `strips.npz`: the lines as strips for the reader, cut by the known corners with the paddings of the booth: `x` uint8 [n, 32, 576], `y` the texts.

The way differs from that of lines.py and scenes.py on purpose: documents of specimen.py, a pinhole camera with depth, motion as a mean
of poses, light and noise in linear light. Only the font is the same, since there is one free OCR-B.
"""

import argparse
import io
import json
import math
import pathlib

import numpy as np
from PIL import Image, ImageFilter

import specimen
import specimen_data
from line_texts import DIGITS, LETTERS, Texts

SEED = 977
SIZE = (1280, 720)
FOCAL = 1100.0
STRIP = (576, 32)
MOMENTS = 3
"""Poses that are averaged for the motion of the hand."""
NOTHING = 0.08
"""Share of frames without a document."""


def holder(rng):
    """Fields of a document."""
    texts = Texts(rng)
    number = texts.some_of(LETTERS, int(rng.integers(0, 3)))
    names = lambda most: " ".join(texts.word() for _ in range(int(rng.integers(1, most + 1))))
    iso = lambda first, last: f"{rng.integers(first, last)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"
    return {
        "issuing_state": "UTO", "nationality": texts.one_of(["UTO", "UTO", "CHN", "BRA", "SWE", "XXA"]), "sex": texts.one_of("MF"),
        "document_number": number + texts.some_of(DIGITS if rng.random() < 0.7 else DIGITS + LETTERS, 9 - len(number)),
        "primary_identifier": names(1)[:12], "secondary_identifier": names(2)[:16], "birth_date": iso(1940, 2008), "issue_date": iso(2018, 2026),
        "expiry_date": iso(2027, 2036), "optional_data": texts.some_of(DIGITS + LETTERS, int(rng.integers(1, 13))) if rng.random() < 0.5 else "",
        "birth_place": texts.word(),
    }


def document(rng):
    """(Document, picture, entry of documents.toml): any of the sides that specimen.py draws."""
    kind, side = [("td3", "data_page"), ("td3", "data_page"), ("td1", "combined"), ("td1", "back"), ("td1", "back"), ("td1", "front")][int(rng.integers(6))]
    drawn = specimen_data.Document("lot", kind, side, ["collins", "hopper"][int(rng.integers(2))], holder(rng))
    out = io.BytesIO()

    class Folder:
        """Takes the one picture that specimen.draw saves."""

        def __truediv__(self, name):
            return out

    entry = specimen.draw(drawn, specimen.LAYERS, Folder())
    out.seek(0)
    return drawn, Image.open(out).convert("RGB"), entry


def pose(rng, aspect):
    """(rotation vector, translation) of a card of width 1, in view of the camera."""
    share = rng.uniform(0.5, 0.82) if aspect > 1.5 else rng.uniform(0.42, 0.66)
    turn = rng.normal(0, [0.12, 0.14, 0.08])
    distance = FOCAL / (share * SIZE[0])
    return np.array([*turn, rng.normal(0, 0.04), rng.normal(0, 0.02), distance])


def corners_of(p, aspect):
    """Corners in the frame for a pose (rx, ry, rz, x, y, z)."""
    (sx, cx), (sy, cy), (sz, cz) = ((math.sin(a), math.cos(a)) for a in p[:3])
    turn = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    w, h = 0.5, 0.5 / aspect
    points = np.array([[-w, -h, 0], [w, -h, 0], [w, h, 0], [-w, h, 0]]) @ turn.T + p[3:]
    return points[:, :2] / points[:, 2:] * FOCAL + np.array(SIZE) / 2


def coefficients(corners, target):
    """Pillow's eight numbers of the map from one quadrilateral to another, mostly from the frame to the picture."""
    if isinstance(target[0], int):
        target = [(0, 0), (target[0], 0), target, (0, target[1])]
    rows = []
    for (x, y), (u, v) in zip(corners, target):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return np.linalg.solve(np.array(rows), np.array(target, float).ravel())


def table(rng):
    """What the document lies on or is held before, linear light."""
    w, h = SIZE
    base = rng.uniform(0.02, 0.75, 3) * rng.uniform(0.4, 1) if rng.random() < 0.6 else np.full(3, rng.uniform(0.02, 0.8))
    field = np.zeros((h, w))
    for step in (5, 20, 80, 320):
        coarse = rng.normal(0, 1, (h // step + 2, w // step + 2)).astype(np.float32)
        field += np.asarray(Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC)) * rng.uniform(0, 0.1)
    out = base * np.clip(1 + field, 0.1, 2)[..., None]
    y, x = np.mgrid[0:h, 0:w]
    for _ in range(int(rng.integers(0, 4))):
        # Edges of other things.
        a, b, c = rng.normal(0, 1, 2).tolist() + [rng.uniform(-600, 600)]
        side = (a * (x - w / 2) + b * (y - h / 2)) / math.hypot(a, b) > c
        out[side] *= rng.uniform(0.4, 1.6, 3)
    return out


def frame(rng):
    """(entry of truth.json, picture, strips' corners)."""
    scene = table(rng)
    entry, quads = {"kind": "none", "corners": None, "mrz": []}, []
    if rng.random() >= NOTHING:
        drawn, picture, about = document(rng)
        aspect = drawn.size_mm[0] / drawn.size_mm[1]
        p = pose(rng, aspect)
        motion = rng.normal(0, [0.002, 0.002, 0.002, 0.0015, 0.0015, 0.001]) * rng.uniform(0, 1.2)
        picture.putalpha(255)
        seen = np.zeros((SIZE[1], SIZE[0], 4))
        # The frame is drawn twice as large and made smaller, so that fine print is averaged.
        large = (2 * SIZE[0], 2 * SIZE[1])
        for i in range(MOMENTS):
            corners = corners_of(p + motion * (i / (MOMENTS - 1) - 0.5), aspect)
            view = picture.transform(large, Image.Transform.PERSPECTIVE, coefficients(2 * corners, picture.size), Image.Resampling.BILINEAR).reduce(2)
            seen += (np.asarray(view, float) / 255) ** (2.2, 2.2, 2.2, 1) / MOMENTS
        scene = scene * (1 - seen[..., 3:]) + seen[..., :3] * rng.uniform(0.55, 1.0)
        corners = corners_of(p, aspect)
        kind = {"data_page": "td3", "combined": "td1", "back": "td1", "front": "td1 front"}[drawn.side]
        entry = {"kind": kind, "corners": [[round(float(v), 2) for v in c] for c in corners], "mrz": drawn.mrz}
        quads = [cut(rng, rectangle, corners, picture.size) for rectangle in about["mrz_lines_px"]]
    return entry, developed(rng, scene), quads


def cut(rng, rectangle, corners, size):
    """Corners in the frame of a strip about a printed line, padded as the booth pads and as wrong as its finder is."""
    x, y, w, h = rectangle
    # Rectangles of specimen.py are 4.2 mm high; print is 2.5 mm.
    height = h * 2.5 / 4.2 * rng.uniform(0.95, 1.15)
    ends, edges = ((0.6, 0.45), (0.9, 0.3), (0.4, 0.6), (0.8, 0.55))[int(rng.integers(4))]
    middle = y + h / 2 + rng.normal(0, 0.05) * height
    left, right = x - (ends - rng.normal(0.1, 0.1)) * height, x + w + (ends + rng.normal(0, 0.1)) * height
    upper, lower = middle - (0.5 + edges) * height, middle + (0.5 + edges) * height
    a, b, c, d, e, f, g, i = coefficients([(0, 0), (size[0], 0), size, (0, size[1])], corners)
    return [((a * u + b * v + c) / (g * u + i * v + 1), (d * u + e * v + f) / (g * u + i * v + 1))
            for u, v in ((left, upper), (right, upper), (right, lower), (left, lower))]


def strip(picture, quad):
    """Four bilinear samples a pixel, as rectify.rs."""
    width, height = STRIP
    numbers = coefficients([(0, 0), (2 * width, 0), (2 * width, 2 * height), (0, 2 * height)], quad)
    return np.asarray(picture.convert("L").transform((2 * width, 2 * height), Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BILINEAR).reduce(2))


def developed(rng, scene):
    """Lamp, mirror image of the lamp, lens, sensor and JPEG."""
    h, w = scene.shape[:2]
    y, x = np.mgrid[0:h, 0:w]
    lamp = rng.uniform([0.1, -0.4], [0.9, 0.9]) * (w, h)
    far = ((x - lamp[0]) ** 2 + (y - lamp[1]) ** 2) / w**2
    scene = scene * (rng.uniform(0.35, 1.05) / (1 + rng.uniform(0.2, 1.6) * far))[..., None] * rng.uniform(0.9, 1.1, 3)
    if rng.random() < 0.3:
        spot = rng.uniform([0.2, 0.2], [0.8, 0.8]) * (w, h)
        scene = scene + rng.uniform(0.05, 0.5) * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / (2 * rng.uniform(20, 120) ** 2))[..., None]
    electrons = 10 ** rng.uniform(2.6, 4)
    scene = rng.poisson(np.clip(scene, 0, 1.2) * electrons) / electrons + rng.normal(0, 0.004, scene.shape)
    picture = Image.fromarray(np.round(255 * np.clip(scene, 0, 1) ** (1 / 2.2)).astype(np.uint8))
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 1.1)))
    if rng.random() < 0.4:
        picture = picture.filter(ImageFilter.UnsharpMask(1.5, int(rng.integers(30, 120)), 2))
    return picture


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the frames and truth.json")
    parser.add_argument("--frames", type=int, default=200, help="how many (default: %(default)s)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    specimen.OVERSAMPLE = 1
    truth, strips, texts = {}, [], []
    for i in range(args.frames):
        name = f"frame-{i:03d}.jpg"
        rng = np.random.default_rng([SEED, i])
        truth[name], picture, quads = frame(rng)
        picture.save(args.out / name, "JPEG", quality=int(rng.integers(60, 93)))
        picture = Image.open(args.out / name)
        strips += [strip(picture, quad) for quad in quads]
        texts += truth[name]["mrz"]
    (args.out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    np.savez(args.out / "strips.npz", x=np.array(strips), y=np.array(texts))


if __name__ == "__main__":
    main()
