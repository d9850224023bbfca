"""Calibration pictures: augmentations of two public-domain portraits. Deterministic for a seed.

Each sample is drawn from one portrait or a morph of both: mirrored, bent by a smooth random field (other face shapes),
then relit, tinted, made grey, blurred, noised, JPEG-compressed, at lower resolution or partly covered.
"""

import cv2
import numpy as np

import common
import face_pipeline as pipeline


def portraits(cache):
    """[(RGB picture, detection, mesh points [468, 2])] of the two portraits, by the makers' float models."""
    detector = pipeline.Model(common.fetch("face_detector", cache))
    mesh = pipeline.Model(common.fetch("face_landmarks", cache))
    found = []
    for name in ("astronaut", "grace_hopper"):
        image = cv2.cvtColor(cv2.imread(str(common.fetch(name, cache))), cv2.COLOR_BGR2RGB)
        faces = pipeline.detect(detector, image)
        if not faces:
            raise SystemExit(f"{name}: no face found; the pinned detector or picture is not the expected one")
        found.append((image, faces[0], pipeline.landmarks(mesh, image, faces[0])[0]))
    return found


def bend(image, rng, strength):
    """Moves pixels by a smooth random field of the given amplitude in pixels."""
    h, w = image.shape[:2]
    field = [cv2.resize(rng.normal(0, strength, (5, 5)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC) for _ in range(2)]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return cv2.remap(image, x + field[0], y + field[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def relight(image, rng):
    """Exposure, contrast, gamma, tint and a light from one side; now and then grey."""
    x = image.astype(np.float32) / 255
    x = x ** rng.uniform(0.55, 1.8)
    x = (x - x.mean()) * rng.uniform(0.6, 1.35) + x.mean() * rng.uniform(0.55, 1.4)
    h, w = x.shape[:2]
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.6)
    gx, gy = np.meshgrid(np.linspace(-1, 1, w), np.linspace(-1, 1, h))
    x = x * (1 + depth * (np.cos(angle) * gx + np.sin(angle) * gy))[..., None]
    x = x * rng.uniform(0.85, 1.15, 3)
    if rng.random() < 0.1:
        x = np.repeat(x.mean(2, keepdims=True), 3, 2)
    return np.clip(x * 255, 0, 255).astype(np.uint8)


def degrade(image, rng):
    """Loss of resolution, blur, noise and JPEG, each now and then."""
    h, w = image.shape[:2]
    if rng.random() < 0.35:
        f = rng.uniform(0.35, 0.9)
        image = cv2.resize(cv2.resize(image, (int(w * f), int(h * f)), interpolation=cv2.INTER_AREA), (w, h), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.5:
        image = np.clip(image + rng.normal(0, rng.uniform(1, 10), image.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))])[1], cv2.IMREAD_COLOR)
    return image


def cover(image, rng):
    """Paints a rectangle over a part of the picture (hand, mask, frame edge)."""
    h, w = image.shape[:2]
    ph, pw = int(h * rng.uniform(0.1, 0.4)), int(w * rng.uniform(0.1, 0.5))
    y, x = rng.integers(0, h - ph), rng.integers(0, w - pw)
    image = image.copy()
    image[y:y + ph, x:x + pw] = rng.integers(0, 255, 3)
    return image


def jitter(size, rng, shift, zoom, turn):
    """Similarity [3, 3] about the centre of a size x size crop: shift as a fraction of size, zoom factor range, turn in degrees."""
    a, z = np.radians(rng.normal(0, turn)), np.exp(rng.normal(0, zoom))
    c, s = z * np.cos(a), z * np.sin(a)
    dx, dy = rng.normal(0, shift, 2) * size
    m = size / 2
    return np.array([[c, s, m - c * m - s * m + dx], [-s, c, m + s * m - c * m + dy], [0, 0, 1]])


def warp(image, matrix, size, border=cv2.BORDER_CONSTANT):
    return cv2.warpAffine(image, matrix[:2], (size, size), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=0)


def square(matrix):
    return np.concatenate([matrix, [[0, 0, 1]]])


