"""Shared by the tests: the four published tables, and small changes to them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from qyx_analysis.documents import Document
from qyx_analysis.files import raw_dir
from qyx_analysis.tidy.reading import read_plans
from qyx_analysis.wings.sentences.targets import prose_targets

STEMS = ("fenghua", "cixi", "shengsi", "zhuji")
GOLD = Path(__file__).with_name("gold_tables.csv")


def printed(stem: str) -> str:
    """The text of one published table."""
    return (raw_dir() / f"{stem}.txt").read_text(encoding="utf-8")


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


@cache
def _four() -> pd.DataFrame:
    return read_plans([raw_dir()]).targets


def four_plans() -> pd.DataFrame:
    """A fresh tidy frame of the four published tables."""
    return _four().copy()


def fifth_county(name: str = "宁海县") -> str:
    """A made-up table of another county: Fenghua's layout and numbers, some of them changed."""
    text = printed("fenghua").replace("宁波市奉化区", f"宁波市{name}")
    return text.replace("\t3.52\n", "\t2.95\n").replace("\t81.68\n", "\t81.07\n").replace("\t75\n", "\t66\n")


def agreeing(targets: pd.DataFrame) -> int:
    """How many of the 504 gold cells are right in text, kind, operator and published value."""
    gold = pd.read_csv(GOLD, encoding="utf-8", dtype={"raw": str}).rename(
        columns={"region": "document", "no": "number"}
    )
    both = gold.merge(targets, on=["document", "number", "year"], suffixes=("_gold", ""), validate="one_to_one")
    same = (both["kind_gold"] == both["kind"]) & (both["operator_gold"].fillna("") == both["operator"])
    value = both["value_gold"].eq(both["published_value"]) | (
        both["value_gold"].isna() & both["published_value"].isna()
    )
    core = both["marker_gold"].fillna("").eq(both["marker"]) & both["department_gold"].fillna("").eq(both["department"])
    return int(
        (same & value & core & (both["raw_gold"] == both["raw"]) & (both["domain_gold"] == both["domain"])).sum()
    )


# What the city's plan for 2025 says of the catalogue's indicators: facts, in sentences of our own.
NINGBO = """到2025年，普惠性托位占比达到60%以上。
到2025年，义务教育优质均衡发展区县(市)比例达到60%以上。
到2025年，开展职业技能培训100万人次以上。
到2025年，基本养老保险参保人数达到620万。
到2025年，新增租赁住房13万套(间)，城镇住房保障受益覆盖率达到23%左右。
到2025年，城乡居民最低生活保障标准达到14000元/年。
到2025年，每个镇(街道)都建有1家规范化残疾人之家。"""


def said(text: str, region: str) -> pd.DataFrame:
    """The targets in the sentences of a plan of one region."""
    return prose_targets(Document("plan.txt", "plan", "", tuple(text.splitlines())), region)
