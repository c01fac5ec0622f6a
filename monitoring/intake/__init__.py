"""The ways in for values: files and the national feed are read here into a `Batch`; `recording` writes it down.

`read_file` finds out what a file is by its content. Whatever is wrong with a file as a whole is a `BadFile`, whatever is
wrong in a row is a `Fault` of the batch.
"""

from monitoring.intake.faults import BadFile
from monitoring.intake.tables import read_book, read_csv, read_file, read_paste, read_rows

__all__ = ["BadFile", "read_book", "read_csv", "read_file", "read_paste", "read_rows"]
