"""Files that people send, good ones and such as harm; each is made here, none is kept in the repository."""

import io
import struct
import zipfile
import zlib

from PIL import ExifTags, Image

SITE = (111.5, 36.1)
EVIL = b"<html><script>alert(document.cookie)</script></html>"


def picture(size=(300, 200), kind="JPEG", *, mode="RGB", orientation=None, taken=None, offset=None, place=None, **options) -> bytes:
    """A picture whose upper left quarter is red; EXIF as asked for."""
    image = Image.new(mode, size, "white" if mode != "RGBA" else (0, 0, 0, 0))
    image.paste("red" if mode == "RGB" else (255, 0, 0, 255), (0, 0, size[0] // 2, size[1] // 2))
    exif = Image.Exif()
    if orientation:
        exif[ExifTags.Base.Orientation] = orientation
    if taken:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    if offset:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.OffsetTimeOriginal] = offset
    if place:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        for (value, sides), (part, ref) in zip(
            ((place[1], "NS"), (place[0], "EW")),
            ((ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef), (ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef)),
            strict=True,
        ):
            gps[part] = (abs(int(value)), int(abs(value) % 1 * 60), round(abs(value) * 60 % 1 * 60, 3))
            gps[ref] = sides[value < 0]
    target = io.BytesIO()
    image.save(target, kind, exif=exif, **options)
    return target.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


# ── PDF ──

PDF = b"%PDF-1.7\n1 0 obj\n<</Type /Catalog>>\nendobj\ntrailer <</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"


def pdf(*objects: bytes) -> bytes:
    """A PDF with more objects in it."""
    return PDF.replace(b"trailer", b"\n".join(b"%d 0 obj\n%s\nendobj" % (n, one) for n, one in enumerate(objects, 2)) + b"\ntrailer")


def packed(about: bytes, objects: bytes) -> bytes:
    """An object stream: what most programs write objects into."""
    data = zlib.compress(objects)
    return b"<</Type /%s /N 1 /First 4 /Filter /FlateDecode /Length %d>>\nstream\n%s\nendstream" % (about, len(data), data)


SCRIPT = b"<</S /JavaScript /JS (app.alert\\(1\\))>>"
PDF_WITH_SCRIPT = pdf(SCRIPT)
PDF_SCRIPT_SPELLED = pdf(SCRIPT.replace(b"JavaScript", b"J#61va#53cript"))
PDF_SCRIPT_PACKED = pdf(packed(b"ObjStm", b"3 0 " + SCRIPT))
_TWICE = zlib.compress(zlib.compress(b"3 0 " + SCRIPT))
PDF_SCRIPT_PACKED_TWICE = pdf(b"<</Type /ObjStm /N 1 /First 4 /Filter [/FlateDecode /FlateDecode]>>\nstream\n" + _TWICE + b"\nendstream")
_HIDDEN = packed(b"ObjStm % stream\n", b"3 0 " + SCRIPT)
PDF_SCRIPT_BEHIND_A_COMMENT = pdf(_HIDDEN)
PDF_SCRIPT_BEHIND_A_STRING = pdf(_HIDDEN.replace(b"% stream\n", b"/X (stream\n)"))
PDF_LAUNCH = pdf(b"<</S /Launch /F (cmd.exe)>>")
PDF_WITH_FILE = pdf(b"<</Type /Filespec /EF <</F 9 0 R>>>>", b"<</Type /EmbeddedFile>>\nstream\nMZ\nendstream")
PDF_LOCKED = pdf(packed(b"ObjStm", b"3 0 null").replace(b"stream\nx", b"stream\n\xff", 1))
PDF_PACKED = pdf(packed(b"ObjStm", b"3 0 <</Type /Page>>"))


# ── Office ──

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
MACRO_WORD = "application/vnd.ms-word.document.macroEnabled.main+xml"
MACRO_SHEET = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
RELS = "word/_rels/settings.xml.rels"


def package(parts: dict[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return file.getvalue()


def office(main: str, kind: str, more: dict[str, bytes | str] | None = None) -> bytes:
    """An Office file whose main part has the content type `kind`."""
    types = f'<Types><Override PartName="/{main}" ContentType="{kind}"/></Types>'
    return package({"[Content_Types].xml": types, main: "<x/>", **(more or {})})


def docx(more: dict[str, bytes | str] | None = None, kind: str = WORD) -> bytes:
    return office("word/document.xml", kind, more)


def xlsx(more: dict[str, bytes | str] | None = None, kind: str = SHEET) -> bytes:
    return office("xl/workbook.xml", kind, more)


def docx_loading(kind: str, target: str) -> bytes:
    """A document that refers to something of `kind` at `target`."""
    link = f'<Relationships><Relationship Id="r1" Type="http://x/{kind}" Target="{target}" TargetMode="External"/></Relationships>'
    return docx({RELS: link})


def docx_hiding() -> bytes:
    """A remote template behind a `>` inside an attribute, which a reader of text takes for the end."""
    link = '<Relationship xmlns:a="&gt;>" Id="r1" Type="http://x/attachedTemplate" Target="http://x/a.dotm" TargetMode="External"/>'
    return docx({RELS: f"<Relationships>{link}</Relationships>"})


def docx_with_entities() -> bytes:
    return docx({RELS: '<!DOCTYPE r [<!ENTITY a "http://x/a.dotm">]><Relationships/>'})


def grey_of_16_bits(value: int) -> bytes:
    file = io.BytesIO()
    Image.new("I;16", (40, 30), value).save(file, "PNG")
    return file.getvalue()


def zip_bomb() -> bytes:
    """100 KB that unpack to 110 MB."""
    return docx({"word/media/x.xml": bytes(110 << 20)})


def zip_liar() -> bytes:
    """A document whose part says that it is small and is not."""
    data = bytearray(docx({"word/media/x.xml": bytes(1 << 20)}))
    at = data.rfind(b"PK\x01\x02")  # its line in the directory
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    return bytes(data)


# ── Pictures ──

XMP = b"<x:xmpmeta>GPSLatitude 36.1</x:xmpmeta>"


def jpeg_with_everything() -> bytes:
    """A photo with place, time, comment, XMP, and a page, a zip and a script behind its end."""
    data = picture(place=SITE, taken="2025:02:19 15:30:00", comment=EVIL, orientation=6)
    xmp = b"http://ns.adobe.com/xap/1.0/\0" + XMP
    part = b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp
    return data[:2] + part + data[2:] + EVIL + package({"a.js": b"alert(1)"})


def png_with_text() -> bytes:
    """A PNG with a page in a text chunk."""
    text = b"Comment\0" + EVIL
    chunk = struct.pack(">I", len(text)) + b"tEXt" + text + struct.pack(">I", zlib.crc32(b"tEXt" + text))
    data = picture(kind="PNG")
    return data[:33] + chunk + data[33:] + EVIL


GIF_JS = b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)//"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
