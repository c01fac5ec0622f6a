"""Bad input in a process of its own: each kind is refused or read, and memory stays bounded (printed with `-s`)."""

import io
import json
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import openpyxl
import pytest

from linfen_water import tabular, workbook

ROOT = Path(__file__).parents[2]
MEBIBYTE = 1 << 20
LIMIT = 250  # MiB of the process that serves the page, and of the one that opens the file
READ = """
    from linfen_water.tabular import read_table
    from linfen_water.workbook import LARGEST, BadWorkbook
    try:
        with open(sys.argv[1], "rb") as file:
            said = [[[str(cell) for cell in row.cells] for row in sheet.rows] for sheet in read_table(file.read(LARGEST + 1))]
    except BadWorkbook as fault:
        said = str(fault)
"""
UPLOAD = """
    import os
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    django.setup()
    from django.core.handlers.wsgi import WSGIRequest
    from ledgers.views.intake import TableForm

    HEAD = b'--x\\r\\nContent-Disposition: form-data; name="file"; filename="big.xlsx"\\r\\n\\r\\n'
    FOOT = b"\\r\\n--x--\\r\\n"
    SIZE = 200 << 20

    class Body:
        sent = 0
        readline = None
        def read(self, size):
            at, self.sent = self.sent, min(self.sent + size, len(HEAD) + SIZE + len(FOOT))
            if at < len(HEAD):
                self.sent = len(HEAD)
                return HEAD
            if at < len(HEAD) + SIZE:
                self.sent = min(self.sent, len(HEAD) + SIZE)
                return bytes(self.sent - at)
            return FOOT[at - len(HEAD) - SIZE : self.sent - len(HEAD) - SIZE]

    length = str(len(HEAD) + SIZE + len(FOOT))
    environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": length, "wsgi.input": Body()}
    request = WSGIRequest(environ)
    said = TableForm(request.POST, request.FILES).errors["file"][0]
"""
COMMAND = """
    import os
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    django.setup()
    from pathlib import Path
    from ledgers.management.commands.import_ledger import Command
    from ledgers.registry import LEDGERS
    (fault,) = Command().outcome(LEDGERS["master"], Path(sys.argv[1]), False, "x").errors
    said = fault.reason
"""
TOLD = """
    import json, re, resource
    own = re.search("VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]  # since exec; ru_maxrss keeps what the parent had at fork
    peaks = [int(kib) // 1024 for kib in (own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)]
    print(json.dumps([said, peaks]))
"""


def run(script: str, path: Path | str = "") -> tuple[str | list, list[int]]:
    source = "import sys\n" + "".join(textwrap.dedent(part) for part in (script, TOLD))
    done = subprocess.run([sys.executable, "-c", source, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said, peaks = json.loads(done.stdout)
    return said, peaks


def saved(fill) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    fill(book.active)
    book.save(file)
    return file.getvalue()


def bomb() -> bytes:
    """400 KB that unpack to 400 MB."""
    whole, file = saved(lambda sheet: sheet.append(["编号"])), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != "xl/worksheets/sheet1.xml":
                new.writestr(name, old.read(name))
        with new.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(400):
                part.write(b"<r></r> " * (MEBIBYTE // 8))
    return file.getvalue()


def corner(sheet) -> None:
    sheet["A1"], sheet["XFD1048576"] = "编号", 1


def formulas(sheet) -> None:
    sheet.append(["编号", "总投资", "项目业主"])
    sheet.append(["LF-001", "#REF!", "=A1"])
    sheet["B2"].data_type = "e"


OLE = bytes.fromhex("D0CF11E0A1B11AE1")
HTML = "<html><table><tr><td>编号</td><td>总投资</td></tr><tr><td>LF-001</td><td>5</td></tr></table></html>"
CASES = [
    pytest.param(bomb, workbook.TOO_MUCH, id="压缩炸弹400MB"),
    pytest.param(lambda: saved(lambda sheet: sheet.append(["值"] * 16_384)), workbook.TOO_WIDE, id="16384列"),
    pytest.param(lambda: saved(corner), workbook.TOO_WIDE, id="最远角XFD1048576"),
    pytest.param(lambda: OLE + bytes(512) + "EncryptedPackage".encode("utf-16-le") + bytes(2000), workbook.OLD_OR_LOCKED, id="打开密码"),
    pytest.param(lambda: OLE + bytes(512) + "Workbook".encode("utf-16-le") + bytes(2000), workbook.OLD_OR_LOCKED, id="xls改名xlsx"),
    pytest.param(lambda: bytes.fromhex("0908100000060500") + bytes(2000), workbook.OLD_OR_LOCKED, id="裸BIFF"),
    pytest.param(HTML.encode, [[["编号", "总投资"], ["LF-001", "5"]]], id="HTML改名xls"),
    pytest.param(lambda: saved(formulas), [[["编号", "总投资", "项目业主"], ["LF-001", "#REF!", workbook.NOT_CALCULATED]]], id="公式和REF"),
    pytest.param(lambda: b"<html>" + b"<table><tr>" * 400_000, None, id="HTML嵌套4MB"),
    pytest.param(lambda: b"1," * (2 << 20), None, id="CSV一行四百万字"),
]


@pytest.mark.parametrize(("made", "said"), CASES)
def test_a_bad_file_is_answered_within_bounded_memory(made, said, tmp_path, request):
    path = tmp_path / "file"
    path.write_bytes(made())
    found, peaks = run(READ, path)
    print(f"{request.node.callspec.id}: 主进程 {peaks[0]} MB，读表进程 {peaks[1]} MB")
    assert said is None or found == said
    assert max(peaks) < LIMIT


def test_an_upload_of_200_mb_is_refused_on_the_page():
    found, peaks = run(UPLOAD)
    print(f"上传 200 MB：主进程 {peaks[0]} MB")
    assert (found, max(peaks) < LIMIT) == (tabular.TOO_LARGE, True)


def test_a_file_of_200_mb_is_refused_by_the_command(tmp_path):
    path = tmp_path / "big.xlsx"
    with path.open("wb") as file:
        file.truncate(200 * MEBIBYTE)
    found, peaks = run(COMMAND, path)
    print(f"命令 200 MB：主进程 {peaks[0]} MB")
    assert (found, max(peaks) < LIMIT) == (tabular.TOO_LARGE, True)
