"""Our side: the product's own code path through `boothd`, on one core, with its peak memory."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import tomllib

from mistakes import LeftOut, Mistake


class Boothd:
    """The program, its models, and the core that it runs on."""

    def __init__(self, program, models, runtime, core):
        self.program, self.models, self.runtime, self.core = program, models, runtime, core

    def with_models(self, models):
        return Boothd(self.program, models, self.runtime, self.core)

    def run(self, *arguments):
        """What it printed, and its peak resident memory in MB."""
        line = ["taskset", "-c", str(self.core), str(self.program), *map(str, arguments), "--models", str(self.models), "--runtime", str(self.runtime)]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen(line, stdout=out, stderr=err)
            # wait4 tells of this child alone; taskset becomes the program, so it is the program that is told of.
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            text, complaint = out.read().decode(), err.read().decode()
        if child.returncode != 0:
            last = (complaint.strip().splitlines() or [f"ended with {child.returncode}"])[-1]
            raise Mistake(f"boothd {arguments[0]}: {last}")
        return text, usage.ru_maxrss / 1024

    def replay(self, pictures, look, rounds, show_fields=False):
        """{picture: what was seen} of pictures anywhere, and the peak memory."""
        with tempfile.TemporaryDirectory(prefix="report-") as folder:
            folder, names = pathlib.Path(folder), {}
            for i, picture in enumerate(pictures):
                # The endings stay, and the order; a link is no copy.
                name = f"{i:06}{picture.suffix.lower()}"
                (folder / name).symlink_to(picture.resolve())
                names[name] = picture
            flags = ["--show-fields"] if show_fields else []
            text, memory = self.run("replay", folder, "--json", "--look", look, "--rounds", rounds, *flags)
        seen = {}
        for line in text.splitlines():
            said = json.loads(line)
            seen[names[said["picture"]]] = said
        return seen, memory

    def compare(self, rows):
        """Scores of pairs [(a, b)], `None` where no comparison was possible."""
        with tempfile.TemporaryDirectory(prefix="report-") as folder:
            pairs, scores = pathlib.Path(folder) / "pairs.csv", pathlib.Path(folder) / "scores.csv"
            whole = {p: str(p.resolve()) for p in {p for row in rows for p in row}}
            with pairs.open("w", encoding="utf-8") as file:
                file.write("a,b\n")
                file.writelines(f"{whole[a]},{whole[b]}\n" for a, b in rows)
            self.run("compare", pairs, "--scores", scores)
            lines = scores.read_text(encoding="utf-8").splitlines()[1:]
        return [float(last) if (last := line.rsplit(",", 1)[1]) else None for line in lines]

    def pad(self, frames):
        """What `calibrate pad` prints, its curves as SVG, and its calibration as a dictionary."""
        with tempfile.TemporaryDirectory(prefix="report-") as folder:
            out = pathlib.Path(folder) / "pad.toml"
            text, _ = self.run("calibrate", "pad", frames, "--out", out)
            return text, out.with_suffix(".svg").read_text(encoding="utf-8"), tomllib.loads(out.read_text(encoding="utf-8"))


def program(root):
    """`boothd` as `make report` built it."""
    path = root / "target" / "release" / "boothd"
    if not path.is_file():
        raise Mistake(f"{path}: no such program; mend: make report, which builds it")
    return path


FLOAT = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
import common, face_embedding, net
graph = net.from_onnx(common.fetch("face_embedding", pathlib.Path(sys.argv[3])))
data = common.finish(common.convert(net.emit(graph), face_embedding.SHAPE, "float32"), face_embedding.OUTPUTS)
pathlib.Path(sys.argv[2]).write_bytes(data)
"""


def float_models(root, python, out):
    """A folder of models as the committed one, but with the maker's embedding net in 32-bit floating point."""
    models, build = root / "models", root / "models" / "build"
    out.mkdir(parents=True, exist_ok=True)
    embedding = out / "face_embedding.tflite"
    if not embedding.is_file():
        if python is None:
            raise LeftOut("the float embedding net: the model builds' Python packages are not installed (models/README.md, Rebuild)")
        run = subprocess.run([python, "-c", FLOAT, str(build), str(embedding), str(build / "cache")], capture_output=True, text=True)
        if run.returncode != 0:
            raise LeftOut(f"the float embedding net: {(run.stderr.strip().splitlines() or ['?'])[-1]}")
    for file in models.glob("*.tflite"):
        if file.name != embedding.name:
            shutil.copy(file, out / file.name)
    (out / "manifest.toml").write_text(_float_manifest((models / "manifest.toml").read_text(encoding="utf-8"), embedding), encoding="utf-8")
    return out


def _float_manifest(text, embedding):
    """The manifest with the float file's hash, size and tensors."""
    import hashlib

    blocks = re.split(r"(?m)^(?=\[\[model\]\]$)", text)
    for i, block in enumerate(blocks):
        if 'task = "face_embedding"' not in block:
            continue
        block = re.sub(r'(?m)^sha256 = .*$', f'sha256 = "{hashlib.sha256(embedding.read_bytes()).hexdigest()}"', block)
        block = re.sub(r"(?m)^bytes = .*$", f"bytes = {embedding.stat().st_size}", block)
        block = re.sub(r"(?m)^precision = .*$", 'precision = "float32"', block)
        block = re.sub(r"(?m)^reason = .*\n", "", block)
        block = block.replace('precision = "float32"\n', 'precision = "float32"\nreason = "what the committed form is compared with"\n')
        block = block.replace('dtype = "int8"', 'dtype = "float32"')
        block = re.sub(r"(?m)^(scale|zero_point) = .*\n", "", block)
        blocks[i] = block
    return "".join(blocks)
