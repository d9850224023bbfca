"""Draws the scenes that the corner net is trained on: documents in front of a table, a cloth or a person, and scenes without one.

`scenes.py --out DIR --shards N` writes `scenes-000.npz` and so on, each with SHARD scenes: `x` uint8 [n, 192, 192, 3] (the frame stretched),
`corners` float32 [n, 4, 2] in units of the frame, clockwise from the one that lies upper left in it, `kind` the class of the manifest.

Layouts are drawn by lot, so that the net learns edges and the look of a kind instead of one document; neither specimen.py nor the
generators of camera frames have a part in it, since their pictures are what the net is compared on.
"""

import argparse
import pathlib
import time

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from line_texts import Texts
from lines import streak

SEED = 20261126
SHARD = 1024
SIDE = 192
TD3, TD2, TD1_MRZ, TD1_FRONT, PRC, NOTHING = range(6)
SIZES_MM = {TD3: (125, 88), TD2: (105, 74), TD1_MRZ: (85.6, 54), TD1_FRONT: (85.6, 54), PRC: (85.6, 54)}
SHARES = {TD3: 0.24, TD2: 0.12, TD1_MRZ: 0.17, TD1_FRONT: 0.17, PRC: 0.18, NOTHING: 0.12}
PX_PER_MM = 5
POOL = 96
"""Documents that a shard's scenes are made of."""
LAYERS = pathlib.Path(__file__).resolve().parents[2] / "board" / "scenes" / "assets"

ROOT = "/usr/share/fonts/"
LATIN = [ROOT + "truetype/" + f for f in ("dejavu/DejaVuSans.ttf", "dejavu/DejaVuSans-Bold.ttf", "liberation/LiberationSans-Regular.ttf",
                                            "liberation/LiberationSans-Bold.ttf", "liberation/LiberationSerif-Regular.ttf", "freefont/FreeSans.ttf")]
OCR_B = ROOT + "opentype/ocr-b/OCRB.otf"
CJK = [(ROOT + "opentype/noto/NotoSansCJK-Regular.ttc", 2), (ROOT + "opentype/noto/NotoSansCJK-Bold.ttc", 2), (ROOT + "opentype/noto/NotoSerifCJK-Regular.ttc", 2)]
HAN = "样本示例姓名性别民族出生年月日住址公民身份号码签发机关有效期限省市区县路街号楼单元室中华人民共和国居民证国男女汉"


def font(path, size, index=0):
    return ImageFont.truetype(path, max(4, round(size)), index=index, layout_engine=ImageFont.Layout.BASIC)


