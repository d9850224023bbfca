#!/usr/bin/env python3
"""panel.py TAPE OUT.png: the pictures that the display was sent (boothsim's i2c tape), one after the other, each once but for
the seconds that are left. Ends with 1 if there are fewer than six, or one is blank: a session shows more."""

import struct
import sys
import zlib

WIDTH, PAGES = 128, 8
COLUMNS, SCALE, GAP = 4, 2, 4


def pictures(tape):
    """The whole pictures on the tape: bytes of 8 rows each, as an SSD1306 has them (horizontal addressing, whole window)."""
    at, picture, found = 0, bytearray(), []
    while at + 4 <= len(tape):
        length = tape[at + 2] | tape[at + 3] << 8
        transfer = tape[at + 4 : at + 4 + length]
        at += 4 + length
        if not transfer:
            continue
        if transfer[0] == 0x40:
            picture += transfer[1:]
        elif transfer[1:2] in (b"\x21", b"\x22"):
            # A window is set: a picture begins.
            picture = bytearray()
        if len(picture) == WIDTH * PAGES:
            if not found or without_seconds(found[-1]) != without_seconds(picture):
                found.append(picture)
            picture = bytearray()
    return found


def without_seconds(picture):
    """The picture without its upper right corner, where the seconds run."""
    return b"".join(bytes(picture[p * WIDTH : (p + 1) * WIDTH - (40 if p < 2 else 0)]) for p in range(PAGES))


def lit(picture, x, y):
    return picture[y // 8 * WIDTH + x] >> y % 8 & 1


def sheet(found):
    """All pictures beside each other, grey."""
    rows = (len(found) + COLUMNS - 1) // COLUMNS
    cell_w, cell_h = WIDTH * SCALE + GAP, PAGES * 8 * SCALE + GAP
    canvas = [bytearray(b"\x60" * (cell_w * COLUMNS)) for _ in range(cell_h * rows)]
    for i, picture in enumerate(found):
        left, top = i % COLUMNS * cell_w, i // COLUMNS * cell_h
        for y in range(PAGES * 8 * SCALE):
            for x in range(WIDTH * SCALE):
                canvas[top + y][left + x] = 255 * lit(picture, x // SCALE, y // SCALE)
    return canvas


def png(canvas):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", len(canvas[0]), len(canvas), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in canvas))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def main():
    tape, out = sys.argv[1:]
    with open(tape, "rb") as file:
        found = pictures(file.read())
    if found:
        with open(out, "wb") as file:
            file.write(png(sheet(found)))
    blank = sum(not any(p) for p in found)
    print(f"{len(found)} pictures, {blank} blank")
    return 1 if len(found) < 6 or blank else 0


if __name__ == "__main__":
    sys.exit(main())