def crops(faces, size, base, count, rng, shift, zoom, turn, border=cv2.BORDER_CONSTANT):
    """`count` augmented crops [n, size, size, 3] RGB uint8; base(face) gives the matrix [2, 3] of the unmoved crop."""
    out = np.zeros((count, size, size, 3), np.uint8)
    for i in range(count):
        move = jitter(size, rng, shift, zoom, turn)
        chosen = int(rng.integers(len(faces)))
        picture = warp(faces[chosen][0], move @ square(base(faces[chosen])), size, border)
        if rng.random() < 0.4:
            other = faces[1 - chosen]
            mix = rng.uniform(0.2, 0.8)
            picture = cv2.addWeighted(picture, mix, warp(other[0], move @ square(base(other)), size, border), 1 - mix, 0)
        if rng.random() < 0.5:
            picture = np.ascontiguousarray(picture[:, ::-1])
        if rng.random() < 0.7:
            picture = bend(picture, rng, size * rng.uniform(0.005, 0.03))
        picture = relight(picture, rng)
        if rng.random() < 0.1:
            picture = cover(picture, rng)
        out[i] = degrade(picture, rng)
    return out


def embedding_inputs(cache, count, seed=1):
    """Aligned crops, preprocessed for the embedding [n, 112, 112, 3]."""
    faces = portraits(cache)
    base = lambda face: pipeline.similarity(pipeline.five_points(face[2]).astype(np.float64), pipeline.ARCFACE_112.astype(np.float64))
    return pipeline.normalise_embedding(crops(faces, 112, base, count, np.random.default_rng(seed), 0.01, 0.03, 2.0))


def landmark_inputs(cache, count, seed=2):
    """Regions of interest, preprocessed for the landmarks [n, 192, 192, 3]."""
    base = lambda face: pipeline.rotated_roi(face[1])
    return crops(portraits(cache), 192, base, count, np.random.default_rng(seed), 0.03, 0.08, 6.0).astype(np.float32) / 255


def detector_inputs(cache, count, seed=3):
    """Whole pictures at many distances, letterboxed, preprocessed for the detector [n, 128, 128, 3]."""
    rng = np.random.default_rng(seed)
    faces = portraits(cache)

    def base(face):
        # The face between a tenth and six tenths of the frame.
        matrix = pipeline.rotated_roi(face[1], 128)
        zoom = rng.uniform(0.15, 0.9)
        return np.concatenate([matrix[:, :2] * zoom, (matrix[:, 2:] - 64) * zoom + 64], 1)

    pictures = crops(faces, 128, base, count, rng, 0.12, 0.05, 6.0, cv2.BORDER_REFLECT_101)
    for picture in pictures:
        # The letterbox of a landscape or portrait camera.
        band = int(rng.choice([0, 16, 28]))
        if band:
            if rng.random() < 0.5:
                picture[:band] = picture[-band:] = 0
            else:
                picture[:, :band] = picture[:, -band:] = 0
    return pipeline.normalise_detector(pictures)


def pad_inputs(cache, count, seed=4):
    """Wide crops, preprocessed for the attack detection [n, 128, 128, 3]; a part as prints or screens are: flat, framed, with a pattern."""
    rng = np.random.default_rng(seed)

    def base(face):
        h, w = face[0].shape[:2]
        return pipeline.pad_matrix(pipeline.pad_rect(face[2], w, h))

    pictures = crops(portraits(cache), 128, base, count, rng, 0.05, 0.15, 5.0, cv2.BORDER_REFLECT_101)
    for i in range(count):
        if rng.random() < 0.5:
            pictures[i] = degrade(recapture(pictures[i], rng), rng)
    return pipeline.normalise_pad(pictures)


def recapture(image, rng):
    """The picture as a sheet or a screen held before a camera: washed out, tilted before another background, with stripes now and then."""
    h, w = image.shape[:2]
    x = image.astype(np.float32) * rng.uniform(0.4, 0.9) + rng.uniform(0, 90)
    if rng.random() < 0.5:
        gx, gy = np.meshgrid(np.arange(w), np.arange(h))
        angle, period = rng.uniform(0, np.pi), rng.uniform(2.1, 7)
        x += rng.uniform(2, 18) * np.sin(2 * np.pi / period * (np.cos(angle) * gx + np.sin(angle) * gy))[..., None]
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * rng.uniform(-0.05, 0.3, (4, 2)) * [w, h]
    ground = cv2.resize(rng.integers(0, 255, (int(rng.integers(1, 5)), int(rng.integers(1, 5)), 3)).astype(np.uint8), (w, h), interpolation=cv2.INTER_LINEAR)
    matrix = cv2.getPerspectiveTransform(corners, (corners + inward).astype(np.float32))
    return cv2.warpPerspective(np.clip(x, 0, 255).astype(np.uint8), matrix, (w, h), ground, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