def uneven(rng, shape, steps, strength):
    """Smooth random field."""
    out = np.zeros(shape[:2], np.float32)
    for step in steps:
        coarse = rng.standard_normal((shape[0] // step + 2, shape[1] // step + 2), np.float32)
        out += cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return out * np.float32(strength)


class Documents:
    """Draws pages of every kind."""

    def __init__(self, rng):
        self.rng, self.texts = rng, Texts(rng)
        self.people = []
        for name in ("collins", "hopper"):
            layer = Image.open(LAYERS / f"person-{name}.png").convert("RGBA")
            self.people.append(layer.resize((layer.width // 2, layer.height // 2), Image.Resampling.LANCZOS))

    def paper(self, w, h, pale):
        """Base colour, wash and thin waves."""
        rng = self.rng
        base = rng.uniform(*((175, 252) if pale else (90, 245)), 3)
        base = (0.6 * base + 0.4 * base.mean()).astype(np.float32)
        ramp = np.linspace(0, 1, w, dtype=np.float32)[None, :, None] * rng.uniform(-25, 25, 3).astype(np.float32)
        page = np.broadcast_to(base + ramp, (h, w, 3)) + uneven(rng, (h, w), (40, 90), rng.uniform(0, 7))[..., None]
        image = Image.fromarray(np.clip(page, 0, 255).astype(np.uint8))
        pen = ImageDraw.Draw(image)
        x = np.arange(0, w + 4, 4.0)
        for _ in range(int(rng.integers(0, 40))):
            y = rng.uniform(0, h) + rng.uniform(2, 30) * np.sin(x / rng.uniform(8, 90) + rng.uniform(0, 6))
            tint = tuple(int(v) for v in np.clip(base - rng.uniform(-15, 50, 3), 0, 255))
            pen.line(list(zip(x.tolist(), y.tolist())), fill=tint, width=1)
        return image, pen

    def portrait(self, image, box):
        """A person, or what is as dark, in a box."""
        rng, (x0, y0, x1, y1) = self.rng, [int(v) for v in box]
        size = (max(x1 - x0, 8), max(y1 - y0, 8))
        ground = Image.new("RGB", size, tuple(int(v) for v in rng.uniform(150, 250, 3)))
        person = self.people[int(rng.integers(2))]
        zoom = size[0] / person.width * rng.uniform(1.0, 1.5)
        person = person.resize((max(8, round(person.width * zoom)), max(8, round(person.height * zoom))), Image.Resampling.BILINEAR)
        if rng.random() < 0.5:
            person = person.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        ground.paste(person, ((size[0] - person.width) // 2, int(size[1] * rng.uniform(0.02, 0.2))), person)
        if rng.random() < 0.35:
            ground = ground.convert("L").convert("RGB")
        image.paste(ground, (x0, y0))

    def words(self, pen, x, y, size, count, ink, han=False):
        rng = self.rng
        if han:
            path, index = CJK[int(rng.integers(len(CJK)))]
            text = "".join(HAN[i] for i in rng.integers(len(HAN), size=count))
            pen.text((x, y), text, font=font(path, size, index), fill=ink)
        else:
            pen.text((x, y), self.texts.some_of("ABCDEFGHIJKLMNOPRSTUVWZ 0123456789", count), font=font(LATIN[int(rng.integers(len(LATIN)))], size), fill=ink)

    def zone(self, pen, w, h, lines):
        """The machine readable zone at the lower edge."""
        pitch = 2.54 * PX_PER_MM
        letters, n = font(OCR_B, pitch / 0.723), len(lines)
        left = (w - len(lines[0]) * pitch) / 2 + self.rng.uniform(-1, 1) * PX_PER_MM
        last = h - self.rng.uniform(4, 9) * PX_PER_MM
        for row, line in enumerate(lines):
            for i, char in enumerate(line):
                pen.text((left + (i + 0.5) * pitch, last - (n - 1 - row) * 6.35 * PX_PER_MM), char, font=letters, fill=(20, 20, 25), anchor="ms")

    def page(self, kind):
        """RGB uint8 of a document of a kind."""
        rng = self.rng
        w, h = (round(v * PX_PER_MM) for v in SIZES_MM[kind])
        if kind == PRC:
            return self.prc(w, h)
        image, pen = self.paper(w, h, rng.random() < 0.75)
        ink, dark = tuple(int(v) for v in rng.uniform(0, 70, 3)), tuple(int(v) for v in rng.uniform(0, 140, 3))
        top = rng.uniform(0.08, 0.16) * h
        if rng.random() < 0.6:
            pen.rectangle((0, 0, w, top), fill=tuple(int(v) for v in rng.uniform(60, 240, 3)))
        self.words(pen, rng.uniform(0.05, 0.4) * w, 0.2 * top, 0.6 * top, int(rng.integers(6, 18)), dark)
        floor = h * {TD3: 0.72, TD2: 0.68, TD1_MRZ: 0.52, TD1_FRONT: 0.95}[kind]
        left = 0.06 * w
        if kind != TD1_MRZ or rng.random() < 0.35:
            pw = rng.uniform(0.22, 0.32) * w
            at = left if rng.random() < 0.85 else w - left - pw
            self.portrait(image, (at, top + 0.04 * h, at + pw, min(top + 0.04 * h + 1.3 * pw, floor)))
            left = left + pw + 0.03 * w if at == left else left
        y = top + 0.05 * h
        while y < floor - 0.08 * h:
            size = rng.uniform(0.03, 0.06) * h
            self.words(pen, left, y, 0.55 * size, int(rng.integers(5, 20)), dark, rng.random() < 0.15)
            self.words(pen, left, y + 0.65 * size, size, int(rng.integers(3, 22)), ink)
            y += size * rng.uniform(1.9, 2.8)
        if rng.random() < 0.4:
            x, r = rng.uniform(0.5, 0.9) * w, rng.uniform(0.06, 0.16) * h
            pen.ellipse((x - r, y * 0.6 - r, x + r, y * 0.6 + r), outline=dark, width=3)
        if kind == TD3:
            self.zone(pen, w, h, self.texts.td3())
        elif kind == TD2:
            self.zone(pen, w, h, self.texts.td2())
        elif kind == TD1_MRZ:
            self.zone(pen, w, h, self.texts.td1())
        return np.asarray(image)

    def prc(self, w, h):
        """Simple sides of a resident identity card: labels, portrait and number, or emblem and two lines."""
        rng, mm = self.rng, PX_PER_MM
        image, pen = self.paper(w, h, True)
        label, ink = tuple(int(v) for v in rng.uniform(30, 150, 3)), tuple(int(v) for v in rng.uniform(0, 60, 3))
        path, index = CJK[int(rng.integers(len(CJK)))]
        write = lambda x, y, text, size, fill: pen.text((x * mm, y * mm), text, font=font(path, size * mm, index), fill=fill)
        han = lambda n: "".join(HAN[i] for i in rng.integers(len(HAN), size=n))
        if rng.random() < 0.65:
            for y, text in zip((6, 12, 18, 25), ("姓 名", "性 别", "出 生", "住 址")):
                write(4, y, text, 2.5, label)
            write(13, 5.5, han(int(rng.integers(2, 5))), 3.4, ink)
            write(13, 12, "男" if rng.random() < 0.5 else "女", 2.9, ink)
            write(21, 12, "民 族", 2.5, label)
            write(28, 12, han(int(rng.integers(1, 4))), 2.9, ink)
            write(13, 18, f"{rng.integers(1940, 2010)} 年 {rng.integers(1, 13)} 月 {rng.integers(1, 29)} 日", 2.8, ink)
            for row in range(int(rng.integers(1, 4))):
                write(13, 25 + 4.2 * row, han(11 if row == 0 else int(rng.integers(3, 12))), 2.9, ink)
            write(4, 45, "公民身份号码", 2.6, label)
            pen.text((29 * mm, 44.6 * mm), " ".join(self.texts.prc_number()), font=font(LATIN[1] if rng.random() < 0.4 else OCR_B, 2.1 * mm), fill=ink)
            self.portrait(image, (58 * mm, 9 * mm, 80 * mm, 37 * mm))
        else:
            red = tuple(int(v) for v in (rng.uniform(150, 225), rng.uniform(20, 80), rng.uniform(20, 70)))
            pen.ellipse((6 * mm, 5 * mm, 21 * mm, 21 * mm), fill=red, outline=(220, 180, 60), width=3)
            write(25, 6, "中华人民共和国", 5.2, ink)
            write(27, 14, "居民身份证", 6.4, ink)
            write(22, 38, "签发机关  " + han(8), 2.8, ink)
            write(22, 45, f"有效期限  20{rng.integers(10, 26)}.01.01-20{rng.integers(26, 46)}.01.01", 2.8, ink)
        return np.asarray(image)


class Scenes:
    """Puts pages into scenes."""

    def __init__(self, rng):
        self.rng, self.documents = rng, Documents(rng)
        kinds = list(SHARES)[:-1]
        shares = np.array([SHARES[k] for k in kinds])
        counts = np.maximum(1, np.round(POOL * shares / shares.sum())).astype(int)
        self.pool = [(k, self.documents.page(k)) for k, n in zip(kinds, counts) for _ in range(n)]

    def behind(self, w, h):
        """Table, cloth, wall or person, with things that lie about, float32."""
        rng = self.rng
        base = rng.uniform(15, 240, 3)
        base = (0.5 * base + 0.5 * base.mean()).astype(np.float32)
        y, x = np.arange(h, dtype=np.float32)[:, None], np.arange(w, dtype=np.float32)[None]
        frame = np.empty((h, w, 3), np.float32)
        frame[:] = base
        kind = rng.random()
        if kind < 0.3:
            grain = np.sin(y * rng.uniform(0.05, 0.5) + rng.uniform(1, 8) * np.sin(x * rng.uniform(0.002, 0.02))) * rng.uniform(3, 18)
            frame += grain[..., None] + uneven(rng, (h, w), (3, 12), rng.uniform(1, 6))[..., None]
        elif kind < 0.5:
            angle, pitch = rng.uniform(0, np.pi), rng.uniform(0.2, 1.6)
            frame += ((np.sin((x * np.cos(angle) + y * np.sin(angle)) * pitch) + np.sin((y * np.cos(angle) - x * np.sin(angle)) * pitch)) * rng.uniform(3, 14))[..., None]
        elif kind < 0.75:
            frame += uneven(rng, (h, w), (8, 50, 120), rng.uniform(3, 22))[..., None] * rng.uniform(0.6, 1.4, 3).astype(np.float32)
        if rng.random() < 0.3:
            person = self.documents.people[int(rng.integers(2))]
            zoom = rng.uniform(0.7, 2.2) * h / person.height
            size = (max(8, round(person.width * zoom)), max(8, round(person.height * zoom)))
            layer = np.asarray(person.resize(size, Image.Resampling.BILINEAR), np.float32)
            sheet = np.zeros((h, w, 4), np.float32)
            left, top = int(rng.uniform(-0.4, 0.9) * w), int(rng.uniform(-0.1, 0.6) * h)
            x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + size[0], w), min(top + size[1], h)
            if x1 > x0 and y1 > y0:
                sheet[y0:y1, x0:x1] = layer[y0 - top:y1 - top, x0 - left:x1 - left]
            alpha = sheet[..., 3:] / 255
            frame = frame * (1 - alpha) + sheet[..., :3] * alpha
        for _ in range(int(rng.choice([0, 1, 2, 3, 6, 9]))):
            self.thing(frame)
        if rng.random() < 0.5:
            frame = cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.5, 4))
        return frame

    def thing(self, frame):
        """A box, a sheet with writing, a disc, a stick."""
        rng, (h, w) = self.rng, frame.shape[:2]
        at, colour = rng.uniform(-0.1, 1.1, 2) * (w, h), tuple(float(v) for v in rng.uniform(5, 250, 3))
        kind = rng.random()
        if kind < 0.45:
            box = cv2.boxPoints((tuple(at), tuple(rng.uniform(0.08, 0.7, 2) * (w, h)), rng.uniform(0, 180)))
            cv2.fillPoly(frame, [box.astype(np.int32)], colour, cv2.LINE_AA)
            if rng.random() < 0.5:
                # Writing: a sheet or a book that is no identity document.
                along, down = box[1] - box[0], box[3] - box[0]
                for row in np.arange(0.1, 0.9, 0.08):
                    a, b = box[0] + 0.1 * along + row * down, box[0] + rng.uniform(0.3, 0.9) * along + row * down
                    cv2.line(frame, tuple(int(v) for v in a), tuple(int(v) for v in b), tuple(0.5 * c for c in colour), 1, cv2.LINE_AA)
        elif kind < 0.65:
            cv2.ellipse(frame, tuple(int(v) for v in at), tuple(int(v) for v in rng.uniform(0.03, 0.25, 2) * w), rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
        elif kind < 0.85:
            cv2.line(frame, tuple(int(v) for v in at), tuple(int(v) for v in rng.uniform(0, 1, 2) * (w, h)), colour, int(rng.integers(1, 14)), cv2.LINE_AA)
        else:
            cv2.fillPoly(frame, [(rng.uniform(0, 1, (int(rng.integers(3, 6)), 2)) * (w, h)).astype(np.int32)], colour, cv2.LINE_AA)

    def corners(self, page, w, h):
        """Where the page lies in the frame: turned about three axes, wholly or all but wholly inside."""
        rng, (ph, pw) = self.rng, page.shape[:2]
        half = np.array([[-pw, -ph, 0], [pw, -ph, 0], [pw, ph, 0], [-pw, ph, 0]]) / 2
        half *= rng.uniform(0.35, 1.0) * min(w / pw, 1.1 * h / ph)
        ax, ay, az = np.radians(rng.uniform(-1, 1, 3) * (35, 35, 28)) * rng.choice([0.3, 1.0], p=[0.35, 0.65])
        about = lambda a, i, j: np.array([[np.cos(a) if r == c and r in (i, j) else float(r == c) if r not in (i, j) or c not in (i, j)
                                           else -np.sin(a) if r < c else np.sin(a) for c in range(3)] for r in range(3)])
        turned = half @ (about(az, 0, 1) @ about(ax, 1, 2) @ about(ay, 0, 2)).T
        flat = turned[:, :2] * 1.3 * w / (1.3 * w + turned[:, 2:])
        reach = np.abs(flat).max(0)
        flat *= min(1, (w / 2 - 3) / reach[0], (h / 2 - 3) / reach[1])
        low, high = flat.min(0), flat.max(0)
        flat += [rng.uniform(2 - low[k], max(2 - low[k] + 0.1, side - 2 - high[k])) for k, side in enumerate((w, h))]
        return flat.astype(np.float32)

    def scene(self):
        """(uint8 [192, 192, 3], corners [4, 2], class)."""
        rng = self.rng
        w, h = [(512, 288), (512, 288), (448, 336), (336, 448)][int(rng.integers(4))]
        frame, kind, corners = self.behind(w, h), NOTHING, np.full((4, 2), -1, np.float32)
        if rng.random() >= SHARES[NOTHING]:
            kind, page = self.pool[int(rng.integers(len(self.pool)))]
            page = np.clip(page * rng.uniform(0.75, 1.1, 3), 0, 255).astype(np.float32)
            corners = self.corners(page, w, h)
            ph, pw = page.shape[:2]
            mask = np.ones((ph, pw), np.float32)
            if rng.random() < 0.75:
                mask = rounded(mask, int(rng.uniform(0.02, 0.07) * ph))
            shown = np.float32([[0, 0], [pw, 0], [pw, ph], [0, ph]])
            if rng.random() < 0.12:
                # Upside down; the corners are named by where they lie in the frame.
                shown = np.roll(shown, 2, 0)
            ratio = np.linalg.norm(corners[1] - corners[0]) / pw
            if ratio < 0.8:
                page = cv2.GaussianBlur(page, (0, 0), 0.4 / ratio)
            to_frame = cv2.getPerspectiveTransform(shown, corners)
            front = cv2.warpPerspective(page, to_frame, (w, h))
            cover = cv2.warpPerspective(mask, to_frame, (w, h))
            shift = np.float32([[1, 0, rng.uniform(-5, 6)], [0, 1, rng.uniform(-3, 7)]])
            shadow = cv2.GaussianBlur(cv2.warpAffine(cover, shift, (w, h)), (0, 0), rng.uniform(1, 6))
            frame *= 1 - rng.uniform(0, 0.6) * shadow[..., None]
            frame = frame * (1 - cover[..., None]) + front * cover[..., None]
            for _ in range(int(rng.choice([0, 1, 2], p=[0.5, 0.3, 0.2]))):
                self.finger(frame, corners)
        frame = self.seen(frame)
        return cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA), corners / np.float32([w, h]), kind

    def finger(self, frame, corners):
        """A finger over an edge, often over a corner: people hold a card by its corners."""
        rng = self.rng
        edge, share = int(rng.integers(4)), rng.uniform(0.02, 0.98) if rng.random() < 0.6 else rng.uniform(-0.02, 0.12)
        at = corners[edge] * (1 - share) + corners[(edge + 1) % 4] * share
        out = at - corners.mean(0)
        out = out / (np.linalg.norm(out) + 1e-6) + rng.normal(0, 0.4, 2)
        skin = rng.uniform(90, 235)
        width = rng.uniform(0.03, 0.06) * frame.shape[1]
        cv2.line(frame, tuple(int(v) for v in at - out * width * rng.uniform(0, 0.6)), tuple(int(v) for v in at + out * width * 6),
                 (skin, skin * rng.uniform(0.65, 0.82), skin * rng.uniform(0.5, 0.72)), int(width), cv2.LINE_AA)

    def seen(self, frame):
        """Light, glare, lens, sensor, JPEG."""
        rng, (h, w) = self.rng, frame.shape[:2]
        x, y = np.linspace(-1, 1, w, dtype=np.float32)[None], np.linspace(-1, 1, h, dtype=np.float32)[:, None]
        light = rng.uniform(0.45, 1.15) * (1 + rng.uniform(-0.35, 0.35) * x + rng.uniform(-0.35, 0.35) * y)
        if rng.random() < 0.25:
            angle = rng.uniform(0, 6.28)
            light = light * (1 - rng.uniform(0.15, 0.5) / (1 + np.exp(-np.clip((x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-0.6, 0.6)) * rng.uniform(5, 40), -30, 30))))
        frame = frame * light[..., None] * rng.uniform(0.88, 1.12, 3).astype(np.float32)
        if rng.random() < 0.35:
            cx, cy = rng.uniform(-0.9, 0.9, 2)
            frame += (rng.uniform(20, 140) * np.exp(-((x - cx) / rng.uniform(0.05, 0.35)) ** 2 - ((y - cy) / rng.uniform(0.05, 0.35)) ** 2))[..., None]
        if rng.random() < 0.5:
            frame = cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.3, 1.4))
        elif rng.random() < 0.3:
            frame = cv2.filter2D(frame, -1, streak(rng, 5.0))
        frame = frame + rng.uniform(0.5, 9) * rng.standard_normal((h, w, 1), np.float32)
        frame = np.clip(frame, 0, 255).astype(np.uint8)
        if rng.random() < 0.5:
            frame = cv2.imdecode(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 95))])[1], cv2.IMREAD_COLOR)
        return frame


def rounded(mask, radius):
    h, w = mask.shape
    if radius < 2:
        return mask
    mask = np.zeros_like(mask)
    cv2.rectangle(mask, (radius, 0), (w - radius, h), 1, -1)
    cv2.rectangle(mask, (0, radius), (w, h - radius), 1, -1)
    for x in (radius, w - radius):
        for y in (radius, h - radius):
            cv2.circle(mask, (x, y), radius, 1, -1)
    return mask


def shard(index, n=SHARD, seed=SEED):
    """{x, corners, kind} of one shard."""
    rng = np.random.default_rng([seed, index])
    drawn = [*zip(*(scenes.scene() for scenes in [Scenes(rng)] for _ in range(n)))]
    return {"x": np.array(drawn[0]), "corners": np.array(drawn[1], np.float32), "kind": np.array(drawn[2], np.int32)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder of the shards")
    parser.add_argument("--shards", type=int, default=4, help="how many (default: %(default)s)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    begin = time.time()
    for index in range(args.shards):
        path = args.out / f"scenes-{index:03d}.npz"
        if path.exists():
            continue
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, **shard(index))
        part.rename(path)
        print(f"{path.name}: {time.time() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
