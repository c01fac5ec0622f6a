"""Papers of the office in three steps, each testable alone: gather facts, put them into words, print the words."""


class DocumentFault(ValueError):
    """Why a paper cannot be made or issued; its text is the Chinese sentence for the person."""
