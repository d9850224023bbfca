"""Cuts the persons of the virtual booth out of public-domain portraits and gives them a surface.

For each portrait three files are written to `--out`:

- `person-NAME.png`         sRGB colour and matte (alpha), head and shoulders down to the lower edge;
- `person-NAME-normal.png`  surface normals, same size: x right, y down, z towards the camera, (n + 1) / 2 * 255;
- `person-NAME.toml`        size, middle between the eyes and inter-eye distance in pixels.

The outline is traced by hand (`CUTS`), and closed-form matting finds the hairs within a few pixels of it.
The surface is the face mesh of MediaPipe where there is a face, and an inflated silhouette elsewhere. It is made
for shading only: no distance between two points of it means anything.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib

import cv2
import mediapipe
import numpy as np
import pymatting
import scipy.interpolate
import scipy.sparse
import scipy.sparse.linalg
from PIL import Image

import portraits

INTER_EYE_PX = 100.0
"""Inter-eye distance of every layer; a booth camera sees about this at arm's length."""

RIGHT_EYE = (33, 133, 159, 145)
LEFT_EYE = (362, 263, 386, 374)
"""Mesh points whose mean is the centre of an eye: the same as in the recipe of the booth's own face alignment."""

HAIR_BAND_PX, CLOTH_BAND_PX = 5, 3
"""Half width, in source pixels, of the band around the traced outline in which the matting decides."""

MAX_SLOPE = 1.9
"""Steepest surface in depth per pixel; beyond it a camera would see nothing, but a matte edge still needs a colour."""


@dataclasses.dataclass(frozen=True)
class Cut:
    """What of a source picture is used, in source pixels."""

    outline: tuple[tuple[float, float], ...]
    head: tuple[float, float, float, float]
    """Centre x, y and half axes of the ellipse that stands for the head."""
    height: int
    """Rows used, from the top."""
    cloth_from: int
    """Row below which the outline is cloth, not hair: the matting gets a narrower band."""
    margin: int
    """Transparent pixels kept around the person."""


def _scaled(points: tuple[tuple[int, int], ...], zoom: float, x0: float = 0, y0: float = 0):
    return tuple((x / zoom + x0, y / zoom + y0) for x, y in points)


# The points were read off enlargements, hence the zoom factors.
CUTS = {
    "collins": Cut(
        outline=_scaled(
            ((425, 343), (370, 343), (310, 370), (285, 410), (280, 428), (264, 432), (262, 478), (215, 508), (165, 553),
             (130, 608), (100, 678), (76, 735), (62, 800), (55, 870), (48, 950), (48, 1000), (851, 1000), (851, 950),
             (844, 870), (838, 803), (832, 760), (815, 690), (800, 655), (785, 620), (742, 574), (702, 556), (693, 529),
             (676, 484), (634, 436), (590, 400), (596, 370), (604, 350), (613, 313), (640, 303), (645, 285), (680, 243), (692, 185), (688, 130),
             (660, 85), (610, 50), (550, 37), (500, 40), (450, 58), (435, 82), (390, 95), (360, 130), (353, 190),
             (365, 240), (392, 270), (398, 290), (417, 303)),
            2.3,
        ),
        head=(227, 100, 70, 95),
        height=420,
        cloth_from=146,
        margin=10,
    ),
    "hopper": Cut(
        outline=_scaled(
            ((285, 950), (215, 922), (172, 870), (160, 800), (168, 740), (140, 650), (140, 600), (150, 582), (118, 575),
             (115, 450), (120, 380), (150, 310), (205, 275), (207, 250), (228, 195), (270, 157), (345, 130), (350, 108),
             (400, 85), (480, 72), (550, 82), (600, 105), (620, 130), (690, 157), (745, 205), (778, 260), (780, 280),
             (815, 280), (830, 330), (838, 450), (828, 572), (850, 600), (848, 680), (822, 770), (803, 850), (805, 890),
             (780, 940), (740, 978), (712, 985)),
            3.2, x0=110,
        ) + _scaled(
            ((632, 68), (680, 105), (780, 160), (880, 186), (930, 215), (949, 268), (963, 325), (985, 430), (995, 608),
             (995, 720), (32, 720), (24, 608), (30, 500), (45, 340), (70, 260), (85, 205), (130, 180), (250, 145),
             (330, 105), (378, 68)),
            1.9, y0=280,
        ),
        head=(263, 190, 108, 165),
        height=645,
        cloth_from=305,
        margin=12,
    ),
}


