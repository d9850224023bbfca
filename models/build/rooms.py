"""Draws the back walls of the virtual booth and the telephone that shows a ticket.

`rooms.py --out DIR` writes `room-plain.jpg`, `room-window.jpg` (1280x720), `phone.png` and `phone.toml`.
All of it is computed; the grain of the walls comes from a seeded generator.
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1280, 720
SEED = 20260301
OVERSAMPLE = 4

PHONE = (432, 900)
PHONE_SCREEN = (22, 26, 388, 848)
"""x, y, width, height of the screen within the phone, in pixels."""
PHONE_RADII = (58, 38)
"""Corner radii of the body and of the screen."""


def wall(tone: tuple[float, float, float]) -> np.ndarray:
    """A painted wall (height, width, 3) in sRGB levels: lighter above the middle, darker in the corners, fine grain."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    u, v = x / WIDTH - 0.5, y / HEIGHT - 0.42
    shade = 1.02 - 0.16 * (u**2 + 0.7 * v**2) - 0.05 * (y / HEIGHT)
    rng = np.random.Generator(np.random.PCG64(SEED))
    # Roller texture: noise at two scales, well below one level per pixel step.
    coarse = np.asarray(Image.fromarray(rng.normal(0, 1, (90, 160)).astype(np.float32), "F")
                        .resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
    fine = rng.normal(0, 1, (HEIGHT, WIDTH))
    return np.array(tone) * shade[..., None] + (0.7 * coarse + 0.6 * fine)[..., None]


def room_plain() -> Image.Image:
    """The booth as it should be: a plain light grey wall."""
    return levels(wall((203, 205, 207)))


def room_window() -> Image.Image:
    """A room with a bright window behind the person, on the left of the picture."""
    room = wall((158, 156, 152))
    glass = np.zeros((HEIGHT, WIDTH), np.float32)
    x0, y0, x1, y1 = 90, 40, 520, 520
    glass[y0:y1, x0:x1] = 1
    # Frame and crossbars.
    bars = Image.new("L", (WIDTH, HEIGHT), 0)
    pen = ImageDraw.Draw(bars)
    pen.rectangle((x0 - 22, y0 - 22, x1 + 22, y1 + 22), outline=255, width=22)
    pen.rectangle(((x0 + x1) // 2 - 7, y0, (x0 + x1) // 2 + 7, y1), fill=255)
    pen.rectangle((x0, 250, x1, 262), fill=255)
    pen.rectangle((x0 - 46, y1 + 22, x1 + 46, y1 + 44), fill=255)
    frame = np.asarray(bars, np.float32) / 255
    y = np.linspace(0, 1, HEIGHT)[:, None]
    sky = np.dstack([np.broadcast_to(level, (HEIGHT, WIDTH)) for level in (250 + 4 * y, 252 + 2 * y, 255 + 0 * y)])
    picture = room * (1 - glass[..., None]) + sky * glass[..., None]
    # Light spills over the wall, and the lens spreads some of it.
    glow = Image.fromarray((glass * (1 - frame) * 255).astype(np.uint8), "L")
    for radius, strength in ((14, 30.0), (70, 46.0), (170, 34.0)):
        spread = np.asarray(glow.filter(ImageFilter.GaussianBlur(radius)), np.float32)[..., None] / 255
        picture = picture + strength * spread
    # The frame is seen against the light: darker than what is behind it, with a veil of glare over it.
    picture = picture * (1 - 0.9 * frame[..., None]) + np.array((176.0, 172.0, 166.0)) * 0.9 * frame[..., None]
    # The wall is beyond the depth of field.
    return levels(picture).filter(ImageFilter.GaussianBlur(1.6))


def levels(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.round(values), 0, 255).astype(np.uint8), "RGB")


def phone() -> Image.Image:
    """An upright telephone, RGBA; its screen is opaque and dark until the simulator draws on it."""
    k = OVERSAMPLE
    w, h = PHONE
    body = Image.new("RGBA", (w * k, h * k), (20, 21, 24, 0))
    pen = ImageDraw.Draw(body)
    outer, inner = PHONE_RADII

    def box(inset: float) -> tuple[float, float, float, float]:
        return inset * k, inset * k, (w - inset) * k - 1, (h - inset) * k - 1

    # Keys stand out of the frame at the sides; the body leaves 4 pixels for them.
    for x, y, length in ((0, 190, 46), (0, 262, 74), (0, 350, 74), (w - 8, 286, 108)):
        pen.rounded_rectangle((x * k, y * k, (x + 8) * k, (y + length) * k), radius=3 * k, fill=(66, 68, 73, 255))
    pen.rounded_rectangle(box(4), radius=outer * k, fill=(92, 95, 101, 255))
    pen.rounded_rectangle(box(6), radius=(outer - 2) * k, fill=(150, 153, 158, 255))
    pen.rounded_rectangle(box(8), radius=(outer - 4) * k, fill=(74, 76, 81, 255))
    pen.rounded_rectangle(box(10), radius=(outer - 6) * k, fill=(12, 12, 14, 255))
    sx, sy, sw, sh = PHONE_SCREEN
    pen.rounded_rectangle((sx * k, sy * k, (sx + sw) * k - 1, (sy + sh) * k - 1), radius=inner * k, fill=(24, 26, 32, 255))
    # Speaker slot and camera in the bezel above the screen.
    pen.rounded_rectangle(((w / 2 - 34) * k, 16 * k, (w / 2 + 34) * k, 20 * k), radius=2 * k, fill=(44, 46, 50, 255))
    pen.ellipse(((w / 2 + 50) * k, 14.5 * k, (w / 2 + 57) * k, 21.5 * k), fill=(30, 36, 56, 255))
    return body.resize(PHONE, Image.Resampling.LANCZOS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the pictures")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    room_plain().save(out / "room-plain.jpg", "JPEG", quality=88, optimize=True)
    room_window().save(out / "room-window.jpg", "JPEG", quality=88, optimize=True)
    phone().save(out / "phone.png", optimize=True)
    x, y, w, h = PHONE_SCREEN
    (out / "phone.toml").write_text(
        "# Written by models/build/rooms.py; pixels of phone.png, origin top left.\n"
        f"width = {PHONE[0]}\nheight = {PHONE[1]}\ncorner_radius = {PHONE_RADII[1]}\n\n"
        f"[screen]\nx = {x}\ny = {y}\nw = {w}\nh = {h}\n"
    )


if __name__ == "__main__":
    main()
