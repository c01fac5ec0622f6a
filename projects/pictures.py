"""Pictures made over (照片、图片附件): what is kept is drawn anew from the pixels, so that nothing else of the sent file is ever served."""

import contextlib
import io
from collections.abc import Iterator

from PIL import Image, ImageCms, ImageOps

from linfen_water.sent_files import Unfit, quoted

FORMATS = ("JPEG", "PNG", "WEBP")  # a picture of several (MPO) is read as the JPEG that it begins with
MOST_PIXELS = 80_000_000
MOST_PIXELS_WHOLE = MOST_PIXELS // 2  # of kinds that cannot be read smaller than they are
QUALITY = 85

OTHER_KINDS = (
    (b"<svg", "是 SVG 图形，不是照片"),
    (b"%PDF-", "是 PDF：请在附件里上传，照片只收 JPG、PNG、WEBP"),
    (b"GIF8", "是 GIF 动图：请换成 JPG 或 PNG"),
    (b"PK\x03\x04", "是压缩包或办公文件：请解压后上传照片"),
    (b"BM", "是 BMP：请另存为 JPG 再上传"),
)
APPLE = "是 HEIC 格式，这里读不了：请在苹果手机“设置-相机-格式”里选“兼容性最佳”重拍，或把照片用微信发给自己、截图后再上传"
DAMAGED = "不完整或已损坏：请重新拍摄，或在手机上打开确认后重新选择"


def is_picture(data: bytes) -> bool:
    """Whether it begins as a picture of a kind that is taken."""
    return data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (data.startswith(b"RIFF") and data[8:12] == b"WEBP")


def is_apple(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


@contextlib.contextmanager
def reading(name: str, data: bytes, *, smallest_side: int = 1) -> Iterator[Image.Image]:
    """The picture opened; whatever is wrong with it, here or while it is read, becomes Unfit with how to mend it."""
    shown = quoted(name)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _judge_size(picture, shown, smallest_side)
            yield picture
    except Unfit:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unfit(f"{shown}的像素过多，打不开：请把相机的分辨率调低后重拍。") from None
    except Image.UnidentifiedImageError:
        raise Unfit(f"{shown}{_other_kind(data)}。") from None
    except Exception:  # whatever a broken file makes of the reader
        raise Unfit(f"{shown}{DAMAGED}。") from None


def _judge_size(picture: Image.Image, shown: str, smallest_side: int) -> None:
    width, height = picture.size
    most = MOST_PIXELS if picture.format in ("JPEG", "MPO") else MOST_PIXELS_WHOLE
    if width * height > most:
        raise Unfit(f"{shown}有 {width}×{height} 像素，超过 {most // 10_000} 万：请把相机的分辨率调低后重拍。")
    if min(width, height) < smallest_side:
        raise Unfit(f"{shown}只有 {width}×{height} 像素，太小看不清：请上传原照片。")


def _other_kind(data: bytes) -> str:
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if is_picture(data):
        return DAMAGED
    if is_apple(data):
        return APPLE
    if data[4:8] == b"ftyp":
        return "是视频或这里读不了的图片格式：照片只收 JPG、PNG、WEBP"
    if b"<svg" in data[:1024].lower():
        return OTHER_KINDS[0][1]
    return next((words for mark, words in OTHER_KINDS if head.startswith(mark)), "不是照片：只收 JPG、PNG、WEBP")


def made_over(picture: Image.Image, long_side: int) -> Image.Image:
    """The picture turned upright, no larger than `long_side`, without anything but its pixels."""
    picture.draft("RGB", (long_side, long_side))  # a JPEG is read no larger than it is needed
    upright = _as_rgb(ImageOps.exif_transpose(picture))
    upright.thumbnail((long_side, long_side))
    return upright


def _as_rgb(picture: Image.Image) -> Image.Image:
    """In sRGB, on white where it was transparent, without a profile of its own."""
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK"):
        with contextlib.suppress(Exception):  # a broken profile is left aside
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            picture = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    if picture.mode.startswith("I"):  # 16 bits of grey: Pillow would cut everything above 255 to white
        picture = picture.convert("I").point(lambda value: value / 256 + 0).convert("L")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        above = picture.convert("RGBA")
        ground = Image.new("RGBA", above.size, "white")
        picture = Image.alpha_composite(ground, above)
    plain = Image.new("RGB", picture.size)  # a new one: no comment, no EXIF, no profile comes along
    plain.paste(picture.convert("RGB"))
    return plain


def encoded(picture: Image.Image, quality: int = QUALITY) -> bytes:
    """As a JPEG."""
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=quality, optimize=True, progressive=True)
    return target.getvalue()
