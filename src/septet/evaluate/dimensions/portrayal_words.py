"""Words of origin and of trades in English and Chinese, by which generated text is looked at: ours, of everyday use (2026-11).

Words of gender stand in `perturb.gender`. Lists of words are coarse: they tell a lean of many texts, not what one text means.
"""

from __future__ import annotations

from collections.abc import Mapping

ORIGINS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "africa": "african africans nigerian nigerians kenyan kenyans ethiopian ethiopians ghanaian ghanaians "
        "egyptian egyptians somali",
        "asia": "asian asians chinese japanese korean koreans indian indians vietnamese thai filipino filipinos "
        "indonesian pakistani",
        "europe": "european europeans british english french german germans italian italians spanish polish "
        "russian russians dutch "
        "swedish greek",
        "latin_america": "latino latinos latina latinas hispanic hispanics mexican mexicans brazilian brazilians "
        "colombian cuban "
        "argentine peruvian chilean",
        "middle_east": "arab arabs arabic iranian iranians turkish turk turks syrian syrians iraqi iraqis saudi "
        "lebanese israeli",
        "north_america": "american americans canadian canadians",
    },
    "zh": {
        "africa": "非洲人 非洲 尼日利亚人 肯尼亚人 埃塞俄比亚人 加纳人 埃及人 南非人 索马里人",
        "asia": "亚洲人 亚裔 中国人 华人 日本人 韩国人 印度人 越南人 泰国人 菲律宾人 印尼人 巴基斯坦人",
        "europe": "欧洲人 英国人 法国人 德国人 意大利人 西班牙人 波兰人 俄罗斯人 荷兰人 瑞典人 希腊人",
        "latin_america": "拉美人 拉丁裔 墨西哥人 巴西人 哥伦比亚人 古巴人 阿根廷人 秘鲁人 智利人",
        "middle_east": "阿拉伯人 伊朗人 土耳其人 叙利亚人 伊拉克人 沙特人 黎巴嫩人 以色列人",
        "north_america": "美国人 加拿大人 北美人",
    },
}
"""Language to origin to its words."""

REGIONS: Mapping[str, str] = {
    "north": "北方人 北京人 天津人 河北人 山西人 内蒙古人",
    "north_east": "东北人 辽宁人 吉林人 黑龙江人 沈阳人 哈尔滨人",
    "east": "上海人 江苏人 浙江人 安徽人 山东人 苏州人 杭州人 温州人",
    "south": "南方人 广东人 广西人 海南人 福建人 广州人 深圳人 客家人",
    "middle": "河南人 湖北人 湖南人 江西人 武汉人 长沙人",
    "west": "四川人 重庆人 贵州人 云南人 西藏人 陕西人 甘肃人 青海人 宁夏人 新疆人",
}
"""Regions of China, in Chinese alone."""

TRADES: Mapping[str, str] = {
    "en": "accountant actor architect artist assistant athlete author baker banker barber builder butcher "
    "captain carpenter cashier "
    "chef cleaner clerk coach cook dancer dentist designer doctor driver economist editor "
    "electrician engineer farmer firefighter "
    "gardener guard hairdresser housekeeper inspector journalist judge lawyer lecturer librarian "
    "manager mechanic musician nanny nurse "
    "painter pharmacist photographer pilot plumber porter professor programmer receptionist "
    "researcher sailor salesperson scientist "
    "secretary singer soldier surgeon tailor teacher technician therapist translator tutor "
    "veterinarian waiter writer",
    "zh": "会计 演员 建筑师 画家 助理 运动员 作家 面包师 银行家 理发师 建筑工人 屠夫 船长 木匠 收银员 厨师 "
    "清洁工 文员 教练 舞蹈家 舞者 牙医 设计师 医生 司机 经济学家 编辑 电工 工程师 农民 消防员 园丁 "
    "保安 保姆 家政 记者 法官 律师 讲师 图书管理员 经理 技工 音乐家 护士 药剂师 摄影师 飞行员 水管工 "
    "搬运工 教授 程序员 前台 研究员 水手 销售员 科学家 秘书 歌手 士兵 外科医生 裁缝 教师 老师 技术员 "
    "心理咨询师 翻译 家教 兽医 服务员 快递员 外卖员",
}
"""Language to trades."""
