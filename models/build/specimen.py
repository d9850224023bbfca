"""Draws the specimen identity documents of the virtual booth and says what is on them.

`specimen.py --out DIR` writes one JPEG per document of `specimen_data.py` and `documents.toml`. The portraits come
from the layers that `person_layers.py` wrote (`--layers`, by default the folder of the scenes). There is no randomness:
the same inputs, fonts and packages give the same bytes.
"""

from __future__ import annotations

import argparse
import colorsys
import io
import math
import pathlib
import tomllib

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

import mrz
import portraits
import specimen_data
from specimen_data import Document

LAYERS = pathlib.Path(__file__).resolve().parents[2] / "board" / "scenes" / "assets"
OVERSAMPLE = 2
PX_PER_MM = {"td3": 10, "td1": 15}
MRZ_PITCH_MM = 2.54
"""OCR-B size 1, ten characters an inch (Doc 9303-3, 4.1)."""
MRZ_LINE_MM = 6.35
MRZ_LEFT_MM = {"td3": 6.0, "td1": 4.0}
MRZ_LAST_LINE_MM = {"td3": 8.4, "td1": 5.25}
"""Middle of the lowest line above the lower edge."""

# Debian bookworm: fonts-ocr-b 0.3~dfsg1-1, fonts-dejavu-core 2.37-6, fonts-noto-cjk 1:20220127+repack1-1.
FONTS = {
    "ocr-b": ("/usr/share/fonts/opentype/ocr-b/OCRB.otf", 0, "84558d47dbc19bb5887cc7b72ed62c64534fd00f0b569d28e6dc63b71fe27707"),
    "label": ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 0, "abdc775b21b1bc470d50c97e790d276f2054b7504e56e5bd3e64f48d68582322"),
    "value": ("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf", 0, "0d977336a6d5fba34eab8e3199eb218327161b5143749f802982c2bc34df0c96"),
    "cjk": ("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc", 2, "faa5f3656a78b2e2d450d27fe8382c778bc2b6bb5ea29c986664a6a435056ceb"),
}
OCR_B_ADVANCE = 0.723
"""Advance width of every glyph of this OCR-B, in em."""

