"""The ways in for values: files and the national feed are read here into a `Batch`; `recording` writes it down.

`read_file` finds out what a file is by its content. Whatever is wrong with a file as a whole is a `BadFile`, whatever is
wrong in a row is a `Fault` of the batch.
"""


class BadFile(ValueError):
    """The file cannot be read at all; the text is the Chinese sentence for the person."""
