"""Builds ../text_reader.tflite and ../text_reader.charset.txt: PP-OCRv6 small, Chinese and Latin lines, dynamic range.

Full int8 breaks it (heavy-tailed activations after GELU). Its input may be made narrower (free_size.py). Its last layer is cut down to the characters that documents of the
booth need. With --measure N the result is compared with the maker's float net on N drawn lines of each kind, and with --alternatives N
so are the converter's own dynamic range form and full int8, which are not kept.
"""

import bz2
import unicodedata

import common

WIDTH = 320
# The trunk's two results: what the transformer begins with, and what goes past it.
TRUNK = ["p2o.pd_op.add.65.0", "p2o.pd_op.swish.0.0"]
# Punctuation of names, addresses and dates beside ASCII; the middle dots are those of transcribed names.
PUNCTUATION = "·•・．–—（）：，、。《》‘’“”№°"
# Latin-1 and Latin Extended-A: the alphabets of European passports.
LATIN = [(0x00C0, 0x017F)]


def words(path):
    """The maker's characters in the order of the classes 1 to n (0 is the blank; the last one is the space, which the file leaves out)."""
    entries = path.read_text(encoding="utf-8").split("character_dict:\n")[1].splitlines()
    found = []
    for entry in entries:
        if not entry.startswith("  - "):
            continue
        word = entry[4:]
        if len(word) > 1 and word[0] == word[-1] == "'":
            word = word[1:-1].replace("''", "'")
        elif len(word) > 1 and word[0] == word[-1] == '"':
            word = word[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        found.append(word)
    if any(len(w) != 1 for w in found):
        raise SystemExit(f"{path}: a class of more than one character")
    return found + [" "]


def character_sets(mappings, sources):
    """{name: set of characters} of the sets that names and addresses are written in.

    GB 2312 and the list of commonly used standard characters of 2013 (TGH, 8,105): what is registered in the mainland today.
    GB 12345 (G1), level 1 of Big5, and of its level 2 what the rare characters of GB 7589 (G3) have: older names, and holders from
    Hong Kong, Macao and Taiwan. The rest of the maker's ideographs would take the set of models above 10 MB.
    """
    wanted = {"GB 2312": set(), "TGH": set(), "GB 12345": set(), "Big5 level 1": set(), "Big5 and GB 7589": set()}
    big5 = set()
    for path in (mappings, sources):
        for row in bz2.open(path, "rt", encoding="utf-8"):
            if not row.startswith("U+"):
                continue
            code, key, value = row.rstrip("\n").split("\t")
            character = chr(int(code[2:], 16))
            if key == "kGB0":
                wanted["GB 2312"].add(character)
            elif key == "kTGH":
                wanted["TGH"].add(character)
            elif key == "kBigFive":
                big5.add(character)
                if int(value, 16) < 0xC940:
                    wanted["Big5 level 1"].add(character)
            elif key == "kIRG_GSource" and value.startswith("G1-"):
                wanted["GB 12345"].add(character)
            elif key == "kIRG_GSource" and value.startswith("G3-") and character in big5:
                wanted["Big5 and GB 7589"].add(character)
    return wanted


def is_wanted(character, ideographs):
    code = ord(character)
    if character in ideographs or character in PUNCTUATION or 0x20 <= code < 0x7F:
        return True
    return unicodedata.category(character)[0] == "L" and any(first <= code <= last for first, last in LATIN)


def main():
    args = common.arguments(__doc__, measure="number of drawn lines of each kind to measure on", alternatives="the same for other forms")
    import tensorflow as tf

    import dynamic_range
    import free_size
    import paddle

    characters = words(common.fetch("text_reader_words", args.cache))
    sets = character_sets(common.fetch("unihan", args.cache), common.fetch("unihan_sources", args.cache))
    ideographs = set().union(*sets.values())
    kept = [i for i, c in enumerate(characters) if is_wanted(c, ideographs)]
    charset = [characters[i] for i in kept]
    for name, members in sets.items():
        missing = "".join(sorted(members - set(charset)))
        print(f"{name}: {len(members) - len(missing)} of {len(members)} characters; the maker's net lacks {missing if len(missing) < 100 else len(missing)}")
    all_ideographs = sum(unicodedata.name(c, "").startswith("CJK UNIFIED") for c in characters)
    print(f"{len(charset)} characters kept of {len(characters)}, {len(set(charset) & ideographs)} ideographs of {all_ideographs}")

    path = common.fetch("text_reader", args.cache)
    graph, source = paddle.read(path, TRUNK)
    neck = paddle.Neck(source, TRUNK[0])
    if neck.last.shape[1] != len(characters) + 1:
        raise SystemExit(f"{path}: {neck.last.shape[1]} classes, {len(characters)} characters")
    classes = [0] + [i + 1 for i in kept]
    neck.last, neck.last_bias = neck.last[:, classes].copy(), neck.last_bias[classes].copy()
    head = neck.emit()

    def form(name, int8=False, calibration=None):
        trunk = paddle.emit(graph, int8=int8)
        return common.convert(lambda image: [tf.nn.softmax(head(*trunk(image)))], [1, 48, WIDTH, 3], name, calibration)

    # A step is eight pixels wide: the only length of the whole net that is its number of steps.
    data = free_size.free(common.finish(dynamic_range.quantize(form("float32")), ["characters"]), {WIDTH // 8})
    common.deliver(data, args.out / "text_reader.tflite")
    common.deliver(("\n".join(charset) + "\n").encode(), args.out / "text_reader.charset.txt")
    if args.measure:
        import text_measure

        text_measure.reader(path, characters, data, charset, int(str(args.measure)))
    if args.alternatives:
        import text_measure
        import text_samples

        lines = [text_measure.strip(text_samples.line(kind, seed)[0], WIDTH)[0] for kind in text_samples.KINDS for seed in range(10)]
        for name, other in (("the converter's dynamic range", form("dynamic_range")), ("int8", form("int8", True, lines))):
            print(f"{name}: {len(other)} bytes")
            text_measure.reader(path, characters, other, charset, int(str(args.alternatives)))


if __name__ == "__main__":
    main()
