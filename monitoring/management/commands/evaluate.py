"""Judge a CSV of values: `evaluate values.csv > classes.csv`."""

import csv
import os
import sys
from argparse import RawDescriptionHelpFormatter
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from monitoring import limits
from monitoring.evaluation import HEADER, Evaluation, read_lines

WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx, .xls

HELP = """按 GB 3838-2002 逐行评价水质，结果以 CSV 写到标准输出，一行对一行，顺序不变，数值不修约。

输入（UTF-8 或 GBK 的 CSV，第一行是列名）
  water_body   river（河流，不填时）或 lake（湖库）
  其余各列     指标代号：{keys}
               也可写中文名称，如 氨氮、总磷。不认识的列不参评，在标准错误中提示。
  单元格       数值（单位同标准：mg/L，pH 无量纲）
               *            未监测：这一项不参评（没有这一列也一样）
               -- 或空      缺测：本行不定类别
               <0.05、0.05L 低于检出限：按检出限的一半评价

输出
  class            Ⅰ Ⅱ Ⅲ Ⅳ Ⅴ 劣Ⅴ；缺测或没有可评的指标时为空
  rating           优、良好、轻度污染、中度污染、重度污染
  deciding_items   定类指标：与断面同类别的指标，以、相连
  main_pollutants  主要污染物：劣于Ⅲ类时，最多三项，括号内为超Ⅲ类标准的倍数，如 氟化物(0.6)、化学需氧量(0.8)
                   pH值、溶解氧没有倍数；氰化物和重金属超标时排在最前
  error            读不懂的格：哪一列、什么值、怎样改。这一项不参评，类别只按其余指标评定（句末写明）；
                   其他行照常评价

水温、总氮、粪大肠菌群和表2各项不参评。空行不算一行。有错的格不影响退出码（0）；文件读不了时为1。"""


class Command(BaseCommand):
    help = HELP.format(keys=" ".join(limits.table().order))
    requires_system_checks = []

    def create_parser(self, *args, **options):
        parser = super().create_parser(*args, **options)
        parser.formatter_class = type("Formatter", (RawDescriptionHelpFormatter, parser.formatter_class), {})
        return parser

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, metavar="FILE.csv", help="要评价的 CSV 文件")
        parser.add_argument("--keys", action="store_true", help="结果中的指标写代号（nh3n），不写中文名称")

    def handle(self, *, file: Path, keys: bool, **options):
        try:
            with file.open("rb") as stream:
                if stream.peek(4)[:4] in WORKBOOKS:
                    raise CommandError(f"“{file}”是 Excel 工作簿：请另存为 CSV 再评价。")
                self.write(Evaluation(read_lines(stream), limits.table(), str if keys else None))
        except BrokenPipeError:  # the reader (`| head`) has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except FileNotFoundError:
            raise CommandError(f"没有这个文件：“{file}”。") from None
        except IsADirectoryError:
            raise CommandError(f"“{file}”是文件夹：请指定其中的一个 CSV 文件。") from None
        except PermissionError:
            raise CommandError(f"没有权限读取文件“{file}”。") from None
        except OSError as fault:
            raise CommandError(f"读不了文件“{file}”：{fault.strerror or fault}") from None

    def write(self, evaluation: Evaluation) -> None:
        if hasattr(self.stdout, "reconfigure"):
            self.stdout.reconfigure(encoding="utf-8")  # Ⅰ to 劣Ⅴ whatever the machine's locale
        for note in evaluation.notes():
            self.stderr.write(f"提示：{note}")
        out = csv.writer(self.stdout, lineterminator="\n")
        out.writerow(HEADER)
        out.writerows(evaluation)