def face_points(rgb: np.ndarray) -> np.ndarray:
    """The 468 mesh points as (468, 3) pixels; z grows away from the camera."""
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1) as mesh:
        found = mesh.process(rgb).multi_face_landmarks
    if not found:
        raise SystemExit("no face was found in the portrait; one is needed for the surface")
    height, width = rgb.shape[:2]
    return np.array([(p.x * width, p.y * height, p.z * width) for p in found[0].landmark])


def without_helmet(rgb: np.ndarray) -> np.ndarray:
    """Paints the other sleeve, mirrored, over the helmet that hides the left arm of `collins`.

    A layer that ended above the helmet would be too short to fill the frame from the chest down.
    """
    top, bottom, left = 338, 436, 262
    mirror_sum = 391  # left edge of one sleeve + right edge of the other
    mirrored = rgb[:, ::-1]
    shift = rgb.shape[1] - 1 - mirror_sum
    mask = np.zeros(rgb.shape[:2], np.float32)
    helmet = np.array([(283, 440), (285, 418), (292, 400), (303, 382), (318, 366), (336, 354), (352, 346), (372, 340),
                       (380, 440)])
    cv2.fillPoly(mask, [helmet], 1.0)
    mask = cv2.GaussianBlur(cv2.dilate(mask, np.ones((5, 5))), (0, 0), 2.0)
    source = np.zeros_like(rgb)
    width = rgb.shape[1] - shift
    source[:, :width] = mirrored[:, shift:shift + width]
    mixed = rgb * (1 - mask[..., None]) + source * mask[..., None]
    out = rgb.copy()
    out[top:bottom, left:] = mixed[top:bottom, left:].round().astype(np.uint8)
    return out


def with_longer_jacket(rgb: np.ndarray) -> np.ndarray:
    """Continues the jacket of `hopper` below the frame by 45 rows of its plain cloth, mirrored."""
    return np.vstack([rgb, rgb[574:529:-1]])


def cut_out(rgb: np.ndarray, cut: Cut) -> tuple[np.ndarray, np.ndarray]:
    """Colour (float, 0..1, background removed from mixed pixels) and alpha (0..1) at source size."""
    inside = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.round(np.array(cut.outline) * 16).astype(np.int32)], 1, shift=4)
    # Below and beside the picture the body goes on: erosion must not eat inwards from the frame.
    rim = 4 * HAIR_BAND_PX
    framed = cv2.copyMakeBorder(inside, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    trimap = np.empty(inside.shape)
    for rows, band in ((slice(0, cut.cloth_from), HAIR_BAND_PX), (slice(cut.cloth_from, None), CLOTH_BAND_PX)):
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band + 1,) * 2)
        sure = cv2.erode(framed, disc)[rim:-rim, rim:-rim]
        possible = cv2.dilate(framed, disc)[rim:-rim, rim:-rim]
        trimap[rows] = np.where(sure > 0, 1.0, np.where(possible > 0, 0.5, 0.0))[rows]
    colour = rgb / 255.0
    alpha = pymatting.estimate_alpha_cf(colour, trimap)
    # Weak wisps are flag and wall rather than hair.
    alpha = np.clip((alpha - 0.15) / 0.72, 0, 1)
    # Where the picture's own frame cuts a sleeve, the cut becomes an edge like the others.
    to_frame = np.arange(rgb.shape[1])
    to_frame = np.minimum(to_frame, to_frame[::-1])
    alpha = alpha * np.clip(to_frame / 3, 0, 1)
    foreground = pymatting.estimate_foreground_ml(colour, alpha)
    return np.clip(foreground, 0, 1), alpha


