"""Makes a print attack of the virtual booth: a photograph of a person on paper, cut out with a white border, held before the face.

From `person-NAME.png` in `--assets` two files are written beside it: `print-NAME.png` (sRGB, opaque inside the sheet) and
`print-NAME.toml` (size, middle between the eyes and inter-eye distance in pixels). It has no surface normals: scenes use it with
`surface = "flat"`.
"""

from __future__ import annotations

import argparse
import pathlib
import tomllib

import numpy as np
from PIL import Image

NAME = "collins"
SHEET = (340, 440)
"""Width and height of the sheet in layer pixels, at 100 pixels between the eyes: about 21 by 28 cm, a life-size face on A4 paper."""
BORDER = 14
"""Unprinted edge."""
EYES_AT = 0.42
"""Height of the eyes on the sheet, from its top."""
MARGIN = 12
"""Transparent pixels around the sheet."""
PAPER, BLACK, WALL = 0.93, 0.10, (0.55, 0.60, 0.66)
"""Reflectance of paper and of the darkest ink, in sRGB, and the colour behind the person on the photograph."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=pathlib.Path, required=True, help="folder of the persons' layers; the print is written there")
    assets = parser.parse_args().assets
    person = np.asarray(Image.open(assets / f"person-{NAME}.png").convert("RGBA")).astype(np.float32) / 255
    layout = tomllib.loads((assets / f"person-{NAME}.toml").read_text())
    photograph = person[..., :3] * person[..., 3:] + np.array(WALL, np.float32) * (1 - person[..., 3:])
    width, height = SHEET
    inner_w, inner_h = width - 2 * BORDER, height - 2 * BORDER
    left = round(layout["eye_mid"][0] - inner_w / 2)
    top = round(layout["eye_mid"][1] - height * EYES_AT + BORDER)
    # Where the picture ends, the wall goes on.
    canvas = np.broadcast_to(np.array(WALL, np.float32), (inner_h, inner_w, 3)).copy()
    y0, x0 = max(0, -top), max(0, -left)
    part = photograph[max(0, top):top + inner_h, max(0, left):left + inner_w]
    canvas[y0:y0 + part.shape[0], x0:x0 + part.shape[1]] = part
    sheet = np.full((height, width, 3), PAPER, np.float32)
    sheet[BORDER:-BORDER, BORDER:-BORDER] = BLACK + canvas * (PAPER - BLACK)
    layer = np.zeros((height + 2 * MARGIN, width + 2 * MARGIN, 4), np.float32)
    layer[..., :3] = PAPER
    layer[MARGIN:-MARGIN, MARGIN:-MARGIN] = np.dstack([sheet, np.ones((height, width), np.float32)])
    Image.fromarray(np.round(layer * 255).astype(np.uint8), "RGBA").save(assets / f"print-{NAME}.png", optimize=True)
    eye_mid = (layout["eye_mid"][0] - left + BORDER + MARGIN, layout["eye_mid"][1] - top + BORDER + MARGIN)
    (assets / f"print-{NAME}.toml").write_text(
        f"# Written by models/build/print_layers.py; pixels of print-{NAME}.png, origin top left.\n"
        f"eye_mid = [{eye_mid[0]:.1f}, {eye_mid[1]:.1f}]\n"
        f"inter_eye_px = {layout['inter_eye_px']:.1f}\n"
        f"width = {layer.shape[1]}\n"
        f"height = {layer.shape[0]}\n"
    )


if __name__ == "__main__":
    main()
