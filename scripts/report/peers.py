"""Peers: other programs for the same work, in a virtual environment of their own, on one core, one thread."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from mistakes import LeftOut

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENTS, FACES = ("rapidocr", "passporteye", "fastmrz"), ("mediapipe", "dlib", "yunet")
ALL = DOCUMENTS + FACES
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")}


class Peers:
    """The environment and the core."""

    def __init__(self, folder, core):
        self.folder, self.core = folder, core
        self.python = folder / "bin" / "python"

    def tessdata(self):
        """A folder for fastmrz: its own language file comes with no package, so Tesseract's English stands in under its name."""
        found = sorted(pathlib.Path("/usr/share/tesseract-ocr").glob("*/tessdata/eng.traineddata"))
        if shutil.which("tesseract") is None or not found:
            raise LeftOut("tesseract is not installed (Debian: tesseract-ocr)")
        folder = self.folder / "tessdata"
        folder.mkdir(exist_ok=True)
        link = folder / "mrz.traineddata"
        if not link.exists():
            link.symlink_to(found[-1])
        configs = found[-1].parent / "configs"
        if configs.is_dir() and not (folder / "configs").exists():
            (folder / "configs").symlink_to(configs)
        return folder

    def run(self, peer, pictures, rounds):
        """What the peer says of the pictures; see peer_worker.py."""
        if not self.python.is_file():
            raise LeftOut(f"the peers' environment could not be made, see {self.folder}.log")
        job = {"peer": peer, "pictures": [str(p) for p in pictures], "rounds": rounds, "yunet": str(self.folder / "face_detection_yunet_2023mar.onnx")}
        if peer in ("passporteye", "fastmrz"):
            job["tessdata"] = str(self.tessdata())
        with tempfile.TemporaryDirectory(prefix="report-") as folder:
            out = pathlib.Path(folder) / "result.json"
            job["out"] = str(out)
            run = subprocess.run(
                ["taskset", "-c", str(self.core), str(self.python), str(HERE / "peer_worker.py")],
                input=json.dumps(job), capture_output=True, text=True, env=os.environ | ONE_THREAD | {"GLOG_minloglevel": "3", "TF_CPP_MIN_LOG_LEVEL": "3"},
            )
            if run.returncode != 0 or not out.is_file():
                raise LeftOut((run.stderr.strip().splitlines() or [f"ended with {run.returncode}"])[-1][:300])
            return json.loads(out.read_text(encoding="utf-8"))