INK = (28, 30, 46)
LABEL_INK = (58, 74, 112)
MARK_INK = (196, 28, 40)
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class Sheet:
    """A document being drawn, addressed in millimetres from the top left corner."""

    def __init__(self, document: Document, hue: float | None = None, value_font: str = "value"):
        self.value_font = value_font
        self.final = PX_PER_MM[document.kind]
        self.scale = self.final * OVERSAMPLE
        self.size_mm = document.size_mm
        self.size = tuple(round(side * self.scale) for side in document.size_mm)
        # Doc 9303 keeps the lower 23.2 mm for the zone; the pattern is paler there.
        quiet_from = 1.0 if document.side == "front" else 1 - 23.2 / document.size_mm[1]
        if hue is None:
            hue = 0.56 if document.kind == "td3" else 0.36
        self.image = background(self.size, self.scale, hue, quiet_from).copy()
        self.draw = ImageDraw.Draw(self.image)

    def font(self, name: str, size_mm: float) -> ImageFont.FreeTypeFont:
        path, index, _ = FONTS[self.value_font if name == "value" else name]
        return ImageFont.truetype(path, size_mm * self.scale, index=index, layout_engine=ImageFont.Layout.BASIC)

    def text(self, x: float, y: float, text: str, font: str, size_mm: float, ink=INK, anchor: str = "ls") -> None:
        """Text with its base line at `y`."""
        self.draw.text((x * self.scale, y * self.scale), text, fill=ink, font=self.font(font, size_mm), anchor=anchor)

    def field(self, x: float, y: float, label: str, value: str, size_mm: float = 3.1) -> None:
        """A label and, under it, the value."""
        self.text(x, y, label, "label" if label.isascii() else "cjk", 0.52 * size_mm, LABEL_INK)
        self.text(x, y + 1.2 * size_mm, value, "value", size_mm)

    def mark(self, centre: tuple[float, float], size_mm: float, angle: float, opacity: float, frame: bool) -> None:
        """SPECIMEN in both scripts, turned about its centre."""
        latin, han = self.font("value", size_mm), self.font("cjk", size_mm)
        gap = 0.35 * size_mm * self.scale
        width = latin.getlength("SPECIMEN") + gap + han.getlength("样本")
        pad = 0.35 * size_mm * self.scale
        stamp = Image.new("L", (math.ceil(width + 4 * pad), math.ceil(1.25 * size_mm * self.scale + 2 * pad)))
        pen = ImageDraw.Draw(stamp)
        middle = stamp.height / 2
        pen.text((2 * pad, middle), "SPECIMEN", fill=255, font=latin, anchor="lm")
        pen.text((2 * pad + latin.getlength("SPECIMEN") + gap, middle), "样本", fill=255, font=han, anchor="lm")
        if frame:
            line = max(1, round(0.09 * size_mm * self.scale))
            pen.rounded_rectangle((line, line, stamp.width - line, stamp.height - line), radius=2 * line, outline=255, width=line)
        stamp = stamp.rotate(angle, Image.Resampling.BICUBIC, expand=True).point(lambda v: round(v * opacity))
        at = (round(centre[0] * self.scale - stamp.width / 2), round(centre[1] * self.scale - stamp.height / 2))
        self.image.paste(Image.new("RGB", stamp.size, MARK_INK), at, stamp)

    def mrz(self, kind: str, lines: list[str]) -> list[list[int]]:
        """Prints the zone; returns the rectangle [x, y, w, h] of each line in final pixels."""
        font = self.font("ocr-b", MRZ_PITCH_MM / OCR_B_ADVANCE)
        left = MRZ_LEFT_MM[kind]
        rectangles = []
        for row, line in enumerate(lines):
            middle = self.size_mm[1] - MRZ_LAST_LINE_MM[kind] - (len(lines) - 1 - row) * MRZ_LINE_MM
            for column, char in enumerate(line):
                cell = left + (column + 0.5) * MRZ_PITCH_MM
                # Capitals and digits share their base line; 1.27 mm puts their middle onto the line's.
                self.draw.text((round(cell * self.scale), round((middle + 1.27) * self.scale)), char, fill=(16, 16, 20),
                               font=font, anchor="ms")
            rectangles.append(self.pixels(left, middle - 2.1, len(line) * MRZ_PITCH_MM, 4.2))
        return rectangles

    def portrait(self, layers: pathlib.Path, person: str, box_mm: tuple[float, float, float, float], inter_eye_mm: float,
                 eyes_down_mm: float) -> list[int]:
        """Prints the portrait into a box x, y, w, h; returns its rectangle in final pixels."""
        x, y, w, h = box_mm
        size = (round(w * self.scale), round(h * self.scale))
        picture = printed_portrait(layers, person, size, inter_eye_mm * self.scale, eyes_down_mm * self.scale)
        at = (round(x * self.scale), round(y * self.scale))
        # The background shows through a little, as it does where a portrait is printed on it.
        under = self.image.crop((*at, at[0] + size[0], at[1] + size[1]))
        self.image.paste(Image.blend(picture, under, 0.06), at)
        return self.pixels(x, y, w, h)

    def pixels(self, x: float, y: float, w: float, h: float) -> list[int]:
        left, top = round(x * self.final), round(y * self.final)
        return [left, top, round((x + w) * self.final) - left, round((y + h) * self.final) - top]

    def finished(self) -> Image.Image:
        final = tuple(round(side * self.final) for side in self.size_mm)
        return self.image.resize(final, Image.Resampling.LANCZOS)


