"""Tables in which a name that is missing says where to add it."""

from collections.abc import Iterable, Mapping
from typing import NoReturn, TypeVar

T = TypeVar("T")


class UnknownNameError(KeyError):
    """A name without a row in one of the book's tables.

    Parameters
    ----------
    what : str
        What was looked up: ``"theory"``.
    name : object
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


class Table(dict[str, T]):
    """A dictionary whose `KeyError` says where to add the row.

    Parameters
    ----------
    what : str
        What a row is: ``"exercise"``.
    where : str
        The file, and what to add there.
    rows : mapping of str
    """

    def __init__(self, what: str, where: str, rows: Mapping[str, T]) -> None:
        super().__init__(rows)
        self.what, self.where = what, where

    def __missing__(self, name: str) -> NoReturn:
        raise UnknownNameError(self.what, name, self, self.where)
