"""Which family of models is for what, as data: what it gives out, what trains it, what it costs, and the step that makes it."""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("en", "zh")
COLUMNS = ("family", "purpose", "objective", "gives", "cost", "step")
HEADS = {
    "en": ("family", "what it is for", "what trains it", "what it gives out", "what it costs", "step"),
    "zh": ("模型族", "用途", "训练目标", "输出", "代价", "步骤"),
}


@dataclass(frozen=True)
class Family:
    """One family. Each text is given in English and Chinese; `step` is the recipe's step with the kind it takes."""

    family: str
    purpose: tuple[str, str]
    objective: tuple[str, str]
    gives: tuple[str, str]
    cost: tuple[str, str]
    step: str

    def row(self, language: str) -> dict[str, str]:
        """Column to text in a language of `LANGUAGES`."""
        at = LANGUAGES.index(language)
        texts = {name: getattr(self, name) for name in COLUMNS}
        return {name: text if isinstance(text, str) else text[at] for name, text in texts.items()}


_NEXT = ("the next token of a text", "预测文本的下一个词元")
_TEXT = ("text, token by token", "逐词元生成文本")

FAMILIES = (
    Family(
        "BERT",
        ("classify, tag, search: read a text whole", "分类、标注、检索：通读整段文本"),
        ("masked tokens", "还原被遮盖的词元"),
        ("a vector for each token", "每个词元一个向量"),
        ("one pass a text; attention grows with the square of its length", "每段文本计算一遍；注意力随长度平方增长"),
        "model.encoder kind=bert",
    ),
    Family(
        "ModernBERT",
        ("the same, on longer texts", "同上，适合更长的文本"),
        ("masked tokens", "还原被遮盖的词元"),
        ("a vector for each token", "每个词元一个向量"),
        ("one pass a text; two layers of three see a window only", "每段文本计算一遍；三层中有两层只看窗口内"),
        "model.encoder kind=modernbert",
    ),
    Family(
        "GPT",
        ("write; the plain form, widely understood", "写作；最朴素、资料最多的形式"),
        _NEXT,
        _TEXT,
        ("a pass for each token; no text beyond its table of positions", "每个词元计算一遍；长度不能超出位置表"),
        "model.decoder kind=gpt",
    ),
    Family(
        "Llama",
        ("write, answer, chat; exported to GGUF", "写作、问答、对话；可导出为 GGUF"),
        _NEXT,
        _TEXT,
        ("a pass for each token; shared key heads make the cache small", "每个词元计算一遍；共享键值头使缓存变小"),
        "model.decoder kind=llama",
    ),
    Family(
        "Qwen",
        ("the same; normed queries and keys keep training calm", "同上；查询和键经归一化，训练更稳"),
        _NEXT,
        _TEXT,
        ("as Llama, and two small norms a layer", "与 Llama 相同，每层另有两个小的归一化"),
        "model.decoder kind=qwen",
    ),
    Family(
        "MoE",
        ("know more at the same speed", "速度不变而容量更大"),
        _NEXT,
        _TEXT,
        ("memory of all experts, operations of those that a token asks", "内存按全部专家计，运算只按所选专家计"),
        "model.decoder kind=moe",
    ),
    Family(
        "T5",
        ("turn a text into another: translate, summarise, extract", "由文本到文本：翻译、摘要、抽取"),
        ("hidden spans, each named by a sentinel", "还原以哨兵标记的片段"),
        ("another text", "另一段文本"),
        ("the source is read once, then a pass for each token written", "原文只读一遍，之后每写一个词元计算一遍"),
        "model.encoder_decoder kind=t5",
    ),
    Family(
        "BART",
        ("the same, where the whole text is written again", "同上，适合重写整段文本"),
        ("the whole text from one with masked spans", "由片段被遮盖的文本还原全文"),
        ("another text", "另一段文本"),
        ("as T5; targets in training are as long as the text", "与 T5 相同；训练时目标与原文等长"),
        "model.encoder_decoder kind=bart",
    ),
    Family(
        "Whisper",
        ("write down speech", "语音转写"),
        ("the words spoken, after the sound", "给定声音，预测所说的文字"),
        ("text", "文本"),
        ("a fixed pass for each stretch of sound, then one for each token", "每段声音固定计算一遍，之后每个词元一遍"),
        "model.speech",
    ),
    Family(
        "DALL-E",
        ("draw what a text says, code by code", "按文字逐个编码作画"),
        ("first the codes of pictures, then the next code after a text", "先学图像编码，再在文本之后预测下一个编码"),
        ("a picture", "图像"),
        ("a pass for each code of the picture", "图像的每个编码计算一遍"),
        "model.image kind=tokens",
    ),
    Family(
        "Stable Diffusion",
        ("draw what a text says, from noise", "按文字由噪声作画"),
        ("the noise in a picture's latent", "预测图像隐变量中的噪声"),
        ("a picture", "图像"),
        ("a pass over the whole latent for each step of removing noise", "每个去噪步骤在整个隐变量上计算一遍"),
        "model.image kind=diffusion",
    ),
)


def rows(language: str) -> list[dict[str, str]]:
    """The table in a language of `LANGUAGES`."""
    return [family.row(language) for family in FAMILIES]
