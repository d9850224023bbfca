"""A flat document as a camera sees it: held or laid before clutter, turned and tilted, lit unevenly, with shadow, glare, blur, noise and JPEG.

Used by `prc_card.py set` and `specimen_set.py`. Everything is computed; no picture of anybody's room is in it. This is a
generator of test pictures with known truth, not a model of a camera: what is measured on them says how a reader does on these.
"""

from __future__ import annotations

import argparse
import math
import pathlib
import random

import cv2
import numpy as np

import portraits
import specimen

WIDTH, HEIGHT = 1280, 720
COLUMNS = (
    "tl_x", "tl_y", "tr_x", "tr_y", "br_x", "br_y", "bl_x", "bl_y",
    "roll_deg", "tilt_x_deg", "tilt_y_deg", "px_per_mm", "light", "glare", "blur_kind", "blur_px", "noise", "jpeg", "hand",
)
"""Columns of a frame in `truth.csv`: corners of the document by its own top left, in pixels; then what was done."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every set has."""
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder that the pictures are written to")
    parser.add_argument("--layers", type=pathlib.Path, default=specimen.LAYERS, help="folder with the layers of person_layers.py")
    parser.add_argument("--n", type=int, default=100, help="cards of a set (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another set (default: %(default)s)")
    parser.add_argument("--upside-down", type=float, default=0.0, help="share of frames with the document turned by 180 degrees (default: %(default)s)")


