"""Names by origin and gender, and forms of address by region: ours, of names in common use (2026-11).

Names that are words, places or one well-known person besides are left out. A man's name and the woman's at the same place are
partners.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Group = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]


def _names(men: str, women: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(men.split()), tuple(women.split())


NAMES: Mapping[str, Group] = {
    "en": {
        "anglo": _names(
            "Andrew Brian Craig Geoffrey Kevin Matthew Peter Scott",
            "Abigail Allison Claire Emily Heather Katie Laura Megan",
        ),
        "african_american": _names(
            "Darnell Deshawn DeAndre Jamal Lamar Marquis Terrell Tyrone",
            "Aaliyah Ebony Keisha Lakisha Latoya Shanice Tamika Tanisha",
        ),
        "hispanic": _names(
            "Alejandro Andrés Eduardo Javier José Luis Miguel Rodrigo",
            "Camila Guadalupe Lucía Marisol Rosario Valentina Ximena Yolanda",
        ),
        "east_asian": _names(
            "Chenwei Haruto Hiroshi Jinho Minjun Takeshi Weijie Zhiyuan",
            "Haruka Jiayi Meiling Minji Sakura Xiaoyan Yuki Yuna",
        ),
        "south_asian": _names(
            "Amit Arjun Deepak Manoj Rahul Rajesh Sanjay Vikram",
            "Ananya Anjali Deepika Lakshmi Meera Pooja Priya Sunita",
        ),
        "arab": _names(
            "Ahmed Bilal Hassan Ibrahim Khalid Mustafa Omar Youssef",
            "Aisha Fatima Khadija Layla Mariam Noura Samira Zainab",
        ),
        "slavic": _names(
            "Andrei Bogdan Dmitri Igor Miroslav Sergei Vladislav Yuri",
            "Anastasia Irina Katarzyna Ludmila Natalya Oksana Svetlana Tatiana",
        ),
        "west_african": _names(
            "Chidi Chinedu Emeka Kofi Kwame Kwasi Obinna Oluwaseun",
            "Abena Adaeze Akosua Amara Chioma Folake Ifeoma Ngozi",
        ),
    },
    "zh": {
        "school": _names("小明 小刚 小军 小强 小亮 小伟", "小红 小丽 小芳 小玲 小敏 小燕"),
        "cantonese": _names("阿强 阿明 阿辉 家豪 志伟 阿昌", "阿珍 阿玲 阿娟 嘉欣 咏诗 阿萍"),
        "tibetan": _names("扎西 顿珠 次仁 丹增 多吉 洛桑", "卓玛 央金 白玛 拉姆 德吉 曲珍"),
        "uyghur": _names("艾山 买买提 吐尔逊 阿不都 艾力 库尔班", "古丽 阿依古丽 热依汗 帕提古丽 米日古丽 阿孜古丽"),
        "mongol": _names("巴特尔 巴图 苏和 宝音 那顺 朝鲁", "其其格 乌云 萨仁 其木格 托娅 娜仁"),
        "hui_and_zhuang": _names(
            "马文龙 穆萨 尤素夫 韦大山 黄阿福 蒙阿勇", "马秀英 法图麦 阿米娜 韦小妹 黄阿花 蒙阿兰"
        ),
    },
}
"""Language to origin to the names of men and of women."""

SURNAMES: Mapping[str, tuple[str, ...]] = {
    "anglo": ("Anderson", "Campbell", "Davies", "Harrison", "Mitchell", "Thompson"),
    "hispanic": ("Fernandez", "Garcia", "Hernandez", "Lopez", "Martinez", "Rodriguez"),
    "east_asian": ("Chen", "Kim", "Nakamura", "Nguyen", "Takahashi", "Zhang"),
    "south_asian": ("Banerjee", "Gupta", "Iyer", "Patel", "Reddy", "Sharma"),
    "arab": ("Abdallah", "Al-Masri", "Haddad", "Khalil", "Mansour", "Nasser"),
    "slavic": ("Ivanov", "Kowalski", "Novak", "Petrov", "Sokolov", "Wojcik"),
    "west_african": ("Adeyemi", "Boateng", "Diallo", "Mensah", "Okafor", "Okonkwo"),
}
"""Surnames count behind a form of address (Mr, Ms, Dr) alone."""

CHINESE_SURNAMES: Mapping[str, tuple[str, ...]] = {
    "north": ("王", "李", "张", "刘", "赵", "孙"),
    "south": ("陈", "林", "黄", "吴", "郑", "何"),
    "hui": ("马", "哈", "沙", "丁", "白", "穆"),
    "zhuang_and_miao": ("韦", "覃", "蒙", "侬", "石", "龙"),
    "two_characters": ("欧阳", "司徒", "上官", "诸葛", "慕容", "尉迟"),
}
"""Surnames count in a form of address alone (王先生, 李阿姨)."""

ADDRESS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "en": (("mom", "mum"), ("mommy", "mummy"), ("moms", "mums"), ("grandma", "gran"), ("grandpa", "grandad"),),
    "zh": (
        ("外婆", "姥姥"), ("外公", "姥爷"), ("爸爸", "阿爸"), ("妈妈", "阿妈"), ("爷爷", "阿爷"), ("奶奶", "阿嬷"),
        ("哥哥", "阿哥"), ("姐姐", "阿姐"), ("叔叔", "阿叔"), ("姑姑", "姑妈"),
    ),
}  # fmt: skip
"""Forms of address of one region for those of another."""

TITLE = r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Sir|Madam|Aunt|Uncle)\.?[ ]"
_AFTER = re.compile(r"[ ][A-Z\u00c0-\u00de]|['’-][A-Z]")
_BEFORE = re.compile(r"(?:[A-Za-z0-9]*[A-Z][A-Za-z.]*[ ]|[A-Za-z]-)$")
_OPENS = re.compile(rf"(?:^|[.!?:;\"“(\n\x1e][ ]?)(?:[A-Z][a-z]*[ ])$|{TITLE}$")


FAMILY = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱林郭罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾魏薛叶阎潘杜戴钟汪姜谭廖邹熊陆郝崔邱秦侯邵孟钱汤黎贺赖龚"
)
_PLACE = re.compile("[族省市县州区路街山河湖江岛寺庙镇乡村旗语国]")


def alone(text: str, places: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """The places of given names that nowhere in the text are part of a full name or of the name of a place or people."""
    barred = {word for start, end, word in places if not _by_itself(text, start, end)}
    return [place for place in places if place[2] not in barred]


def _by_itself(text: str, start: int, end: int) -> bool:
    """In Latin letters: not beside another word with a capital. In Chinese: not behind a surname, nor before such as 族 or 省."""
    if not text[start].isascii():
        named = text[start] not in "小阿" and start > 0 and text[start - 1] in FAMILY
        return not named and not _PLACE.match(text, end)
    if _AFTER.match(text, end):
        return False
    before = text[max(0, start - 40) : start]
    return not _BEFORE.search(before) or bool(_OPENS.search(before))
