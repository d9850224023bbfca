"""Lines and pages of made-up text in free fonts: for the ranges of the text detector and for measuring both text models.

Names are drawn from characters, not from people; addresses and numbers are invented. Everything follows from the seed.
Fonts: Debian fonts-noto-cjk, fonts-wqy-zenhei, fonts-lxgw-wenkai, fonts-dejavu-core, fonts-liberation, fonts-ocr-b.
"""

import pathlib
import random

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS = pathlib.Path("/usr/share/fonts")
SANS = (FONTS / "opentype/noto/NotoSansCJK-Regular.ttc", 2)
BOLD = (FONTS / "opentype/noto/NotoSansCJK-Bold.ttc", 2)
CHINESE = [SANS, BOLD, (FONTS / "truetype/wqy/wqy-zenhei.ttc", 0), (FONTS / "truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf", 0)]
LATIN = [(FONTS / "truetype/dejavu/DejaVuSans.ttf", 0), (FONTS / "truetype/liberation/LiberationSans-Regular.ttf", 0),
         (FONTS / "truetype/liberation/LiberationSans-Bold.ttf", 0)]
OCR_B = (FONTS / "opentype/ocr-b/OCRB.otf", 0)

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂兰建华志永鑫宇浩然梓涵子轩欣怡思远雨桐晨曦玉凤海燕国庆翔睿琪婷雪佳慧颖博文俊豪嘉诗瑶梦洁一诺依娅倩楠辉鹏飞斌凯波宁峰龙成春红梅云莲真环爱妹贞莉素青珠翠雅芝萍"
RARE = "堃喆昇玥甯祎珺璟燚犇翊旸煜焱垚淼骁骞麒麟琰瑄珩瑾璇玮昱晗昊炜烨熠皓颢黛璐潼滢澍泓沁汐茜芮芷苒蕾薇蘅梓桦栩榕嫣婧婕妤姝娴媛霏霁靖邺郴邕阚蔺郗邸佟仝戚覃訾逄闫鞠臧亓仉"
ETHNICITIES = "汉 满 回 藏 苗 彝 壮 侗 瑶 白 傣 黎 维吾尔 蒙古 朝鲜 哈萨克 土家 布依 柯尔克孜 乌孜别克".split()
ADDRESSES = ["北京市东城区样本街道测试胡同{}号楼{}单元{}室", "上海市徐汇区样例路{}弄{}号{}室", "广东省深圳市南山区示范大道{}号{}栋{}房",
             "重庆市江北区模拟镇演示村{}组{}号附{}号", "陕西省西安市雁塔区范本南路{}号院{}号楼{}号", "浙江省杭州市西湖区虚构街道{}幢{}单元{}室",
             "新疆乌鲁木齐市天山区样板巷{}号{}栋{}号", "四川省成都市锦江区假设东街{}号{}单元{}楼"]
LATIN_NAMES = ["ERIKSSON", "ANNA MARIA", "MUSTERMANN", "GARCÍA LÓPEZ", "O'CONNOR", "VAN DER BERG", "MÜLLER", "JOSÉ LUIS", "SPECIMEN"]
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def font(which, size):
    return ImageFont.truetype(str(which[0]), size, index=which[1])


def number(r):
    """An invented number of GB 11643 with its check character."""
    digits = r.choice(["110101", "310104", "440305", "500105", "610113", "330106"]) + f"{r.randint(1950, 2007)}{r.randint(1, 12):02}{r.randint(1, 28):02}{r.randint(0, 999):03}"
    return digits + "10X98765432"[sum(int(d) * 2 ** (17 - i) for i, d in enumerate(digits)) % 11]


def text(kind, r):
    """One line of a kind."""
    if kind == "name":
        return r.choice(SURNAMES) + "".join(r.choice(GIVEN) for _ in range(r.randint(1, 2)))
    if kind == "rare_name":
        return r.choice(SURNAMES + RARE[-16:]) + "".join(r.choice(RARE) for _ in range(r.randint(1, 2)))
    if kind == "long_name":
        syllables = "阿卜杜拉买提江古丽娜尔艾合木帕孜热依汗努如"
        return "·".join("".join(r.choice(syllables) for _ in range(r.randint(2, 4))) for _ in range(2))
    if kind == "address":
        full = r.choice(ADDRESSES).format(r.randint(1, 300), r.randint(1, 30), r.randint(101, 3204))
        return full[:11] if r.random() < 0.6 else full[11:22]
    if kind == "number":
        return number(r)
    if kind == "birth":
        return f"{r.randint(1950, 2007)}年{r.randint(1, 12)}月{r.randint(1, 28)}日"
    if kind == "sex":
        return r.choice("男女")
    if kind == "ethnicity":
        return r.choice(ETHNICITIES)
    if kind == "latin_name":
        return r.choice(LATIN_NAMES)
    if kind == "latin_date":
        return f"{r.randint(1, 28):02} {r.choice(MONTHS)} {r.randint(1950, 2035)}"
    if kind == "issuer":
        return r.choice(["样本市", "示例县", "范本市示范"]) + "公安局" + r.choice(["", "测试分局"])
    if kind == "validity":
        return f"20{r.randint(10, 25)}.{r.randint(1, 12):02}.{r.randint(1, 28):02}-" + r.choice(["长期", f"20{r.randint(26, 45)}.{r.randint(1, 12):02}.{r.randint(1, 28):02}"])
    raise ValueError(kind)