def background(size: tuple[int, int], scale: float, hue: float, quiet_from: float) -> Image.Image:
    """Guilloche: a two-colour wash, bands of interfering waves and rosettes, all pale.

    Below the fraction `quiet_from` of the height the lines are weaker.
    """

    def tint(shift: float, saturation: float, value: float) -> tuple[int, ...]:
        return tuple(round(255 * c) for c in colorsys.hsv_to_rgb((hue + shift) % 1, saturation, value))

    width, height = size
    ramp = np.linspace(0, 1, width)[None, :, None] * 0.7 + np.linspace(0, 1, height)[:, None, None] * 0.3
    wash = np.array(tint(0, 0.09, 0.97)) * (1 - ramp) + np.array(tint(-0.45, 0.09, 0.98)) * ramp
    paper = Image.fromarray(np.round(wash).astype(np.uint8), "RGB")
    lines = paper.copy()
    pen = ImageDraw.Draw(lines)
    x = np.arange(0, width + 8, 4.0)
    mm = x / scale
    thin = max(1, round(0.09 * scale))
    for i in range(-4, 46):
        base = i * height / scale / 40
        for phase, shift in ((0.0, 0.0), (2.1, 0.08)):
            y = base + 1.9 * np.sin(mm / 7.3 + phase + i * 0.11) + 0.9 * np.sin(mm / 2.9 - phase + i * 0.07)
            pen.line(list(zip(x.tolist(), (y * scale).tolist())), fill=tint(shift, 0.26, 0.88), width=thin)
    angles = np.linspace(0, 2 * np.pi, 721)
    for cx, cy, radius in ((0.74, 0.36, 0.30), (0.18, 0.60, 0.24), (0.97, 0.9, 0.2)):
        for k in range(10):
            r = radius * height * (0.62 + 0.3 * np.cos(9 * angles + k * np.pi / 10)) * (1 - 0.045 * k)
            points = zip((cx * width + r * np.cos(angles)).tolist(), (cy * height + r * np.sin(angles)).tolist())
            pen.line(list(points), fill=tint(-0.4, 0.24, 0.89), width=thin)
    strength = np.full((height, width), round(255 * 0.6), np.uint8)
    strength[round(quiet_from * height):] = round(255 * 0.32)
    return Image.composite(lines, paper, Image.fromarray(strength, "L"))


