"""Draws specimen resident identity cards of the PRC, both sides, and says what is on them.

`prc_card.py specimens --out DIR` writes the cards of the scenes and `prc-cards.toml`. There is no randomness: the same
inputs, fonts and packages give the same bytes.

`prc_card.py set --out DIR --n N --seed S` writes N made-up cards as a camera of 1280 x 720 would see them, each side in a frame of
its own, and `truth.csv`: what is printed, where the four corners are, and what was done to the picture.

The places are those of GA 461 as far as a card shows them by eye; 85.6 x 54 mm. The emblem is invented, the background is none of the
card's, every address and authority says 样本, and the marks SPECIMEN 样本 stand on both sides: no one takes it for a card.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import functools
import math
import pathlib
import random

import numpy as np
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw

import camera_frames
import prc_data
import specimen
from prc_data import Holder

SIZE_MM = (85.6, 54.0)
PX_PER_MM = 15
LABEL_INK = (52, 108, 168)
INK = (24, 24, 28)
NOTO = "/usr/share/fonts/opentype/noto/NotoSansCJK-"

# Debian bookworm: fonts-noto-cjk 1:20220127+repack1-1, fonts-noto-cjk-extra (the same), fonts-wqy-zenhei 0.9.45-8,
# fonts-wqy-microhei 0.2.0-beta-3.1. Real cards are printed in a Hei face and OCR-B; so are these.
FONTS = {
    "regular": (NOTO + "Regular.ttc", 2, "b76b0433203017ca80401b2ee0dd69350349871c4b19d504c34dbdd80541690a"),
    "medium": (NOTO + "Medium.ttc", 2, "197d5e1e019faca33a4d55931c7d68b8056f3b97cb862049f5cb8de9efdfb8ce"),
    "bold": specimen.FONTS["cjk"],
    "zenhei": ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 0, "79c18ebe7b811951e8311bad7103ebeae8c337ed9988ea69e8a78a66cfe029b9"),
    "microhei": ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", 0, "2420e8078af796b19a3f6ef13de527a1a91c1e7171eea115926c614ced1009b3"),
}
VALUE_FONTS = ("regular", "medium", "zenhei", "microhei", "bold")
VALUE_FONT_WEIGHTS = (5, 3, 2, 1, 1)


@dataclasses.dataclass(frozen=True)
class Look:
    """What differs from card to card beside the data."""

    value_font: str = "regular"
    hue: float = 0.55
    ink: tuple[int, int, int] = INK
    label_ink: tuple[int, int, int] = LABEL_INK
    person: str = "collins"
    shift_mm: tuple[float, float] = (0.0, 0.0)
    """The printer's register: how far the data stand off their nominal places."""


@functools.lru_cache(maxsize=24)
def paper(size: tuple[int, int], scale: float, hue: float) -> Image.Image:
    """The background of a card; costly, so kept."""
    return specimen.background(size, scale, hue, 1.0)


@functools.cache
def characters_of(font: str) -> frozenset[int]:
    """Code points that a font draws."""
    path, index, _ = FONTS[font]
    return frozenset(TTFont(path, fontNumber=index, lazy=True).getBestCmap())


class CardSheet(specimen.Sheet):
    """A card being drawn, addressed in millimetres from the top left corner."""

    def __init__(self, look: Look):
        self.value_font = "value"
        self.final = PX_PER_MM
        self.scale = self.final * specimen.OVERSAMPLE
        self.size_mm = SIZE_MM
        self.size = tuple(round(side * self.scale) for side in SIZE_MM)
        self.look = look
        self.image = paper(self.size, self.scale, look.hue).copy()
        self.draw = ImageDraw.Draw(self.image)

    def font(self, name: str, size_mm: float):
        if name not in FONTS:
            return super().font(name, size_mm)
        return _font(name, round(size_mm * self.scale))

    def label(self, x: float, y: float, text: str, size_mm: float = 2.5) -> None:
        self.text(x, y, text, "regular", size_mm, self.look.label_ink, anchor="lm")

    def value(self, x: float, y: float, text: str, size_mm: float = 2.9, anchor: str = "lm") -> None:
        dx, dy = self.look.shift_mm
        self.text(x + dx, y + dy, text, self.look.value_font, size_mm, self.look.ink, anchor)

    def number(self, left: float, middle: float, text: str, pitch_mm: float, size_mm: float) -> None:
        """OCR-B at a fixed pitch."""
        font = self.font("ocr-b", size_mm)
        dx, dy = self.look.shift_mm
        for column, char in enumerate(text):
            at = ((left + dx + (column + 0.5) * pitch_mm) * self.scale, (middle + dy + 0.36 * size_mm) * self.scale)
            self.draw.text(at, char, fill=self.look.ink, font=font, anchor="ms")

    def width_mm(self, text: str, size_mm: float) -> float:
        return self.font(self.look.value_font, size_mm).getlength(text) / self.scale