def check_arguments(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Ends the program with what is wrong, and what would be right."""
    if not 1 <= arguments.n <= 99_999:
        parser.error(f"--n is {arguments.n}; 1 to 99999 documents can be drawn")
    if not 0 <= arguments.upside_down <= 1:
        parser.error(f"--upside-down is {arguments.upside_down}; it is a share from 0 to 1")
    for name in (f"person-{person}{ending}" for person in ("collins", "hopper") for ending in (".png", ".toml")):
        if not (arguments.layers / name).is_file():
            parser.error(f"{name} is not in {arguments.layers}; run person_layers.py --out {arguments.layers}, or name its folder with --layers")


def expect_fonts(fonts: dict[str, tuple[str, int, str]]) -> None:
    """Ends the program if a font is not installed, or is another than the one that was pinned."""
    for path, _, pinned in fonts.values():
        if not pathlib.Path(path).is_file():
            raise SystemExit(f"{path} is not there; install the Debian packages that scenes-requirements.txt names")
        portraits.expect_sha256(pathlib.Path(path).read_bytes(), pinned, path)


def seen(document: np.ndarray, px_per_mm: float, chance: random.Random, upside_down: float = 0.0) -> tuple[bytes, dict[str, object]]:
    """One frame as JPEG, and its columns. `document` is RGB."""
    noise = np.random.default_rng(chance.getrandbits(63))
    corners, what = placed(document.shape, px_per_mm, chance, upside_down)
    behind = clutter(chance, noise)
    shape = mask(document.shape, chance)
    source = np.array([[0, 0], [document.shape[1], 0], [document.shape[1], document.shape[0]], [0, document.shape[0]]], np.float32)
    to_frame = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    # A pixel of the frame covers several of the document: soften first, or fine lines alias.
    reduction = px_per_mm / what["px_per_mm"]
    soft = cv2.GaussianBlur(document, (0, 0), 0.42 * reduction) if reduction > 1.2 else document
    size = (WIDTH, HEIGHT)
    front = cv2.warpPerspective(soft, to_frame, size, flags=cv2.INTER_LINEAR).astype(np.float32)
    cover = cv2.warpPerspective(shape, to_frame, size, flags=cv2.INTER_LINEAR).astype(np.float32)[..., None] / 255
    shift = np.float32([[1, 0, chance.uniform(-10, 12)], [0, 1, chance.uniform(-4, 16)]])
    shadow = cv2.GaussianBlur(cv2.warpAffine(cover[..., 0], shift, size), (0, 0), chance.uniform(3, 14))
    frame = behind * (1 - chance.uniform(0.1, 0.6) * shadow[..., None])
    what["glare"] = 0
    if chance.random() < 0.4:
        strength = chance.uniform(30, 130)
        front += glare(corners, strength, chance)
        what["glare"] = round(strength)
    frame = frame * (1 - cover) + np.minimum(front, 255) * cover
    what["hand"] = chance.choices((0, 1, 2), (55, 30, 15))[0]
    for _ in range(what["hand"]):
        finger(frame, corners, what["px_per_mm"], chance)
    frame, what["light"] = lit(frame, chance)
    frame, what["blur_kind"], what["blur_px"] = blurred(frame, chance)
    sigma = chance.uniform(1, 7)
    frame += noise.normal(0, sigma, frame.shape).astype(np.float32)
    quality = chance.randint(60, 95)
    what["noise"], what["jpeg"] = round(sigma, 1), quality
    bgr = np.clip(frame, 0, 255).astype(np.uint8)[..., ::-1]
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("OpenCV did not encode the frame as JPEG")
    return data.tobytes(), what


def placed(shape: tuple[int, ...], px_per_mm: float, chance: random.Random, upside_down: float) -> tuple[np.ndarray, dict[str, object]]:
    """Corners of the document in the frame: turned about three axes, seen through a pinhole, wholly inside."""
    h, w = shape[:2]
    half = np.array([[-w, -h, 0], [w, -h, 0], [w, h, 0], [-w, h, 0]], np.float64) / 2
    roll = chance.uniform(-15, 15)
    tilt_x, tilt_y = chance.uniform(-25, 25), chance.uniform(-25, 25)
    turn = 180.0 if chance.random() < upside_down else 0.0
    ax, ay, az = (math.radians(v) for v in (tilt_x, tilt_y, roll + turn))
    about_x = np.array([[1, 0, 0], [0, math.cos(ax), -math.sin(ax)], [0, math.sin(ax), math.cos(ax)]])
    about_y = np.array([[math.cos(ay), 0, math.sin(ay)], [0, 1, 0], [-math.sin(ay), 0, math.cos(ay)]])
    about_z = np.array([[math.cos(az), -math.sin(az), 0], [math.sin(az), math.cos(az), 0], [0, 0, 1]])
    scale = chance.uniform(0.52, 0.86) * min(WIDTH / w, 1.15 * HEIGHT / h)
    turned = half * scale @ (about_z @ about_x @ about_y).T
    depth = 1.3 * WIDTH
    points = turned[:, :2] * depth / (depth + turned[:, 2:])
    # Smaller if it does not fit; then anywhere it fits.
    margin = 8
    reach = np.abs(points).max(0)
    points *= min(1.0, (WIDTH / 2 - margin) / reach[0], (HEIGHT / 2 - margin) / reach[1])
    low, high = points.min(0), points.max(0)
    centre = [chance.uniform(margin - low[k], side - margin - high[k]) for k, side in enumerate((WIDTH, HEIGHT))]
    points += np.array(centre)
    sides = np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1)
    what: dict[str, object] = {}
    for name, (x, y) in zip(("tl", "tr", "br", "bl"), points):
        what[f"{name}_x"], what[f"{name}_y"] = round(float(x), 2), round(float(y), 2)
    what |= {"roll_deg": round(roll + turn, 1), "tilt_x_deg": round(tilt_x, 1), "tilt_y_deg": round(tilt_y, 1),
             "px_per_mm": round(float(sides.sum()) / (2 * (w + h) / px_per_mm), 3)}
    return points, what


def mask(shape: tuple[int, ...], chance: random.Random) -> np.ndarray:
    """Where the document is: a sheet with rounded corners (3.18 mm on an ID-1 card), or with sharp ones."""
    h, w = shape[:2]
    if chance.random() < 0.2:
        return np.full((h, w), 255, np.uint8)
    radius = round(0.058 * h)
    drawn = np.zeros((h, w), np.uint8)
    cv2.rectangle(drawn, (radius, 0), (w - radius, h), 255, -1)
    cv2.rectangle(drawn, (0, radius), (w, h - radius), 255, -1)
    for x in (radius, w - radius):
        for y in (radius, h - radius):
            cv2.circle(drawn, (x, y), radius, 255, -1)
    return drawn


def clutter(chance: random.Random, noise: np.random.Generator) -> np.ndarray:
    """A table, a cloth or a room, and things that lie about in it."""
    base = np.array([chance.randint(25, 225) for _ in range(3)], np.float32)
    base = 0.45 * base + 0.55 * base.mean()
    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    frame = np.empty((HEIGHT, WIDTH, 3), np.float32)
    frame[:] = base
    kind = chance.random()
    if kind < 0.4:
        # Grain of wood.
        bent = yy * chance.uniform(0.02, 0.2) + chance.uniform(1, 8) * np.sin(xx * chance.uniform(0.001, 0.008) + chance.uniform(0, 6))
        grain = np.sin(bent) * chance.uniform(4, 16)
        stretch = cv2.resize(noise.normal(0, 1, (HEIGHT // 3, WIDTH // 40)).astype(np.float32), (WIDTH, HEIGHT)) * chance.uniform(3, 12)
        frame += (grain + stretch)[..., None]
    elif kind < 0.65:
        # Cloth: two gratings across each other.
        angle, pitch = chance.uniform(0, math.pi), chance.uniform(0.15, 0.9)
        u = xx * math.cos(angle) + yy * math.sin(angle)
        v = -xx * math.sin(angle) + yy * math.cos(angle)
        frame += ((np.sin(u * pitch) + np.sin(v * pitch)) * chance.uniform(4, 14))[..., None]
    elif kind < 0.85:
        # Soft blobs: a room out of focus.
        small = noise.normal(0, 1, (9, 16, 3)).astype(np.float32)
        small = (0.35 * small + 0.65 * small.mean(axis=2, keepdims=True)) * chance.uniform(25, 70)
        frame += cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(chance.choice((1, 2, 3, 5, 8))):
        thing(frame, chance)
    return np.clip(frame, 0, 255)


def thing(frame: np.ndarray, chance: random.Random) -> None:
    """One thing that lies about: a sheet with lines of writing, a cup from above, a pen, a phone, scraps."""
    x, y = chance.randint(-80, WIDTH), chance.randint(-80, HEIGHT)
    colour = tuple(float(chance.randint(10, 245)) for _ in range(3))
    kind = chance.random()
    if kind < 0.3:
        w, h = chance.randint(160, 560), chance.randint(160, 460)
        box = cv2.boxPoints(((x, y), (w, h), chance.uniform(-40, 40)))
        shade = float(chance.randint(200, 250))
        cv2.fillPoly(frame, [box.astype(np.int32)], (shade, shade, shade - 6), cv2.LINE_AA)
        along, down = (box[1] - box[0]), (box[3] - box[0])
        for row in np.arange(0.1, 0.9, 0.07):
            start = box[0] + 0.1 * along + row * down
            end = start + chance.uniform(0.3, 0.8) * along
            ink = float(chance.randint(30, 110))
            for step in np.arange(0, 1, 0.05):
                if chance.random() < 0.8:
                    a, b = start + step * (end - start), start + (step + 0.035) * (end - start)
                    cv2.line(frame, tuple(int(v) for v in a), tuple(int(v) for v in b), (ink, ink, ink), 3, cv2.LINE_AA)
    elif kind < 0.5:
        radius = chance.randint(40, 150)
        for part, factor in ((1.0, 1.0), (0.86, 0.75), (0.8, 0.45)):
            cv2.circle(frame, (x, y), round(radius * part), tuple(c * factor for c in colour), -1, cv2.LINE_AA)
    elif kind < 0.7:
        angle, length = chance.uniform(0, math.pi), chance.uniform(150, 700)
        end = (round(x + length * math.cos(angle)), round(y + length * math.sin(angle)))
        cv2.line(frame, (x, y), end, colour, chance.randint(3, 22), cv2.LINE_AA)
    elif kind < 0.85:
        box = cv2.boxPoints(((x, y), (chance.randint(60, 420), chance.randint(40, 260)), chance.uniform(0, 180)))
        cv2.fillPoly(frame, [box.astype(np.int32)], colour, cv2.LINE_AA)
    else:
        points = np.array([[chance.randint(0, WIDTH), chance.randint(0, HEIGHT)] for _ in range(chance.randint(3, 5))])
        cv2.fillPoly(frame, [points], colour, cv2.LINE_AA)


def finger(frame: np.ndarray, corners: np.ndarray, px_per_mm: float, chance: random.Random) -> None:
    """A finger that holds the edge: it covers at most 4 mm of the document, where nothing is printed."""
    edge, along = chance.randint(0, 3), chance.uniform(0.15, 0.85)
    a, b = corners[edge], corners[(edge + 1) % 4]
    at = a * (1 - along) + b * along
    outward = at - corners.mean(0)
    normal = np.array([(b - a)[1], -(b - a)[0]])
    normal = normal / np.linalg.norm(normal)
    if normal @ outward < 0:
        normal = -normal
    lean = np.array([[math.cos(t := chance.uniform(-0.5, 0.5)), -math.sin(t)], [math.sin(t), math.cos(t)]]) @ normal
    radius = chance.uniform(6.5, 9.0) * px_per_mm
    tip = at - normal * chance.uniform(1.0, 4.0) * px_per_mm + normal * radius
    skin = np.array([chance.randint(140, 232), 0, 0], np.float32)
    skin[1], skin[2] = skin[0] * chance.uniform(0.68, 0.8), skin[0] * chance.uniform(0.55, 0.7)
    # A capsule, darker towards its sides, with a nail or without.
    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    dx, dy = xx - tip[0], yy - tip[1]
    down = np.maximum(dx * lean[0] + dy * lean[1], 0)
    distance = np.hypot(dx - down * lean[0], dy - down * lean[1]) / radius
    cover = np.clip((1 - distance) * radius, 0, 1)[..., None]
    round_off = (0.72 + 0.28 * np.sqrt(np.clip(1 - distance**2, 0, 1)))[..., None]
    drop = cv2.GaussianBlur((distance < 1.08).astype(np.float32), (0, 0), 0.6 * px_per_mm)[..., None]
    frame *= 1 - 0.3 * drop
    frame *= 1 - cover
    frame += cover * round_off * skin
    if chance.random() < 0.5:
        nail = tip - lean * 0.1 * radius
        cv2.ellipse(frame, tuple(int(v) for v in nail), (int(0.72 * radius), int(0.55 * radius)),
                    math.degrees(math.atan2(lean[1], lean[0])), 0, 360, tuple(float(c) for c in np.minimum(skin * 1.08 + 8, 255)), -1, cv2.LINE_AA)


def glare(corners: np.ndarray, strength: float, chance: random.Random) -> np.ndarray:
    """A lamp mirrored in the surface: a soft bright spot somewhere on the document."""
    weights = np.array([chance.random() + 0.1 for _ in range(4)])
    x, y = (weights / weights.sum()) @ corners
    size = np.linalg.norm(corners[0] - corners[2])
    a, b, angle = chance.uniform(0.04, 0.22) * size, chance.uniform(0.03, 0.12) * size, chance.uniform(0, math.pi)
    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    u = (xx - x) * math.cos(angle) + (yy - y) * math.sin(angle)
    v = -(xx - x) * math.sin(angle) + (yy - y) * math.cos(angle)
    return (strength * np.exp(-((u / a) ** 2) - (v / b) ** 2))[..., None].astype(np.float32)


def lit(frame: np.ndarray, chance: random.Random) -> tuple[np.ndarray, float]:
    """Light that falls off across the frame, warm or cold; sometimes the edge of a cast shadow. Returns the mean factor too."""
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None]
    y = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None]
    level = chance.uniform(0.55, 1.12)
    fall = level * (1 + chance.uniform(-0.28, 0.28) * x + chance.uniform(-0.28, 0.28) * y)
    if chance.random() < 0.25:
        angle, at = chance.uniform(0, 2 * math.pi), chance.uniform(-0.5, 0.5)
        edge = 1 / (1 + np.exp(-(x * math.cos(angle) + y * math.sin(angle) - at) * chance.uniform(8, 40)))
        fall = fall * (1 - chance.uniform(0.15, 0.45) * edge)
    warm = np.array([1 + (t := chance.uniform(-0.1, 0.1)), 1.0, 1 - t], np.float32)
    return frame * fall[..., None] * warm, round(level, 2)


def blurred(frame: np.ndarray, chance: random.Random) -> tuple[np.ndarray, str, float]:
    """Out of focus, moved, or sharp; with its kind and size in pixels."""
    kind = chance.random()
    if kind < 0.35:
        return frame, "none", 0.0
    if kind < 0.7:
        sigma = round(chance.uniform(0.4, 1.4), 2)
        return cv2.GaussianBlur(frame, (0, 0), sigma), "focus", sigma
    length = chance.randint(2, 6)
    size = 2 * length + 1
    kernel = np.zeros((size, size), np.float32)
    kernel[length, length - length // 2:length - length // 2 + length] = 1
    turn = cv2.getRotationMatrix2D((length, length), chance.uniform(0, 180), 1)
    kernel = cv2.warpAffine(kernel, turn, (size, size))
    return cv2.filter2D(frame, -1, kernel / kernel.sum()), "motion", float(length)
