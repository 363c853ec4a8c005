"""Characters of the same sound for one another, the slip that a pinyin input method makes.

One character in ten of those that have a partner here, at least one. A row holds characters of one syllable and tone by
their usual readings (ours, of everyday vocabulary, 2026-11). Negations, numerals, conjunctions, pronouns of persons and units are
never changed: with one of them changed a sentence says something else.
"""

from __future__ import annotations

import re
from random import Random

from septet.evaluate.perturb import hidden

_ROWS = """
    在再 做坐座作 像象向项 以已 进近禁尽 带代待袋戴 到道倒稻 其齐奇骑棋旗 是事试市式视室世适释 时实石十食识拾
    成城程诚承呈乘 情晴 清青轻倾 请顷 经精惊京睛晶 静境竟镜敬净 景警井颈 名明鸣铭 命 平评瓶屏苹 公工功攻宫恭
    共贡 高糕膏 告 课客刻克 可渴 科棵颗 历力立利例厉励丽 理里礼李 离梨犁 联连莲怜 练恋炼 论 留流刘 路陆录鹿露
    马码 买 卖迈麦 慢漫 满 毛矛 冒帽貌 美每 妹 密蜜秘 面 苗描 民 末墨默莫 木目幕墓牧 内 能 年 努 女 怕 派 盘
    跑 陪赔培 配佩 朋棚 皮疲 篇偏 票 品 破 普谱 气汽器弃 起企启 欺妻漆 前钱潜 浅遣 签铅牵千 强墙 桥 亲侵
    秋丘 求球 取 去趣 全权泉 群裙 然燃 热 认 仍 容荣溶融 肉 入 伤商 上尚 少 社设射涉 身深申伸 神 生声升
    胜圣剩盛 师诗施狮 始史使驶 收 手守首 受授寿兽 书输舒叔 属鼠暑 树术束述竖 双霜 水 顺 说 思丝司私 四 送颂 苏
    诉素速 算蒜 岁碎 所索锁 他 谈 汤 糖堂塘 套 特 题提啼 体 天添 田填甜 条 听厅 停庭亭 通 同童铜 统桶 头投 图途徒涂
    土 团 推 腿 完玩顽丸 晚碗 网往 忘望 危威 围违维唯 伟尾委 位味未畏胃慰 文闻 问 屋污 五 午舞武 务物误悟雾
    西希息析惜溪稀 习席袭 喜洗 系细戏 下夏吓 先鲜 显险 线现限县献 相香乡箱 享想响 小晓 效笑孝 些歇 协鞋 写 谢泄
    心新欣辛 信 星 形型 性姓幸 修休 需虚须 许 续序绪 选 学 雪 寻询巡 训讯迅 压鸭 亚 烟淹 言严沿炎盐颜研 眼演掩
    阳羊洋扬 样 要药耀 也野 业叶夜页 依医衣 移疑宜遗 易意义艺议异益亿译 因音阴 银 引饮隐 英鹰 营赢迎 影 永勇泳
    用 优忧 由油游邮 有友 又右幼 于鱼余愉娱 语雨羽 育域遇欲预狱 员元原圆园源 远 愿院怨 月跃阅越 云 运 杂 灾
    早 造灶燥 则责泽 增 占站战 张章 长 丈仗障 照 真珍针 整 正政证 支知之织 直职值植 指止纸址 至制质治志智致置
    中终钟 种肿 众 周洲 主煮 住注助驻祝 专砖 装庄 状撞 追 准 资姿 自字 总 走 足族 组祖 嘴 罪醉 左 尊
    班搬般斑 办半伴 包胞 保宝饱 报抱 北 背倍备被贝 本 比笔彼 必毕币闭壁避 边编 变便遍辨 标 表 宾 病 波播 步部布
    财才材裁 采彩踩 残 仓苍 草 层 查茶察 产铲 常尝肠 场厂 超抄 车 沉 吃 持池迟 冲充 虫 出初 处 楚储 窗
    床 吹 春 词辞慈 此 次刺 从丛 村 存 错措 达答 大 单担 但淡蛋 刀 导岛 德 灯登 等 低滴 底抵 第弟递帝
    店电殿 定订 东冬 动洞冻 斗 读毒独 度渡杜 短 断段 对队 多 额 而儿 二 发 法 番翻 反返 犯饭范 方芳
    房防 访仿 飞非 费肺废 分纷 份奋愤 风封丰峰 夫肤 服福浮扶符 府辅 父付妇附负富赴复 改 概盖 肝甘 感敢 刚钢
    哥歌割 个各 根跟 更 狗 够构购 姑孤 古谷鼓 故固顾 怪 关官观 管馆 光 广 规归 贵柜 国 果裹 过 海 汉汗
    好 号 合和河何荷盒核 黑 很 红洪宏 后候厚 呼忽 湖胡糊 户护互 花 化画话划 怀 环 换患 黄皇 回 会惠汇绘 婚
    活 火伙 或获货惑 机鸡积击基激 极急集及级即籍 几己 记计季寄纪技际继济 家加佳 假甲 价架嫁驾 间坚尖肩 减简检剪
    见建件健剑渐箭鉴 江将浆 讲奖 交郊骄胶 角脚 叫教较 接街阶 节结洁杰捷 解姐 界借介戒届 今金巾斤 紧锦仅 就救旧
    举 具句据巨剧拒 决绝 觉 军均君 开 看 考 空 口 苦 快块 宽 况矿 困 来 兰蓝篮 老 了 雷 类泪 冷
"""
_NOT = frozenset(
    "不没无非未否反别莫勿弃一二三四五六七八九十百千万亿两零半几或和及与且仅全均必他她它年月日时分秒元角块斤里度个几前后左右上下大小多少增减加长短高低"
)


def _partners() -> dict[str, str]:
    """Each character with the others of its row."""
    found: dict[str, str] = {}
    for row in _ROWS.split():
        kept = [one for one in row if one not in _NOT]
        for one in kept:
            found[one] = "".join(other for other in kept if other != one)
    return {one: others for one, others in found.items() if others}


PARTNERS = _partners()
_EVERY = 10
_CHARACTER = re.compile(f"[{''.join(sorted(PARTNERS))}]")


def homophones(text: str, language: str, draw: Random) -> str:
    """The Chinese text with some characters written as others of the same sound. `language` is not looked at."""
    del language
    text, taken = hidden.fixed(text)
    places = [match.start() for match in _CHARACTER.finditer(text)]
    if places:
        letters = list(text)
        for at in draw.sample(places, max(1, len(places) // _EVERY)):
            letters[at] = draw.choice(PARTNERS[letters[at]])
        text = "".join(letters)
    return hidden.shown(text, taken)