def inflate(alpha: np.ndarray, reach_px: float) -> np.ndarray:
    """Smooth bulge over a silhouette: zero at the outline, flat further inside than `reach_px`.

    Solves z / reach^2 - laplacian(z) = 1 / reach^2 with z = 0 outside, and takes the root, so that the surface
    leaves the outline steeply as a round body does. The lower border is free: the body continues there.
    """
    inside = alpha > 0.5
    number = -np.ones(inside.shape, int)
    number[inside] = np.arange(inside.sum())
    count = int(inside.sum())
    diagonal = np.full(count, 1 / reach_px**2)
    rows, columns = [], []
    ys, xs = np.nonzero(inside)
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        ny, nx = ys + dy, xs + dx
        free = (ny >= inside.shape[0]) | (nx < 0) | (nx >= inside.shape[1])
        ny_safe, nx_safe = np.clip(ny, 0, inside.shape[0] - 1), np.clip(nx, 0, inside.shape[1] - 1)
        diagonal += ~free
        joined = ~free & inside[ny_safe, nx_safe] & (ny >= 0)
        rows.append(number[ys[joined], xs[joined]])
        columns.append(number[ny_safe[joined], nx_safe[joined]])
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    system = scipy.sparse.csc_matrix((-np.ones(len(rows)), (rows, columns)), shape=(count, count))
    system += scipy.sparse.diags(diagonal, format="csc")
    z = np.zeros(inside.shape)
    z[inside] = scipy.sparse.linalg.spsolve(system, np.full(count, 1 / reach_px**2))
    return reach_px * np.sqrt(np.clip(z, 0, None))


def surface(alpha: np.ndarray, points: np.ndarray, cut: Cut) -> np.ndarray:
    """Depth towards the camera in source pixels."""
    height, width = alpha.shape
    inter_eye = np.hypot(*(points[list(RIGHT_EYE)].mean(0) - points[list(LEFT_EYE)].mean(0))[:2])
    body = inflate(alpha, 1.1 * inter_eye)
    ys, xs = np.mgrid[0:height, 0:width].astype(float)

    # The head stands before the chest and is rounder than the silhouette alone says.
    cx, cy, ax, ay = cut.head
    r2 = ((xs - cx) / ax) ** 2 + ((ys - cy) / ay) ** 2
    head = 0.9 * inter_eye * np.sqrt(np.clip(1 - r2, 0, 1))
    base = body + cv2.GaussianBlur(head, (0, 0), 0.12 * inter_eye)

    # Face: the mesh, lifted to the level of the head around it and faded out towards its rim.
    hull = cv2.convexHull(points[:, :2].astype(np.float32))[:, 0]
    oval = np.zeros(alpha.shape, np.uint8)
    cv2.fillConvexPoly(oval, np.round(hull).astype(np.int32), 1)
    relief = scipy.interpolate.griddata(points[:, :2], -points[:, 2], (xs, ys), method="linear")
    relief = np.where(np.isnan(relief), np.nanmin(relief), relief)
    relief = cv2.GaussianBlur(relief, (0, 0), 0.045 * inter_eye)
    depth_inside = cv2.distanceTransform(oval, cv2.DIST_L2, 5)
    weight = np.clip((depth_inside - 0.08 * inter_eye) / (0.45 * inter_eye), 0, 1)
    weight = weight * weight * (3 - 2 * weight)
    rim = (weight > 0.1) & (weight < 0.5)
    relief += float(np.median(base[rim] - relief[rim]))
    return base * (1 - weight) + relief * weight


