"""What is wrong with a file as a whole; what is wrong in a row is a `samples.Fault`."""


class BadFile(ValueError):
    """The file cannot be read at all; the text is the Chinese sentence for the person."""