@functools.lru_cache(maxsize=64)
def _font(name: str, size: int):
    path, index, _ = FONTS[name]
    return specimen.ImageFont.truetype(path, size, index=index, layout_engine=specimen.ImageFont.Layout.BASIC)


def wrapped(sheet: CardSheet, text: str, size_mm: float, width_mm: float) -> list[str]:
    """Lines no wider than `width_mm`, broken at any character, as the card breaks its address."""
    lines = [""]
    for char in text:
        if sheet.width_mm(lines[-1] + char, size_mm) > width_mm:
            lines.append("")
        lines[-1] += char
    return lines


def draw_front(holder: Holder, look: Look, layers: pathlib.Path) -> Image.Image:
    sheet = CardSheet(look)
    portrait_mm = (53.6, 8.2, 25.4, 31.8)
    sheet.portrait(layers, look.person, portrait_mm, 6.3, 14.6)
    sheet.mark((36, 31), 6.6, 24, 0.13, frame=False)
    year, month, day = (str(int(part)) for part in holder.birth_date.split("-"))
    sheet.label(4.9, 7.6, "姓 名")
    sheet.value(14.6, 7.6, holder.name, 3.5)
    sheet.label(4.9, 13.6, "性 别")
    sheet.value(14.6, 13.6, holder.sex)
    sheet.label(23.2, 13.6, "民 族")
    sheet.value(31.4, 13.6, holder.people)
    sheet.label(4.9, 19.2, "出 生")
    sheet.value(14.6, 19.2, year)
    sheet.label(22.4, 19.2, "年")
    sheet.value(28.1, 19.2, month, anchor="mm")
    sheet.label(31.0, 19.2, "月")
    sheet.value(36.7, 19.2, day, anchor="mm")
    sheet.label(39.6, 19.2, "日")
    sheet.label(4.9, 25.4, "住 址")
    for row, line in enumerate(wrapped(sheet, holder.address, 2.9, 34.5)):
        sheet.value(14.6, 25.4 + 4.3 * row, line)
    sheet.label(4.9, 46.9, "公民身份号码")
    sheet.number(28.6, 46.9, holder.number, 2.72, 3.85)
    sheet.mark((66.4, 5.0), 2.7, 0, 0.9, frame=True)
    sheet.mark((66.3, 38.0), 2.3, 0, 0.85, frame=False)
    return sheet.finished()


def emblem(sheet: CardSheet, x: float, y: float, radius: float) -> None:
    """Invented: a wheel of eight petals in two rings, and the word for specimen. It is no state's."""
    s, ink = sheet.scale, (176, 62, 58)
    for r, width in ((radius, 0.35), (0.86 * radius, 0.16)):
        sheet.draw.ellipse([(x - r) * s, (y - r) * s, (x + r) * s, (y + r) * s], outline=ink, width=round(width * s))
    angles = np.linspace(0, 2 * np.pi, 361)
    for k in range(3):
        r = radius * (0.74 - 0.09 * k) * (0.72 + 0.28 * np.cos(8 * angles + k * math.pi / 3))
        points = zip(((x + r * np.cos(angles)) * s).tolist(), ((y + r * np.sin(angles)) * s).tolist())
        sheet.draw.line(list(points), fill=ink, width=round(0.2 * s), joint="curve")
    sheet.text(x, y, prc_data.MARK, "bold", 0.44 * radius, ink, anchor="mm")


def draw_back(holder: Holder, look: Look) -> Image.Image:
    sheet = CardSheet(look)
    emblem(sheet, 13.2, 12.6, 7.6)
    sheet.mark((50, 29), 6.6, 14, 0.13, frame=False)
    sheet.text(53, 9.2, "中华人民共和国", "bold", 5.0, INK, anchor="mm")
    sheet.text(53, 18.2, "居 民 身 份 证", "bold", 6.4, INK, anchor="mm")
    sheet.mark((60, 27.6), 2.9, 0, 0.9, frame=True)
    sheet.label(20.6, 39.4, "签发机关")
    sheet.value(34.4, 39.4, holder.authority, 2.8)
    sheet.label(20.6, 46.3, "有效期限")
    sheet.value(34.4, 46.3, holder.validity, 2.8)
    sheet.mark((14, 24.6), 2.0, 0, 0.85, frame=False)
    return sheet.finished()


