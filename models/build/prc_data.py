"""Made-up holders of resident identity cards: names, numbers, addresses, validity.

Nobody's data. The numbers follow GB 11643-1999 with real region codes of GB/T 2260, because the booth checks both; every
address lies in a street called 样本 (specimen) and every issuing authority begins with 样本, so that what is printed says by
itself that the card is none.
"""

from __future__ import annotations

import dataclasses
import random

MARK = "样本"
"""Stands in every address and every issuing authority."""

REGIONS = {
    "110101": "北京市东城区", "110102": "北京市西城区", "110105": "北京市朝阳区", "110106": "北京市丰台区", "110108": "北京市海淀区",
    "120101": "天津市和平区", "130102": "河北省石家庄市长安区", "140105": "山西省太原市小店区", "150102": "内蒙古自治区呼和浩特市新城区",
    "210102": "辽宁省沈阳市和平区", "220102": "吉林省长春市南关区", "230102": "黑龙江省哈尔滨市道里区", "310101": "上海市黄浦区",
    "310104": "上海市徐汇区", "310115": "上海市浦东新区", "320102": "江苏省南京市玄武区", "320505": "江苏省苏州市虎丘区",
    "330102": "浙江省杭州市上城区", "330106": "浙江省杭州市西湖区", "340103": "安徽省合肥市庐阳区", "350102": "福建省福州市鼓楼区",
    "360102": "江西省南昌市东湖区", "370102": "山东省济南市历下区", "410102": "河南省郑州市中原区", "420102": "湖北省武汉市江岸区",
    "420111": "湖北省武汉市洪山区", "430102": "湖南省长沙市芙蓉区", "440103": "广东省广州市荔湾区", "440106": "广东省广州市天河区",
    "440305": "广东省深圳市南山区", "450102": "广西壮族自治区南宁市兴宁区", "460105": "海南省海口市秀英区", "500103": "重庆市渝中区",
    "500112": "重庆市渝北区", "510104": "四川省成都市锦江区", "520102": "贵州省贵阳市南明区", "530102": "云南省昆明市五华区",
    "540102": "西藏自治区拉萨市城关区", "610103": "陕西省西安市碑林区", "620102": "甘肃省兰州市城关区", "640104": "宁夏回族自治区银川市兴庆区",
    "650102": "新疆维吾尔自治区乌鲁木齐市天山区",
}
STREETS = ("样本路{}号", "样本街{}号", "样本大道{}号", "样本胡同{}号", "样本东街{}号", "样本镇样本村{}组", "样本乡样本屯{}号", "样本里{}号")
HOUSES = ("{}号楼{}单元{}室", "{}栋{}单元{}房", "{}幢{}楼{}室", "附{}号", "")

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟"
    "熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
RARE_SURNAMES = "仝佘冼仇乜亓麴禤逄郄郗郜郇鄢阚阙妫嵇迮晏晁揭訾訚贠昝璩亢仉佴祭銮蒯"
COMPOUND_SURNAMES = ("欧阳", "司马", "诸葛", "上官", "夏侯", "皇甫", "尉迟", "慕容", "令狐", "宇文", "长孙", "东方", "公孙", "南宫")
GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂兰建华志永鑫宇浩然梓涵子轩欣怡思远雨桐晨曦玉凤海燕国庆翔睿琪婷雪文博佳慧云鹏飞红梅春生德福成龙"
    "小东峰俊凯威诗若岚一诺俐瑶瑞丹萍莉颖丰毅达康宁安乐天佑启航嘉懿书雅清源润泽立新正义长青少坤振兴家宝爱民卫东晓菲芸蕾馨悦彤可心乔木"
)
RARE_GIVEN = "堃喆淼犇骉曌翀玥玙璟祎昇珺甯彧頔赟韫煊翾旻龑燊垚焱瑨珅翯邈偲奭昶晔烨炜镕瑀昕暘旸玘珩琤琮瑄瑢璠璐璘瓅禕祐祺竑笙筠箐粲绮缃羿翙茜莐菁蓥蕤薇蘅虓蜓裎諴詠谠贇跞轶辂逯遐郢鄞酩釥鋆鋐鑅镕闳阗隽霁霈霖霙靓靖韬韡頫颀颢飏馥騏骐骞骧鲲鳐鸑鸾鹍麒麟黻齐龢䶮㛃㬎㻬䴔"
PEOPLES = ("汉",) * 12 + ("满", "回", "藏", "苗", "彝", "壮", "侗", "瑶", "白", "傣", "黎", "维吾尔", "蒙古", "朝鲜", "哈萨克", "土家", "布依", "俄罗斯")
DOTTED = (("艾力", "买买提"), ("古丽娜尔", "阿不都拉"), ("阿依古丽", "吐尔逊"), ("迪丽努尔", "艾尼瓦尔"), ("努尔兰", "哈力克"))

TIERS = ("common", "gb2312_1", "gb2312_2", "rare", "dotted")
TIER_WEIGHTS = (80, 10, 4, 4, 2)
"""Of a name: usual characters; one of the 3,755 and one of the 3,008 of GB 2312; rare ones of GB 18030; with a middle dot."""

