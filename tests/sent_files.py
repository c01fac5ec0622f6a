"""Files that people send, good ones and such as harm; each is made here, none is kept in the repository."""

import io
import struct
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