def specimens() -> tuple[tuple[str, str, Holder], ...]:
    """Cards of the scenes: name of the file, side, holder."""
    lin = prc_data.LIN
    wrong = dataclasses.replace(lin, number=prc_data.with_wrong_check_character(lin.number))
    return (("prc-lin-front", "front", lin), ("prc-lin-back", "back", lin), ("prc-lin-badcheck-front", "front", wrong))


def write_specimens(arguments: argparse.Namespace) -> None:
    text = ["# Written by models/build/prc_card.py: what is printed on the specimen resident identity cards."]
    for name, side, holder in specimens():
        look = Look()
        picture = draw_front(holder, look, arguments.layers) if side == "front" else draw_back(holder, look)
        picture.save(arguments.out / f"{name}.jpg", "JPEG", quality=86, subsampling="4:2:0", optimize=True)
        entry = {"id": name, "file": f"{name}.jpg", "kind": "prc_id", "side": side, "person": look.person,
                 "size_mm": list(SIZE_MM), "size_px": list(picture.size)}
        if side == "front":
            entry |= {"valid_check_character": prc_data.check_character(holder.number[:17]) == holder.number[17],
                      "name": holder.name, "sex": holder.sex, "people": holder.people, "birth_date": holder.birth_date,
                      "address": holder.address, "number": holder.number}
        else:
            entry |= {"authority": holder.authority, "valid_from": holder.valid_from, "valid_to": holder.valid_to}
        text += ["", "[[card]]"] + [f"{key} = {specimen.toml_value(value)}" for key, value in entry.items()]
    (arguments.out / "prc-cards.toml").write_text("\n".join(text) + "\n")


def look_of(chance: random.Random, holder: Holder) -> Look:
    """Another printer, another card; only fonts that have every character of the holder."""
    needed = {ord(char) for char in holder.name + holder.address + holder.authority}
    able = [(font, weight) for font, weight in zip(VALUE_FONTS, VALUE_FONT_WEIGHTS) if needed <= characters_of(font)]
    dark = chance.randint(8, 62)
    return Look(
        value_font=chance.choices([font for font, _ in able], [weight for _, weight in able])[0],
        hue=chance.choice((0.5, 0.53, 0.55, 0.58, 0.62)),
        ink=(dark, dark, dark + chance.randint(0, 10)),
        label_ink=tuple(channel + chance.randint(-18, 18) for channel in LABEL_INK),
        person=chance.choice(("collins", "hopper")),
        shift_mm=(chance.uniform(-0.4, 0.4), chance.uniform(-0.3, 0.3)),
    )


def write_set(arguments: argparse.Namespace) -> None:
    fields = [field.name for field in dataclasses.fields(Holder)]
    with (arguments.out / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["file", "card", "kind", "side", *fields, "value_font", *camera_frames.COLUMNS])
        table.writeheader()
        for card in range(arguments.n):
            # Each card has a chance of its own: card 7 of a small set is card 7 of a large one.
            chance = random.Random(f"prc {arguments.seed} {card}")
            holder = prc_data.holder(chance)
            look = look_of(chance, holder)
            for side in ("front", "back"):
                picture = draw_front(holder, look, arguments.layers) if side == "front" else draw_back(holder, look)
                frame, what = camera_frames.seen(np.asarray(picture), PX_PER_MM, chance, arguments.upside_down)
                name = f"prc-{card:05}-{side}.jpg"
                (arguments.out / name).write_bytes(frame)
                table.writerow({"file": name, "card": card, "kind": "prc_id", "side": side, **dataclasses.asdict(holder),
                                "value_font": look.value_font, **what})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("specimens", "set"), help="the cards of the scenes, or a set of camera frames")
    camera_frames.add_arguments(parser)
    arguments = parser.parse_args()
    camera_frames.check_arguments(parser, arguments)
    prc_data.self_test()
    # The cards of the scenes need two of the fonts only.
    needed = FONTS if arguments.what == "set" else {name: FONTS[name] for name in ("regular", "bold")}
    camera_frames.expect_fonts(needed | specimen.FONTS)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.what == "specimens":
        write_specimens(arguments)
    else:
        write_set(arguments)


if __name__ == "__main__":
    main()
