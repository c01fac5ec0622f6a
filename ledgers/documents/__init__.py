"""Papers of the office in three steps, each testable alone: gather facts, put them into words, print the words."""


class DocumentFault(ValueError):
    """Why a paper cannot be made or issued; its text is the Chinese sentence for the person."""


class PrintFault(DocumentFault):
    """The paper could not be printed this time (time-out, no memory, no disk): trying again may help."""