def printed_portrait(layers: pathlib.Path, person: str, size: tuple[int, int], inter_eye: float, eyes_down: float) -> Image.Image:
    """The person before a light wall, as a printer would leave it: another crop, turned a little, flatter and softer."""
    layer = Image.open(layers / f"person-{person}.png")
    about = tomllib.loads((layers / f"person-{person}.toml").read_text())
    zoom = inter_eye / about["inter_eye_px"]
    angle = math.radians(1.4)
    # Affine map from the box to the layer (Pillow wants the inverse).
    a, b = math.cos(angle) / zoom, math.sin(angle) / zoom
    ex, ey = about["eye_mid"]
    ox, oy = size[0] / 2, eyes_down
    coefficients = (a, b, ex - a * ox - b * oy, -b, a, ey + b * ox - a * oy)
    placed = layer.transform(size, Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC)
    wall = Image.new("RGB", size, (226, 231, 236))
    wall.paste(placed.convert("RGB"), (0, 0), placed.getchannel("A"))
    flat = ImageEnhance.Color(ImageEnhance.Contrast(wall).enhance(0.84)).enhance(0.82)
    flat = flat.point([round(255 * (v / 255) ** 0.92) for v in range(256)] * 3)
    # Softening in final pixels: a blur, then the blocks of a small JPEG.
    small = flat.resize((size[0] // OVERSAMPLE, size[1] // OVERSAMPLE), Image.Resampling.LANCZOS)
    packed = io.BytesIO()
    small.filter(ImageFilter.GaussianBlur(0.7)).save(packed, "JPEG", quality=62)
    return Image.open(packed).convert("RGB").resize(size, Image.Resampling.BICUBIC)


def printed_date(iso_date: str) -> str:
    """`1987-03-19` to `19 MAR 1987`."""
    year, month, day = iso_date.split("-")
    return f"{day} {MONTHS[int(month) - 1]} {year}"


def emblem(sheet: Sheet, x: float, y: float, radius: float) -> None:
    """Arms of Utopia: a star in two rings."""
    s = sheet.scale
    for r, width in ((radius, 0.3), (0.82 * radius, 0.15)):
        sheet.draw.ellipse([(x - r) * s, (y - r) * s, (x + r) * s, (y + r) * s], outline=LABEL_INK, width=round(width * s))
    corners = [((x + r * math.sin(k * math.pi / 8)) * s, (y - r * math.cos(k * math.pi / 8)) * s)
               for k in range(16) for r in ((0.7 if k % 2 == 0 else 0.3) * radius,)]
    sheet.draw.polygon(corners, fill=LABEL_INK)


def signature(sheet: Sheet, x: float, y: float, width: float, text: str) -> None:
    """A scribble whose loops follow the letters of the name; nobody's hand."""
    t = np.linspace(0, 1, 400)
    rise = np.interp(t, np.linspace(0, 1, len(text)), [(ord(c) * 7 % 13) / 13 for c in text])
    px = (x + width * t + 0.55 * np.sin(2 * np.pi * 9 * t)) * sheet.scale
    py = (y - (0.6 + 1.5 * rise) * np.cos(2 * np.pi * 9 * t + 0.6) - 0.8 * np.sin(3 * t)) * sheet.scale
    sheet.draw.line(list(zip(px.tolist(), py.tolist())), fill=(30, 36, 92), width=round(0.28 * sheet.scale), joint="curve")


def draw_passport(sheet: Sheet, document: Document, layers: pathlib.Path) -> list[int]:
    f = document.fields
    sheet.draw.rectangle((0, 0, sheet.size[0], 10.2 * sheet.scale), fill=(206, 218, 232))
    emblem(sheet, 10, 5.1, 4.0)
    sheet.text(17, 6.9, "UTOPIA", "value", 4.6, LABEL_INK)
    sheet.text(41, 6.9, "乌托邦", "cjk", 4.2, LABEL_INK)
    sheet.text(119, 6.8, "PASSPORT / PASSEPORT / 护照", "cjk", 3.4, LABEL_INK, anchor="rs")
    box = sheet.portrait(layers, document.person, (6, 14, 35, 45), 8.5, 20.0)
    # Behind the data: large and pale.
    sheet.mark((83, 38), 9.5, 24, 0.17, frame=False)
    sheet.field(46, 15, "Type", "P")
    sheet.field(58, 15, "Code of issuing State", "UTO")
    sheet.field(90, 15, "Passport No. / 护照号码", f["document_number"])
    sheet.field(46, 23, "Surname", f["primary_identifier"])
    sheet.field(46, 31, "Given names", f["secondary_identifier"])
    sheet.field(46, 39, "Nationality", "UTOPIAN")
    sheet.field(46, 47, "Date of birth", printed_date(f["birth_date"]))
    sheet.field(76, 47, "Sex", f["sex"])
    sheet.field(90, 47, "Place of birth", f["birth_place"])
    sheet.field(46, 55, "Date of issue", printed_date(f["issue_date"]))
    sheet.field(76, 55, "Date of expiry", printed_date(f["expiry_date"]))
    sheet.text(106, 55, "Signature", "label", 1.6, LABEL_INK)
    signature(sheet, 106, 59.5, 13, f["primary_identifier"])
    sheet.mark((101, 32), 4.2, 12, 0.9, frame=True)
    sheet.mark((23.5, 55.6), 3.1, 0, 0.85, frame=False)
    return box


def draw_card_data(sheet: Sheet, f: dict[str, str], x: float, y: float, step: float) -> None:
    size = 2.1
    sheet.field(x, y, "Document No. / 证件号码", f["document_number"], size)
    sheet.field(x + 30, y, "Nationality", "UTO", size)
    sheet.field(x + 45, y, "Sex", f["sex"], size)
    sheet.field(x, y + step, "Surname", f["primary_identifier"], size)
    sheet.field(x, y + 2 * step, "Given names", f["secondary_identifier"], size)
    sheet.field(x, y + 3 * step, "Date of birth", printed_date(f["birth_date"]), size)
    sheet.field(x + 22, y + 3 * step, "Date of expiry", printed_date(f["expiry_date"]), size)


def card_head(sheet: Sheet, height: float) -> None:
    sheet.draw.rectangle((0, 0, sheet.size[0], height * sheet.scale), fill=(208, 228, 214))


def draw_card_combined(sheet: Sheet, document: Document, layers: pathlib.Path) -> list[int]:
    card_head(sheet, 5.4)
    sheet.text(29, 3.9, "UTOPIA", "value", 2.7, LABEL_INK)
    sheet.text(43, 3.9, "乌托邦", "cjk", 2.5, LABEL_INK)
    sheet.text(82, 3.8, "IDENTITY CARD", "value", 2.2, LABEL_INK, anchor="rs")
    box = sheet.portrait(layers, document.person, (4, 2.6, 21, 28), 5.2, 13.0)
    sheet.mark((55, 19), 6.0, 16, 0.17, frame=False)
    draw_card_data(sheet, document.fields, 29, 8.6, 6.4)
    sheet.mark((67, 18), 2.7, 10, 0.9, frame=True)
    sheet.mark((14.5, 28.4), 2.0, 0, 0.85, frame=False)
    return box


def draw_card_front(sheet: Sheet, document: Document, layers: pathlib.Path) -> list[int]:
    card_head(sheet, 8.6)
    emblem(sheet, 8, 4.3, 3.3)
    sheet.text(13.5, 5.6, "UTOPIA", "value", 3.4, LABEL_INK)
    sheet.text(31, 5.6, "乌托邦", "cjk", 3.1, LABEL_INK)
    sheet.text(82, 5.4, "IDENTITY CARD / 身份证", "cjk", 2.5, LABEL_INK, anchor="rs")
    box = sheet.portrait(layers, document.person, (4, 11.5, 27, 35), 6.2, 16.0)
    sheet.mark((58, 30), 6.6, 24, 0.17, frame=False)
    draw_card_data(sheet, document.fields, 34.5, 15, 8.2)
    sheet.text(34.5, 48, "Signature", "label", 1.1, LABEL_INK)
    signature(sheet, 36, 50.5, 16, document.fields["primary_identifier"])
    sheet.mark((69, 29), 2.8, 10, 0.9, frame=True)
    sheet.mark((17.5, 44.2), 2.5, 0, 0.85, frame=False)
    return box


def draw_card_back(sheet: Sheet, document: Document) -> None:
    f = document.fields
    emblem(sheet, 13, 14, 7.5)
    sheet.mark((53, 16), 6.0, 14, 0.17, frame=False)
    sheet.field(29, 6, "Place of birth", f["birth_place"], 2.1)
    sheet.field(29, 12.4, "Date of issue", printed_date(f["issue_date"]), 2.1)
    sheet.field(54, 12.4, "Issuing authority", "CITY OF AMAUROT", 2.1)
    sheet.field(29, 18.8, "Document No.", f["document_number"], 2.1)
    sheet.mark((64, 24.5), 3.2, 6, 0.9, frame=True)


def drawn(sheet: Sheet, document: Document, layers: pathlib.Path) -> tuple[Image.Image, list[list[int]], list[int] | None]:
    """The picture, the rectangles of its MRZ lines and that of its portrait."""
    portrait = None
    if document.side == "data_page":
        portrait = draw_passport(sheet, document, layers)
    elif document.side == "combined":
        portrait = draw_card_combined(sheet, document, layers)
    elif document.side == "front":
        portrait = draw_card_front(sheet, document, layers)
    else:
        draw_card_back(sheet, document)
    rectangles = sheet.mrz(document.kind, document.mrz)
    return sheet.finished(), rectangles, portrait


def draw(document: Document, layers: pathlib.Path, out: pathlib.Path) -> dict:
    """Writes one picture; returns its entry of `documents.toml`."""
    picture, rectangles, portrait = drawn(Sheet(document), document, layers)
    lines = document.mrz
    picture.save(out / f"{document.id}.jpg", "JPEG", quality=86, subsampling="4:2:0", optimize=True)
    entry: dict = {
        "id": document.id,
        "file": f"{document.id}.jpg",
        "kind": document.kind,
        "side": document.side,
        "person": document.person,
        "size_mm": list(document.size_mm),
        "size_px": list(picture.size),
        "mrz": lines,
        "mrz_lines_px": rectangles,
    }
    if portrait:
        entry["portrait_px"] = portrait
    if lines:
        entry["valid_check_digits"] = mrz.check_digits_valid(lines)
        mrz.expect(entry["valid_check_digits"], not document.wrong_check_digits)
    return entry


def toml_value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # Literal strings: nothing printed here holds an apostrophe.
        return f"'{value}'"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    return repr(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the pictures and documents.toml")
    parser.add_argument("--layers", type=pathlib.Path, default=LAYERS, help="folder with the layers of person_layers.py")
    arguments = parser.parse_args()
    layers = arguments.layers
    for name in (f"person-{document.person}{ending}" for document in specimen_data.DOCUMENTS for ending in (".png", ".toml")):
        if not (layers / name).is_file():
            parser.error(f"{name} is not in {layers}; run person_layers.py --out {layers}, or name its folder with --layers")
    arguments.out.mkdir(parents=True, exist_ok=True)
    mrz.self_test()
    for path, _, pinned in FONTS.values():
        portraits.expect_sha256(pathlib.Path(path).read_bytes(), pinned, path)
    text = ["# Written by models/build/specimen.py: what is printed on the specimen documents, and where.",
            "# Rectangles are [x, y, width, height] in pixels of the picture, origin top left."]
    for document in specimen_data.DOCUMENTS:
        text += ["", "[[document]]"]
        text += [f"{key} = {toml_value(value)}" for key, value in draw(document, layers, arguments.out).items()]
        text += ["", "[document.fields]"]
        text += [f"{key} = {toml_value(value)}" for key, value in document.fields.items()]
    (arguments.out / "documents.toml").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