_CHECK_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclasses.dataclass(frozen=True)
class Holder:
    """What stands on one card."""

    name: str
    name_tier: str
    sex: str
    people: str
    birth_date: str
    """YYYY-MM-DD."""
    address: str
    number: str
    authority: str
    valid_from: str
    """YYYY-MM-DD."""
    valid_to: str
    """YYYY-MM-DD or 长期."""

    @property
    def validity(self) -> str:
        """As printed."""
        end = self.valid_to if self.valid_to == "长期" else self.valid_to.replace("-", ".")
        return f"{self.valid_from.replace('-', '.')}-{end}"


def check_character(first_17: str) -> str:
    """Check character of GB 11643-1999 (ISO 7064 MOD 11-2)."""
    return "10X98765432"[sum(int(digit) * weight for digit, weight in zip(first_17, _CHECK_WEIGHTS, strict=True)) % 11]


def number_of(region: str, birth_date: str, sequence: int) -> str:
    """The 18 characters; an odd sequence number is a man's."""
    body = region + birth_date.replace("-", "") + f"{sequence:03}"
    return body + check_character(body)


def with_wrong_check_character(number: str) -> str:
    """The number with another digit at its end. That no other single column explains it cannot be had: MOD 11-2 leaves a repair at most columns."""
    wrong = next(c for c in "7305218496" if c != number[17])
    return number[:17] + wrong


def gb2312(level: int) -> list[str]:
    """All characters of level 1 (by reading) or 2 (by radical) of GB 2312."""
    rows = range(0xB0, 0xD8) if level == 1 else range(0xD8, 0xF8)
    found = []
    for row in rows:
        for cell in range(0xA1, 0xFF):
            try:
                found.append(bytes((row, cell)).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return found


LEVELS = {"gb2312_1": gb2312(1), "gb2312_2": gb2312(2)}


def name_of(chance: random.Random, tier: str) -> str:
    """A made-up name; `tier` says where its given name comes from."""
    if tier == "dotted":
        first, second = chance.choice(DOTTED)
        return f"{first}·{second}"
    if tier == "rare":
        surname = chance.choice(RARE_SURNAMES) if chance.random() < 0.5 else chance.choice(SURNAMES)
        return surname + chance.choice(RARE_GIVEN) + (chance.choice(GIVEN) if chance.random() < 0.5 else "")
    surname = chance.choice(COMPOUND_SURNAMES) if chance.random() < 0.04 else chance.choice(SURNAMES)
    given = [chance.choice(GIVEN) for _ in range(1 if chance.random() < 0.2 else 2)]
    if tier != "common":
        given[chance.randrange(len(given))] = chance.choice(LEVELS[tier])
    return surname + "".join(given)


def holder(chance: random.Random) -> Holder:
    """One made-up person with a card valid around 2026."""
    tier = chance.choices(TIERS, TIER_WEIGHTS)[0]
    region = chance.choice(sorted(REGIONS))
    year, month, day = chance.randint(1938, 2014), chance.randint(1, 12), chance.randint(1, 28)
    sequence = chance.randint(1, 999)
    from_year = chance.randint(max(2008, year + 1), 2026)
    from_date = f"{from_year}-{chance.randint(1, 10):02}-{chance.randint(1, 28):02}"
    # Law of the resident identity card, art. 5: 5, 10, 20 years or long-term by the age at issue.
    age = from_year - year
    years = 5 if age < 16 else 10 if age < 26 else 20 if age < 46 else None
    street = chance.choice(STREETS).format(chance.randint(1, 399))
    house = chance.choice(HOUSES)
    house = house.format(*(chance.randint(1, top) for top in (28, 6, 2904)[: house.count("{}")]))
    birth_date = f"{year}-{month:02}-{day:02}"
    return Holder(
        name=name_of(chance, tier), name_tier=tier, sex="男" if sequence % 2 else "女",
        people="维吾尔" if tier == "dotted" else chance.choice(PEOPLES), birth_date=birth_date,
        address=REGIONS[region] + street + house, number=number_of(region, birth_date, sequence),
        authority=f"{MARK}市公安局{REGIONS[region][-3:-1] if region != '310115' else '浦东'}分局",
        valid_from=from_date, valid_to=f"{from_year + years}{from_date[4:]}" if years else "长期",
    )


LIN = Holder(
    name="林若岚", name_tier="common", sex="女", people="汉", birth_date="1987-03-19", address="北京市朝阳区样本路12号3号楼1单元402室",
    number=number_of("110105", "1987-03-19", 284), authority="样本市公安局朝阳分局", valid_from="2021-05-20", valid_to="2041-05-20",
)
"""Holder of the cards of the scenes."""


def self_test() -> None:
    """The published numbers that any implementation has to accept, and the demo's own."""
    for number in ("11010519491231002X", "440524188001010014", "34052419800101001X"):
        found = check_character(number[:17])
        if found != number[17]:
            raise SystemExit(f"GB 11643 self-test: check character of {number[:17]} is {found!r}, expected {number[17]!r}")
    if len(LEVELS["gb2312_1"]) != 3755 or len(LEVELS["gb2312_2"]) != 3008:
        raise SystemExit(f"GB 2312 self-test: levels of {len(LEVELS['gb2312_1'])} and {len(LEVELS['gb2312_2'])} characters; there are 3755 and 3008")
