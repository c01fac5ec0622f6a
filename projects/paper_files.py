"""PDF and Office files (附件) judged by their structure: whole, of the kind they say, nothing that runs or is fetched on opening.

Objects inside an Office file are left in it (equations are such); DDE fields are not looked for. Nothing is taken out of such
a file: it is kept as it was sent, or refused. `Unfit` says the rest of a sentence that begins with the name.
"""

import io
import re
import zipfile
import zlib
from xml.etree import ElementTree

from linfen_water.sent_files import Unfit

# ── PDF ──

PDF_END = b"%%EOF"
BLANK = b"\0\t\n\f\r "  # what PDF calls white space
AGAIN_AS_PDF = "请用 PDF 阅读器打开，“打印为 PDF”成新的文件后上传"
MOST_OBJECT_STREAMS = 2_000
MOST_OBJECTS = 32 << 20  # bytes of all objects that are packed in streams
CHUNK = 1 << 16


def _name(word: str) -> bytes:
    """Pattern of a PDF name in every spelling: `/J#61vaScript` is `/JavaScript`."""
    return b"/" + b"".join(b"(?:%c|#(?i:%02x))" % (code, code) for code in word.encode())


RUNNING = {
    "脚本": re.compile(_name("JavaScript")),
    "会启动程序的动作": re.compile(_name("Launch")),
    "嵌入的文件": re.compile(_name("EmbeddedFile") + b"|" + _name("FileAttachment")),
    "多媒体": re.compile(_name("RichMedia")),
}
OBJECT_STREAM = re.compile(_name("ObjStm"))
ODD_PACKING = re.compile(b"|".join(map(_name, ("Predictor", "ASCIIHexDecode", "ASCII85Decode", "LZWDecode", "RunLengthDecode", "Crypt"))))


def judge_pdf(data: bytes) -> None:
    """Unfit for what is cut off, has something behind its end, is a zip as well, or runs something."""
    if PDF_END not in data[-2048:]:
        raise Unfit("不完整（缺少结尾）：请重新导出或重新下载后上传")
    if not data.rstrip(BLANK).endswith(PDF_END) or _opens_as_zip(data):
        raise Unfit(f"里面还夹带了别的内容：{AGAIN_AS_PDF}")
    for part in (data, *_packed_objects(data)):
        for what, pattern in RUNNING.items():
            if pattern.search(part):
                raise Unfit(f"含有{what}，为安全不收：{AGAIN_AS_PDF}")