def normals(depth: np.ndarray) -> np.ndarray:
    """Unit normals (height, width, 3): x right, y down, z towards the camera."""
    slope_x = cv2.Sobel(depth, cv2.CV_64F, 1, 0, ksize=3, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    slope_y = cv2.Sobel(depth, cv2.CV_64F, 0, 1, ksize=3, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    steepness = np.hypot(slope_x, slope_y)
    # Soft limit: keeps the direction, never exceeds MAX_SLOPE.
    limit = MAX_SLOPE * np.tanh(steepness / MAX_SLOPE) / np.maximum(steepness, 1e-9)
    n = np.dstack([-slope_x * limit, -slope_y * limit, np.ones_like(depth)])
    return n / np.linalg.norm(n, axis=2, keepdims=True)


def extended(values: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Carries the values of the person outwards over the transparent pixels, so that resampling mixes in no background."""
    solid = (alpha > 0.6).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(1 - solid, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    lookup = np.zeros((labels.max() + 1, values.shape[2]))
    lookup[labels[solid > 0]] = values[solid > 0]
    return np.where(solid[..., None] > 0, values, lookup[labels])


def make(portrait: portraits.Portrait, wheels: pathlib.Path, out: pathlib.Path) -> None:
    """Writes the three files of one person."""
    cut = CUTS[portrait.name]
    rgb = portraits.load(portrait, wheels)
    points = face_points(rgb)
    if portrait.name == "collins":
        rgb = without_helmet(rgb)
    if portrait.name == "hopper":
        rgb = with_longer_jacket(rgb)
    colour, alpha = cut_out(rgb[:cut.height], cut)
    colour = cv2.copyMakeBorder(colour, 0, 0, 0, cut.margin, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(alpha, 0, 0, 0, cut.margin, cv2.BORDER_CONSTANT)
    depth = surface(alpha, points, cut)
    depth = extended(depth[..., None], alpha)[..., 0]
    colour = np.where(alpha[..., None] > 0.02, colour, extended(colour, alpha))

    eyes = points[list(RIGHT_EYE)].mean(0)[:2], points[list(LEFT_EYE)].mean(0)[:2]
    zoom = INTER_EYE_PX / float(np.hypot(*(eyes[1] - eyes[0])))
    columns = np.nonzero(alpha.max(0) > 0.05)[0]
    top = int(np.nonzero(alpha.max(1) > 0.05)[0][0])
    left, right = max(0, columns[0] - cut.margin), min(alpha.shape[1], columns[-1] + 1 + cut.margin)
    top = max(0, top - cut.margin)
    window = (slice(top, cut.height), slice(left, right))
    size = (round((right - left) * zoom), round((cut.height - top) * zoom))

    def enlarge(plane: np.ndarray, how: int) -> np.ndarray:
        return cv2.resize(np.ascontiguousarray(plane[window]), size, interpolation=how)

    alpha_big = np.clip(cv2.GaussianBlur(enlarge(alpha, cv2.INTER_LANCZOS4), (0, 0), 0.9), 0, 1)
    alpha_big[alpha_big < 0.02] = 0
    colour_big = np.clip(enlarge(colour, cv2.INTER_LANCZOS4), 0, 1)
    # Depth is in source pixels; enlarging by `zoom` in the plane has to enlarge it too.
    depth_big = cv2.GaussianBlur(enlarge(depth, cv2.INTER_CUBIC) * zoom, (0, 0), 0.035 * INTER_EYE_PX)
    normal = normals(depth_big)

    # What nobody can see is made constant: it keeps the files small.
    seen = cv2.dilate((alpha_big > 0).astype(np.uint8), np.ones((9, 9))) > 0
    rgba = np.dstack([colour_big, alpha_big])
    rgba = np.round(rgba * 255).astype(np.uint8)
    rgba[~seen] = (128, 128, 128, 0)
    packed = np.round((normal + 1) / 2 * 255).astype(np.uint8)
    packed[~seen] = (128, 128, 255)
    Image.fromarray(rgba, "RGBA").save(out / f"person-{portrait.name}.png", optimize=True)
    Image.fromarray(packed, "RGB").save(out / f"person-{portrait.name}-normal.png", optimize=True)

    # Pixel centres: source (x + 0.5) maps to layer (x' + 0.5).
    mid = ((eyes[0] + eyes[1]) / 2 + 0.5 - (left, top)) * (size[0] / (right - left), size[1] / (cut.height - top)) - 0.5
    (out / f"person-{portrait.name}.toml").write_text(
        f"# Written by models/build/person_layers.py; pixels of person-{portrait.name}.png, origin top left.\n"
        f"eye_mid = [{mid[0]:.1f}, {mid[1]:.1f}]\n"
        f"inter_eye_px = {INTER_EYE_PX:.1f}\n"
        f"width = {size[0]}\n"
        f"height = {size[1]}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the layers")
    parser.add_argument("--wheels", type=pathlib.Path, default=pathlib.Path("wheels"), help="cache of the source wheels")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for portrait in portraits.PORTRAITS:
        make(portrait, arguments.wheels, arguments.out)


if __name__ == "__main__":
    main()