KINDS = ["name", "rare_name", "long_name", "address", "number", "birth", "sex", "ethnicity", "latin_name", "latin_date", "issuer", "validity"]


def texture(h, w, r, rng):
    """Paper with lines like a guilloche and a slow change of light."""
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    base = np.array([r.uniform(190, 245) for _ in range(3)], np.float32)
    picture = np.zeros((h, w, 3), np.float32) + base
    for _ in range(3):
        angle, pitch, colour = r.uniform(0, 3.14), r.uniform(3, 14), np.array([r.uniform(-1, 1) for _ in range(3)], np.float32)
        wave = np.sin((xx * np.cos(angle) + yy * np.sin(angle)) * 6.28 / pitch + 4 * np.sin(xx / r.uniform(30, 90)))
        picture += r.uniform(0, 9) * wave[..., None] * colour
    slope = r.uniform(-0.2, 0.2) * xx / w + r.uniform(-0.2, 0.2) * yy / h
    return picture * (1 + slope[..., None])


def wear(picture, r, rng, blur=1.2):
    """Lens, sensor and JPEG."""
    picture = cv2.GaussianBlur(picture, (0, 0), r.uniform(0.3, blur))
    picture = picture * r.uniform(0.55, 1.05) + rng.normal(0, r.uniform(1, 7), picture.shape)
    data = cv2.imencode(".jpg", np.clip(picture, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, r.randint(60, 95)])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def line(kind, seed):
    """(BGR picture of one line about 20 to 45 pixels high, its text)."""
    r, rng = random.Random(f"{kind}{seed}"), np.random.default_rng(seed)
    said = text(kind, r)
    which = OCR_B if kind == "number" else r.choice(LATIN if kind.startswith("latin") else CHINESE[:2] if kind == "long_name" else CHINESE)
    size = r.randint(16, 34)
    face = font(which, size * 2)
    gap = r.uniform(0, 0.15) * size * 2 if kind in ("address", "name", "birth") else 0
    widths = [face.getlength(c) + gap for c in said]
    left, top, right, bottom = face.getbbox(said)
    height, width = bottom - top, int(sum(widths))
    margin = r.uniform(0.15, 0.3) * height
    h, w = int(height + 2 * margin), int(width + 2 * margin)
    canvas = Image.fromarray(np.clip(texture(h, w, r, rng), 0, 255).astype(np.uint8))
    draw, x, ink = ImageDraw.Draw(canvas), margin, tuple(r.randint(10, 70) for _ in range(3))
    for c, advance in zip(said, widths):
        draw.text((x, margin - top), c, font=face, fill=ink)
        x += advance
    angle = r.uniform(-1.2, 1.2)
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1)
    picture = cv2.warpAffine(np.asarray(canvas, np.float32), turn, (w, h), borderMode=cv2.BORDER_REPLICATE)
    picture = cv2.resize(picture, (max(8, w // 2), max(8, h // 2)), interpolation=cv2.INTER_AREA)
    return wear(picture, r, rng), said


def page(seed, size=(640, 416)):
    """(BGR page with lines of all kinds, their boxes [x0, y0, x1, y1])."""
    r, rng = random.Random(f"page{seed}"), np.random.default_rng(seed)
    w, h = size
    canvas = Image.fromarray(np.clip(texture(h, w, r, rng), 0, 255).astype(np.uint8))
    draw, boxes, y = ImageDraw.Draw(canvas), [], r.randint(8, 40)
    while y < h - 40:
        height = r.randint(11, 26)
        x = r.randint(8, 200)
        for _ in range(r.randint(1, 3)):
            kind = r.choice(KINDS)
            said = text(kind, r)
            face = font(OCR_B if kind == "number" else r.choice(LATIN if kind.startswith("latin") else CHINESE), height)
            box = draw.textbbox((x, y), said, font=face)
            if box[2] > w - 5 or box[3] > h - 5:
                break
            draw.text((x, y), said, font=face, fill=tuple(r.randint(10, 90) for _ in range(3)))
            boxes.append(box)
            x = box[2] + r.randint(2, 8) * height
        y += int(height * r.uniform(1.5, 3))
    if r.random() < 0.5:
        x, y, side = r.randint(300, w - 150), r.randint(20, 150), r.randint(80, 140)
        draw.ellipse((x, y, x + side, y + int(1.3 * side)), fill=tuple(r.randint(60, 200) for _ in range(3)))
    return wear(np.asarray(canvas, np.float32), r, rng, 0.8), boxes
