"""Runs one peer over pictures; started by peers.py with the peers' own Python. Reads a job as JSON from standard input, writes results to a file.

Job: {"peer", "pictures": [paths], "rounds", "out", ...}. Result: {"versions", "load_ms", "memory_mb", "pictures": {path: {...,
"ms": {stage: [a number a round]}}}}. Pictures are decoded before any time is taken, except where the peer reads files only.
The first picture is looked at once more before all others, and that is not counted.
"""

import importlib.metadata
import json
import pathlib
import resource
import signal
import sys
import time

PATIENCE_S = 60


class TooLong(Exception):
    """A peer took longer than PATIENCE_S over one picture."""


def alarm(_number, _frame):
    raise TooLong


class Rapidocr:
    """PP-OCR on ONNX Runtime: all text of the picture."""

    packages = ("rapidocr", "onnxruntime")

    def __init__(self, job):
        from rapidocr import RapidOCR

        one = {"EngineConfig.onnxruntime.intra_op_num_threads": 1, "EngineConfig.onnxruntime.inter_op_num_threads": 1, "Global.log_level": "error"}
        self.engine = RapidOCR(params=one)

    def look(self, picture, _path, took):
        result = took("document", lambda: self.engine(picture))
        return {"lines": list(result.txts or [])}


class Passporteye:
    """Finds the zone by its texture, reads it with Tesseract. Reads the file itself."""

    packages = ("passporteye", "pytesseract", "scikit-image")

    def __init__(self, job):
        import passporteye

        self.read = passporteye.read_mrz

    def look(self, _picture, path, took):
        mrz = took("document", lambda: self.read(path))
        raw = mrz.to_dict().get("raw_text", "") if mrz is not None else ""
        return {"lines": [line for line in raw.split("\n") if line.strip()]}


class Fastmrz:
    """Finds the zone with a net, reads it with Tesseract."""

    packages = ("fastmrz", "pytesseract", "opencv-contrib-python")

    def __init__(self, job):
        import cv2
        from fastmrz import FastMRZ

        cv2.setNumThreads(1)
        self.engine = FastMRZ(tessdata_path=job["tessdata"])

    def look(self, picture, _path, took):
        text = took("document", lambda: self.engine.get_details(picture, input_type="numpy", ignore_parse=True))
        return {"lines": [line for line in str(text).split("\n") if line.strip()]}


class Mediapipe:
    """Detector and face mesh: nets of the same origin as ours."""

    packages = ("mediapipe",)

    def __init__(self, job):
        import mediapipe

        solutions = mediapipe.solutions
        self.detector = solutions.face_detection.FaceDetection(model_selection=0, min_detection_confidence=0.5)
        self.mesh = solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=False)

    def look(self, picture, _path, took):
        rgb = picture[:, :, ::-1].copy()
        found = took("detect", lambda: self.detector.process(rgb))
        mesh = took("mesh", lambda: self.mesh.process(rgb))
        return {"faces": len(found.detections or []), "mesh": bool(mesh.multi_face_landmarks)}


class Dlib:
    """HOG detector, five points, ResNet embedding of 128 numbers."""

    packages = ("dlib-bin", "face-recognition-models")

    def __init__(self, job):
        import dlib

        # The package of the models asks for pkg_resources when imported, which current setuptools no longer has.
        models = pathlib.Path(importlib.metadata.distribution("face-recognition-models").locate_file("face_recognition_models")) / "models"
        self.detector = dlib.get_frontal_face_detector()
        self.points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
        self.net = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    def look(self, picture, _path, took):
        rgb = picture[:, :, ::-1].copy()
        faces = took("detect", lambda: self.detector(rgb, 1))
        if not faces:
            return {"faces": 0}
        largest = max(faces, key=lambda f: f.area())
        points = took("points", lambda: self.points(rgb, largest))
        vector = took("template", lambda: self.net.compute_face_descriptor(rgb, points))
        return {"faces": len(faces), "vector": list(vector)}


class Yunet:
    """OpenCV's face detector."""

    packages = ("opencv-contrib-python",)

    def __init__(self, job):
        import cv2

        model = pathlib.Path(job["yunet"])
        if not model.is_file():
            raise SystemExit(f"its model comes with no package and is not here: {model.name}; put it beside the peers' packages to have it measured")
        cv2.setNumThreads(1)
        self.detector = cv2.FaceDetectorYN.create(str(model), "", (320, 320))

    def look(self, picture, _path, took):
        self.detector.setInputSize((picture.shape[1], picture.shape[0]))
        _, faces = took("detect", lambda: self.detector.detect(picture))
        return {"faces": 0 if faces is None else len(faces)}


PEERS = {"rapidocr": Rapidocr, "passporteye": Passporteye, "fastmrz": Fastmrz, "mediapipe": Mediapipe, "dlib": Dlib, "yunet": Yunet}


def main():
    job = json.load(sys.stdin)
    import cv2

    cv2.setNumThreads(1)
    kind = PEERS[job["peer"]]
    start = time.perf_counter()
    peer = kind(job)
    result = {"versions": {p: importlib.metadata.version(p) for p in kind.packages}, "load_ms": 1000 * (time.perf_counter() - start), "pictures": {}}
    signal.signal(signal.SIGALRM, alarm)
    for i, path in enumerate(job["pictures"]):
        picture = cv2.imread(path, cv2.IMREAD_COLOR)
        said = {"error": "the picture cannot be decoded"} if picture is None else {}
        times = {}

        def took(stage, what):
            begin = time.perf_counter()
            value = what()
            times.setdefault(stage, []).append(1000 * (time.perf_counter() - begin))
            return value

        for turn in range(job["rounds"] + (i == 0)):
            if picture is None:
                break
            if i == 0 and turn == 1:
                times.clear()
            signal.alarm(PATIENCE_S)
            begin = time.perf_counter()
            try:
                said = peer.look(picture, path, took)
            except TooLong:
                said = {"error": f"over {PATIENCE_S} s"}
                times.setdefault("document", []).append(1000.0 * PATIENCE_S)
                break
            except Exception as error:  # What a peer throws at a picture is its answer to it.
                said = {"error": type(error).__name__}
                times.setdefault("document", []).append(1000 * (time.perf_counter() - begin))
            finally:
                signal.alarm(0)
        result["pictures"][path] = said | {"ms": times}
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    result["memory_mb"] = max(own.ru_maxrss, children.ru_maxrss) / 1024
    pathlib.Path(job["out"]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
