"""CMMLU (Li et al., 2023, arXiv 2306.09212): 67 subjects in Chinese, four options, five solved examples each.

Reads `dev/` and `test/` CSV files (`anatomy.csv`: a numbered first column without a name, Question, A-D, Answer).
"""

from __future__ import annotations

from pathlib import Path

from septet.evaluate.form import Benchmark, Task
from septet.evaluate.readers.exam import add_choice, split_of
from septet.evaluate.readers.finish import mark_passages
from septet.evaluate.readers.reading import Reading
from septet.evaluate.readers.wording import CHINESE_EXAM

ABOUT = {
    "name": "cmmlu",
    "version": "1.0.1",
    "licence": "CC BY-NC-SA 4.0",
    "origin": "github.com/haonan-li/CMMLU",
}
SUBJECTS = {
    "STEM": "anatomy 解剖学 astronomy 天文学 college_actuarial_science 大学精算学 college_engineering_hydrology 大学工程水文学 "
    "college_mathematics 大学数学 college_medical_statistics 大学医学统计 computer_science 计算机科学 "
    "conceptual_physics 概念物理学 electrical_engineering 电气工程 elementary_mathematics 小学数学 "
    "genetics 遗传学 high_school_biology 高中生物 "
    "high_school_chemistry 高中化学 high_school_mathematics 高中数学 high_school_physics 高中物理 machine_learning 机器学习 "
    "virology 病毒学",
    "Humanities": "arts 艺术 chinese_history 中国历史 chinese_literature 中国文学 college_law 大学法律 global_facts 世界常识 "
    "international_law 国际法 jurisprudence 法理学 logical 逻辑 marxist_theory 马克思主义理论 philosophy 哲学 "
    "professional_law 法律职业 world_history 世界历史 world_religions 世界宗教",
    "Social Science": "ancient_chinese 古代汉语 business_ethics 商业伦理 chinese_civil_service_exam 公务员考试 "
    "chinese_food_culture 中国饮食文化 chinese_foreign_policy 中国外交政策 chinese_teacher_qualification 教师资格 "
    "college_education 大学教育学 economics 经济学 education 教育学 elementary_chinese 小学语文 ethnology 民族学 "
    "high_school_geography 高中地理 high_school_politics 高中政治 journalism 新闻学 management 管理学 marketing 市场营销 "
    "modern_chinese 现代汉语 professional_accounting 会计职业 professional_psychology 心理学职业 public_relations 公共关系 "
    "security_study 安全研究 sociology 社会学",
    "Other": "agronomy 农学 chinese_driving_rule 驾驶规则 clinical_knowledge 临床知识 college_medicine 大学医学 "
    "computer_security 计算机安全 construction_project_management 建设工程管理 elementary_commonsense 小学常识 "
    "elementary_information_and_technology 小学信息技术 food_science 食品科学 human_sexuality 人类性学 "
    "legal_and_moral_basis 法律与道德基础 nutrition 营养学 professional_medicine 医学职业 sports_science 体育学 "
    "traditional_chinese_medicine 中医中药",
}
CHINA = (
    "ancient_chinese chinese_civil_service_exam chinese_driving_rule chinese_food_culture chinese_foreign_policy chinese_history "
    "chinese_literature chinese_teacher_qualification construction_project_management elementary_chinese elementary_commonsense "
    "ethnology high_school_politics modern_chinese traditional_chinese_medicine"
).split()
"""Subjects whose answers hold in China only: their items carry the category `china`."""


def _named() -> dict[str, tuple[str, str]]:
    named = {}
    for group, text in SUBJECTS.items():
        words = text.split()
        named.update({subject: (chinese, group) for subject, chinese in zip(words[::2], words[1::2], strict=True)})
    return named


def read(folder: Path) -> Benchmark:
    """Read CMMLU. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder, fallback="gb18030")
    named = _named()
    for path in reading.files("*/dev/*.csv", "*/test/*.csv", "*_dev.csv", "*_test.csv"):
        split = split_of(path)
        subject = path.stem.removesuffix(f"_{split}")
        chinese, group = named.get(subject, (subject.replace("_", " "), "Other"))
        task = reading.task(
            Task(
                f"cmmlu/{subject}",
                "zh",
                "letter",
                "option",
                subject=chinese,
                group=group,
                layout=CHINESE_EXAM,
                shots=5,
                max_tokens=8,
                stop=("\n",),
            )
        )
        for row in reading.rows(path):
            add_choice(reading, task, row, split)
    for one in reading.items:
        one["category"] = "china" if one["task"].partition("/")[2] in CHINA else ""
    mark_passages(reading.items)
    return reading.benchmark(ABOUT)
