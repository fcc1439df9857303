"""A name that no table knows: the message says where to add it."""

from collections.abc import Iterable


class UnknownNameError(KeyError):
    """A name without a row in one of the book's tables.

    Parameters
    ----------
    what : str
        What was looked up: ``"theory"``.
    name : str
        The name that came.
    known : iterable of str
        The names that there are.
    where : str
        The file, and what to add there.
    """

    def __init__(self, what: str, name: object, known: Iterable[str], where: str) -> None:
        names = ", ".join(known)
        super().__init__(f"{what}: expected one of {names}; got {name!r}. A new one: {where}")

    def __str__(self) -> str:
        return self.args[0]  # KeyError would put it in quotes
