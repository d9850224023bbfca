"""Draws the strips that the line reader is trained on, as the booth cuts them out of a frame.

`lines.py --out DIR --shards N` writes `lines-000.npz` and so on, each with SHARD strips: `x` uint8 [n, 32, 576], `y` the texts,
`at` the place of every character along the strip (pixels; NaN where the text has ended). Every shard has a seed of its own.

A line goes the way it goes in the booth: printed with its neighbours, seen by a camera under an angle and with what light, lens,
sensor and compression do to it, then cut out by a quadrilateral that is padded and a little wrong as `mrz_lines/strip.rs` leaves
it, with 2x2 bilinear samples a pixel; the booth takes one where the strip is larger than what it is cut from.
"""

import argparse
import pathlib
import time

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import mrz
from line_texts import ALPHABET, Texts

SEED = 20261125
SHARD = 4096
HEIGHT, WIDTH = 32, 576
LONGEST = 44
PITCH = 24
"""Cell of a character on the print, in pixels; no camera of the booth sees as much."""
SIZES = ((1.0, 1.0), (0.95, 1.0), (1.05, 1.0), (1.15, 1.05), (1.0, 1.06), (1.05, 1.1), (1.1, 1.1))
"""Width and height of the characters within their cells; printers differ."""
ONE_SIZE = 16
"""The shards before this one have the first size only, and no line that is seen mildly. A reader that had seen only those took the O of a larger print for a 0 (which is higher,
not wider), which showed on the frames of specimen_frames.py; it is trained on the later shards after them."""
MILD = 0.6
"""Share of the later shards' lines that are seen under fair conditions, as scans and a booth that holds its promises give them. A reader that had
seen next to nothing but the worst took letters of unusual print for others, which specimens of other makers showed."""
MARGIN = 2 * PITCH
"""Paper left and right of a line."""
CAPITAL = 22
"""Height of a capital in the print, in pixels: OCR-B size 1 has 2.3 mm in a cell of 2.54 mm."""
HALF_TURNED = 0.03
"""Share of upside-down lines: the booth tries both ways, and the reader should say nothing then."""
PADDINGS = ((0.6, 0.45), (0.9, 0.3), (0.4, 0.6), (0.8, 0.55), (0.3, 0.3))
"""`PADDINGS` of mrz_lines.rs: ends, edges."""

ROOT = "/usr/share/fonts/"
# Debian bookworm: fonts-ocr-b 0.3~dfsg1-1, fonts-ocr-a 1.0-10, fonts-dejavu-core 2.37-6, fonts-liberation 1:1.07.4-11, fonts-freefont-ttf 20120503-10.
# path: how often; for MRZ lines and for numbers.
FONTS = {
    "opentype/ocr-b/OCRB.otf": (62, 50),
    "opentype/ocr-b/OCRBS.otf": (16, 12),
    "opentype/ocr-b/OCRBL.otf": (2, 2),
    "truetype/ocr-a/OCRA.ttf": (2, 2),
    "truetype/dejavu/DejaVuSansMono.ttf": (4, 4),
    "truetype/dejavu/DejaVuSansMono-Bold.ttf": (2, 2),
    "truetype/liberation/LiberationMono-Regular.ttf": (4, 4),
    "truetype/liberation/LiberationMono-Bold.ttf": (4, 4),
    "truetype/freefont/FreeMonoBold.ttf": (4, 4),
    "truetype/liberation/LiberationSans-Regular.ttf": (0, 8),
    "truetype/liberation/LiberationSans-Bold.ttf": (0, 8),
}


def glyphs(path, width=1.0, height=1.0):
    """{character: mask} in cells of PITCH x 2*PITCH, base line at 1.5*PITCH, capitals CAPITAL times `height` high, as wide as drawn times `width`."""
    trial = ImageFont.truetype(path, 200, layout_engine=ImageFont.Layout.BASIC)
    left, top, right, bottom = trial.getmask("H").getbbox()
    font = ImageFont.truetype(path, 200 * CAPITAL / (bottom - top), layout_engine=ImageFont.Layout.BASIC)
    cells = {}
    for char in ALPHABET:
        cell = Image.new("L", (PITCH + 8, 2 * PITCH))
        ImageDraw.Draw(cell).text(((PITCH + 8) / 2, 1.5 * PITCH), char, fill=255, font=font, anchor="ms")
        cells[char] = np.asarray(cell)
        if (width, height) != (1, 1):
            middle, base = (PITCH + 7) / 2, 1.5 * PITCH
            larger = np.float32([[width, 0, middle * (1 - width)], [0, height, base * (1 - height)]])
            cells[char] = cv2.warpAffine(cells[char], larger, cell.size, flags=cv2.INTER_LINEAR)
    return cells