def _opens_as_zip(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return bool(package.namelist())
    except Exception:  # no zip is what is hoped for
        return False


def _packed_objects(data: bytes) -> list[bytes]:
    """What its object streams hold, unpacked; Unfit for what cannot be looked into."""
    found: list[bytes] = []
    left, at = MOST_OBJECTS, 0
    while match := OBJECT_STREAM.search(data, at):
        at = match.end()
        start = data.find(b"stream", at)
        if start < 0:
            break
        # its head holds names and numbers only: a comment or a string could say `stream` before the stream begins
        about = data[max(data.rfind(b"obj", max(0, match.start() - 4096), match.start()), 0) : start]
        at = start + len(b"stream")
        at += 2 if data[at : at + 2] == b"\r\n" else 1
        if ODD_PACKING.search(about) or b"%" in about or b"(" in about or about.count(b"FlateDecode") > 1:
            raise Unfit(f"的内容用了这里检查不了的压缩方式：{AGAIN_AS_PDF}")
        if b"#" not in about and b"/Filter" not in about:
            continue  # not packed: looked at with the rest
        part, at = _inflated(data, at, left)
        found.append(part)
        left -= len(part)
        if left <= 0 or len(found) > MOST_OBJECT_STREAMS:
            raise Unfit(f"展开后内容过多：{AGAIN_AS_PDF}")
    return found


def _inflated(data: bytes, at: int, most: int) -> tuple[bytes, int]:
    """(what the stream at `at` holds, where it ends)."""
    reader, parts, size = zlib.decompressobj(), [], 0
    try:
        while not reader.eof and at < len(data) and size < most:
            chunk = reader.unconsumed_tail or data[at : at + CHUNK]
            at += 0 if reader.unconsumed_tail else len(chunk)
            parts.append(reader.decompress(chunk, most - size))
            size += len(parts[-1])
    except zlib.error:
        raise Unfit(f"加了密码或已损坏，检查不了：请去掉密码，或{AGAIN_AS_PDF.removeprefix('请')}") from None
    return b"".join(parts), at - len(reader.unused_data)


# ── Office ──

MAIN = {  # content type of the main part
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}
TYPES = "[Content_Types].xml"
OFD = "OFD.xml"
PARTS = 3_000
UNPACKED = 100 << 20  # bytes of all that is in it
RATIO, LITTLE = 150, 10 << 20  # what it may grow; below so many bytes no matter
READ = 1 << 20  # bytes of a part that is looked into
END_RECORD = 22  # bytes of the zip's end, when no comment follows
USUAL = {".docx": "word/document.xml", ".xlsx": "xl/workbook.xml"}  # the main part, where its type is said of all parts
SAYS = ("Default", "Override", "Relationship")  # elements of the lists of parts and relationships
ON_THIS_COMPUTER = re.compile(r"(?:file:/*)?[a-z]:/")
AGAIN_AS_OFFICE = "请用 Word、Excel 或 WPS 打开，另存为新的 DOCX 或 XLSX，或导出 PDF 后上传"


def judge_office(data: bytes) -> str:
    """`.docx` or `.xlsx`, by the content type of its main part; Unfit for any other package and what is wrong with this one."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return _judge_package(package, data)
    except Unfit:
        raise
    except Exception:  # whatever a broken file makes of the reader
        raise Unfit(f"不完整或已损坏：{AGAIN_AS_OFFICE}") from None


def _judge_package(package: zipfile.ZipFile, data: bytes) -> str:
    parts = package.infolist()
    names = {part.filename for part in parts}
    _judge_size(parts, len(data))
    if any(part.flag_bits & 1 for part in parts):
        raise Unfit("加了密码，打不开：请去掉密码后上传")
    if TYPES not in names:
        raise Unfit("是 OFD 文件：请用阅读器另存（打印）为 PDF 后上传" if OFD in names else "是压缩包：请解压后逐个上传")
    types = _said(package, TYPES)
    _judge_macros(names, types)
    kind = _kind(types, names)
    if data[-END_RECORD:][:4] != b"PK\x05\x06" or min(part.header_offset for part in parts) or len(names) < len(parts):
        raise Unfit(f"里面还夹带了别的内容：{AGAIN_AS_OFFICE}")
    for part in parts:
        _look_through(package, part)
    return kind


def _judge_size(parts: list[zipfile.ZipInfo], size: int) -> None:
    """By what the package says of itself; a part that is larger than it says breaks off while it is read."""
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > PARTS or unpacked > UNPACKED or unpacked > max(LITTLE, RATIO * size):
        raise Unfit(f"展开后有 {unpacked >> 20} MB、{len(parts)} 个部分，过大：请删去不需要的内容，或导出 PDF 后上传")


def _judge_macros(names: set[str], types: list[dict[str, str]]) -> None:
    told = [text.lower() for text in (*names, *(value for said in types for value in said.values()))]
    if any(word in text for text in told for word in ("macroenabled", "vbaproject", "vbadata")):
        raise Unfit("带有宏，为安全不收：请另存为不带宏的 DOCX 或 XLSX，或导出 PDF 后上传")
    if any("activex" in text for text in told):
        raise Unfit("带有 ActiveX 控件，为安全不收：请导出 PDF 后上传")


def _kind(types: list[dict[str, str]], names: set[str]) -> str:
    found = [(suffix, said) for said in types for suffix, main in MAIN.items() if said.get("ContentType") == main]
    if len(found) != 1:
        raise Unfit("不是 DOCX、XLSX（可能是模板、演示文稿或别的文件）：请导出 PDF 后上传")
    suffix, said = found[0]
    if said.get("PartName", f"/{USUAL[suffix]}").removeprefix("/") not in names:
        raise Unfit(f"缺少正文，不完整：{AGAIN_AS_OFFICE}")
    return suffix


def _look_through(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Read it to its end, which tells a damaged one; nothing in it may be fetched from elsewhere when it is opened."""
    if part.filename.lower().endswith(".rels"):
        if any(map(_is_fetched, _said(package, part.filename))):
            raise Unfit(f"打开时会从网上或别的电脑读取模板、图片或对象，为安全不收：{AGAIN_AS_OFFICE}")
        return
    with package.open(part) as file:
        while file.read(CHUNK):
            pass


def _is_fetched(said: dict[str, str]) -> bool:
    """Whether a relationship leads away from this computer by itself: a link that a person clicks does not."""
    if said.get("TargetMode", "").lower() != "external" or said.get("Type", "").endswith("/hyperlink"):
        return False
    target = said.get("Target", "").strip().lower().replace("\\", "/")
    if ON_THIS_COMPUTER.match(target):
        return False
    return target.startswith("//") or ":" in target.partition("/")[0]


def _said(package: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    """The attributes of what a list of parts or relationships says; entities of its own are not read."""
    if package.getinfo(name).file_size > READ:
        raise Unfit(f"内部目录过大：{AGAIN_AS_OFFICE}")
    data = package.read(name)
    if b"<!" in data.replace(b"\0", b"").replace(b"<!--", b""):
        raise Unfit(f"内部目录不合规范：{AGAIN_AS_OFFICE}")
    root = ElementTree.fromstring(data)  # noqa: S314 - small, and without a DOCTYPE there are no entities to expand
    return [element.attrib for element in root.iter() if element.tag.rpartition("}")[2] in SAYS]