class Printer:
    """Draws; keeps what every line needs."""

    def __init__(self):
        self.fonts = {path: [glyphs(ROOT + path, *size) for size in SIZES] for path in FONTS}
        self.sizes_differ, self.mild = True, MILD
        weights = np.array(list(FONTS.values()), float).T
        self.weights = weights / weights.sum(1, keepdims=True)
        rng = np.random.default_rng(SEED)
        # Grain of the sensor and patches of wear, drawn once: a line takes a piece of them.
        self.grain = rng.standard_normal((1024, 1024)).astype(np.float32)
        self.grain = np.stack([self.grain, cv2.GaussianBlur(self.grain, (0, 0), 0.7) * 2.2])
        patches = [cv2.resize(rng.standard_normal((1024 // s, 2048 // s)).astype(np.float32), (2048, 1024), interpolation=cv2.INTER_CUBIC) for s in (4, 16, 64)]
        self.patches = np.stack(patches)

    def piece(self, rng, source, shape):
        """A random piece of a drawn-once field."""
        h, w = shape
        y, x = (int(rng.integers(max(1, n - m))) for n, m in zip(source.shape, shape))
        cut = source[y:y + h, x:x + w]
        return cut if cut.shape == shape else cv2.resize(cut, (w, h))

    def cover(self, rng, lines, font, line_pitch):
        """Coverage with ink, uint8, of three lines under each other, the first cell MARGIN from the left."""
        cells, n = self.fonts[font][int(rng.integers(len(SIZES))) if self.sizes_differ else 0], max(map(len, lines))
        sheet = np.zeros((int(2.2 * PITCH + 2 * line_pitch), n * PITCH + 2 * MARGIN), np.uint8)
        for row, line in enumerate(lines):
            top = round(row * line_pitch)
            for i, char in enumerate(line):
                # Each character sits a little off its cell.
                x, y = MARGIN + i * PITCH - 4 + int(rng.integers(-1, 2)), top + int(rng.integers(0, 2))
                into = sheet[y:y + 2 * PITCH, x:x + PITCH + 8]
                np.maximum(into, cells[char][:len(into)], out=into)
        return sheet

    def printed(self, rng, coverage, mild):
        """Grey paper with the coverage printed on it, float32; `mild`: fresh print."""
        shape = coverage.shape
        # Ink spreads, or the ribbon is thin.
        spread = rng.random()
        if spread < 0.25:
            coverage = cv2.dilate(coverage, np.ones((2, 2) if spread < 0.15 else (3, 3), np.uint8))
        elif spread < 0.42:
            coverage = cv2.erode(coverage, np.ones((2, 1) if spread < 0.35 else (2, 2), np.uint8))
        mask = cv2.GaussianBlur(coverage, (0, 0), rng.uniform(0.5, 1.7)).astype(np.float32) / 255
        if rng.random() < 0.4 and not mild:
            # Worn print: holes and pale places.
            worn = self.piece(rng, self.patches[int(rng.integers(3))], shape)
            mask *= np.clip(1 + rng.uniform(0.1, 0.5) * np.minimum(worn - rng.uniform(-1.2, 0.8), 0), 0, 1)
        paper = rng.uniform(110, 250)
        dark = rng.uniform(5, min(90, paper - 60)) if rng.random() < 0.92 else paper - rng.uniform(35, 70)
        sheet = np.full(shape, paper, np.float32)
        if rng.random() < 0.6:
            sheet += self.guilloche(rng, shape, rng.uniform(1, 10))
        if rng.random() < 0.3:
            sheet += rng.uniform(1, 6) * self.piece(rng, self.patches[int(rng.integers(3))], shape)
        if rng.random() < 0.12 and not mild:
            # The edge of a field, of a laminate or of the document beside or under the line.
            x, step = int(rng.integers(shape[1])), rng.uniform(-50, 40)
            if rng.random() < 0.6:
                sheet[:, x:] += step
            else:
                sheet[int(rng.uniform(0.75, 1) * shape[0]):] += step
        return sheet + mask * (dark - sheet)

    def guilloche(self, rng, shape, strength):
        """Waves of a security print."""
        y, x = np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[1], dtype=np.float32)[None]
        out = np.zeros(shape, np.float32)
        for _ in range(int(rng.integers(1, 4))):
            period, bend, swing, slant = rng.uniform(7, 45), rng.uniform(60, 380), rng.uniform(3, 30), rng.uniform(-0.6, 0.6)
            along, across = (y, x) if rng.random() < 0.6 else (x, y)
            wave = np.sin((along + slant * across + swing * np.sin(across / bend + rng.uniform(0, 6.28))) * np.float32(2 * np.pi / period) + rng.uniform(0, 6.28))
            # Some waves are broad tints, some thin dark lines.
            out += wave if rng.random() < 0.5 else -3 * np.maximum(wave - rng.uniform(0.3, 0.9), 0)
        return out * np.float32(0.6 * strength)

    def seen_mildly(self, rng, frame, pitch):
        """What a scanner or a good camera does."""
        frame = frame * rng.uniform(0.8, 1.05)
        if rng.random() < 0.7:
            frame = cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.3, min(1.0, pitch / 11)))
        if rng.random() < 0.3:
            frame += rng.uniform(0.2, 1.2) * (frame - cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.8, 2)))
        if rng.random() < 0.6:
            frame = frame + rng.uniform(0.3, 3) * self.piece(rng, self.grain[int(rng.integers(2))], frame.shape)
        frame = np.clip(frame, 0, 255).astype(np.uint8)
        if rng.random() < 0.75:
            frame = cv2.imdecode(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 97))])[1], cv2.IMREAD_GRAYSCALE)
        return frame

    def seen(self, rng, frame, pitch):
        """What light, lens, sensor and compression do to the frame; `pitch`: pixels a character."""
        h, w = frame.shape
        x, y = np.linspace(-1, 1, w, dtype=np.float32)[None], np.linspace(-1, 1, h, dtype=np.float32)[:, None]
        frame = frame * (rng.uniform(0.5, 1.1) * (1 + rng.uniform(-0.3, 0.3) * x + rng.uniform(-0.2, 0.2) * y))
        if rng.random() < 0.2:
            # The edge of a shadow.
            soft, a = rng.uniform(2, 40), rng.uniform(-1, 1)
            frame *= 1 - rng.uniform(0.15, 0.55) / (1 + np.exp(-np.clip(((x + a) * w + rng.uniform(-1, 1) * y * h) / soft, -30, 30)))
        if rng.random() < 0.25:
            # A lamp mirrored in the laminate.
            cx, cy, sx, sy = rng.uniform(-1, 1), rng.uniform(-1.5, 1.5), rng.uniform(0.05, 0.4), rng.uniform(0.3, 2)
            frame += rng.uniform(10, 90) * np.exp(-(((x - cx) / sx) ** 2 + ((y - cy) / sy) ** 2))
        kind = rng.random()
        if kind < 0.85:
            frame = cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.3, min(1.6, pitch / 8)))
        if rng.random() < 0.25:
            frame = cv2.filter2D(frame, -1, streak(rng, min(7.0, pitch / 2.8)))
        if rng.random() < 0.3:
            # The camera's own sharpening.
            frame += rng.uniform(0.2, 1.0) * (frame - cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.8, 2)))
        if rng.random() < 0.3:
            frame = 255 * np.clip(frame / 255, 0, 1) ** np.float32(rng.uniform(0.7, 1.5))
        if rng.random() < 0.8:
            frame = frame + rng.uniform(0.5, 8) * self.piece(rng, self.grain[int(rng.integers(2))], (h, w))
        frame = np.clip(frame, 0, 255).astype(np.uint8)
        if rng.random() < 0.65:
            frame = cv2.imdecode(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 96))])[1], cv2.IMREAD_GRAYSCALE)
        return frame

    def line(self, rng, texts):
        """(strip uint8, text, places of the characters); an upside-down line has no text."""
        kind, lines = texts.zone()
        chosen = int(rng.integers(len(lines)))
        text, font = lines[chosen], list(FONTS)[int(rng.choice(len(FONTS), p=self.weights[int(len(lines[0]) == 18)]))]
        around = ["", *lines, ""][chosen:chosen + 3]
        if len(lines) == 1 and rng.random() < 0.4:
            around[int(rng.choice([0, 2]))] = text[::-1]
        line_pitch = PITCH * rng.uniform(1.8, 2.9)
        mild = self.mild > 0 and rng.random() < self.mild
        sheet = self.printed(rng, self.cover(rng, around, font, line_pitch), mild)
        base = 1.5 * PITCH + line_pitch

        # From the print to the camera: size, turn, tilt.
        pitch = rng.uniform(*((5.5, 9), (8, 15), (12, 24))[int(rng.choice(3, p=[0.05, 0.55, 0.4] if mild else [0.2, 0.45, 0.35]))])
        scale, turn = pitch / PITCH, np.radians(np.clip(rng.normal(0, 5), -20, 20))
        h, w = sheet.shape
        corners = np.float32([[0, 0], [w, 0], [w, h], [0, h]])
        turned = (corners * scale * np.float32([rng.uniform(0.88, 1.08), 1])) @ np.float32([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        turned += rng.uniform(-0.12, 0.12, (4, 2)).astype(np.float32) * np.float32([0.3, 1]) * h * scale
        turned += rng.uniform(0, 1, 2).astype(np.float32) - turned.min(0)
        to_frame = cv2.getPerspectiveTransform(corners, turned)
        size = tuple(int(np.ceil(v)) + 1 for v in turned.max(0))
        if scale < 0.7:
            sheet = cv2.GaussianBlur(sheet, (0, 0), 0.4 / scale)
        frame = cv2.warpPerspective(sheet, to_frame, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        frame = (self.seen_mildly if mild else self.seen)(rng, frame, pitch)

        quad = cut_quad(rng, len(text), base)
        half_turned = rng.random() < HALF_TURNED
        if half_turned:
            quad = np.roll(quad, 2, 0)
        in_frame = cv2.perspectiveTransform(quad[None], to_frame)[0]
        to_strip = cv2.getPerspectiveTransform(in_frame, np.float32([[0, 0], [2 * WIDTH, 0], [2 * WIDTH, 2 * HEIGHT], [0, 2 * HEIGHT]]))
        fine = cv2.warpPerspective(frame, to_strip, (2 * WIDTH, 2 * HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        strip = cv2.resize(fine, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        middles = np.float32([[MARGIN + (i + 0.5) * PITCH, base - CAPITAL / 2] for i in range(len(text))])
        places = cv2.perspectiveTransform(middles[None], to_strip @ to_frame)[0, :, 0] / 2
        return (strip, "", places[:0]) if half_turned else (strip, text, places)


def streak(rng, longest):
    """Kernel of a motion blur."""
    n = int(longest) | 1
    kernel = np.zeros((n, n), np.float32)
    angle, half = rng.uniform(0, np.pi), rng.uniform(1, longest) / 2
    end = (half * np.cos(angle), half * np.sin(angle))
    middle = n // 2
    cv2.line(kernel, (round(middle - end[0]), round(middle - end[1])), (round(middle + end[0]), round(middle + end[1])), 1, 1, cv2.LINE_AA)
    kernel[middle, middle] += 1e-3
    return kernel / kernel.sum()


def cut_quad(rng, n, base):
    """Corners of the cut on the print: padding, and the errors of the line finder."""
    height = CAPITAL * (1 + rng.uniform(-0.12, 0.25))
    middle = base - CAPITAL / 2 + rng.normal(0, 0.06) * height
    if n == 18 or rng.random() < 0.15:
        ends, edges = rng.uniform(0.15, 1.5), rng.uniform(0.15, 0.8)
    else:
        ends, edges = PADDINGS[int(rng.choice(len(PADDINGS), p=[0.5, 0.14, 0.12, 0.12, 0.12]))]
    # Print starts an eighth of a cell after the edge of its cell; the cut never takes away a part of a character.
    left = min(MARGIN + PITCH / 8 + rng.normal(-0.05, 0.2) * height - ends * height, MARGIN + PITCH / 10)
    right = max(MARGIN + (n - 1 / 8) * PITCH + rng.normal(0.05, 0.2) * height + ends * height, MARGIN + (n - 0.1) * PITCH)
    if rng.random() < 0.1:
        # The common ends of lines that were not found to be equally long.
        left, right = (left - rng.uniform(0, 1.5) * PITCH, right) if rng.random() < 0.5 else (left, right + rng.uniform(0, 1.5) * PITCH)
    fall = rng.normal(0, 0.08) * height
    upper, lower = middle - (0.5 + edges) * height, middle + (0.5 + edges) * height
    return np.float32([[left, upper - fall], [right, upper + fall], [right, lower + fall], [left, lower - fall]])


def shard(printer, index, n=SHARD, seed=SEED):
    """{x, y, at} of one shard."""
    rng = np.random.default_rng([seed, index])
    texts = Texts(rng)
    printer.sizes_differ, printer.mild = index >= ONE_SIZE, MILD if index >= ONE_SIZE else 0.0
    x, y, at = np.zeros((n, HEIGHT, WIDTH), np.uint8), [], np.full((n, LONGEST), np.nan, np.float32)
    for i in range(n):
        x[i], text, places = printer.line(rng, texts)
        y.append(text)
        at[i, :len(places)] = places
    return {"x": x, "y": np.array(y), "at": at}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder of the shards")
    parser.add_argument("--shards", type=int, default=20, help="how many (default: %(default)s)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    mrz.self_test()
    printer, begin = Printer(), time.time()
    for index in range(args.shards):
        path = args.out / f"lines-{index:03d}.npz"
        if path.exists():
            continue
        # Written beside and renamed, so that the training may already read the shards that are there.
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, **shard(printer, index))
        part.rename(path)
        print(f"{path.name}: {time.time() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
