#!/usr/bin/env python3
"""A shop: the module's docstring is nobody's in particular."""
from __future__ import annotations

import os.path, sys as system
from . import prices
from .stock.items import Item as StockItem, count

MAX_ITEMS = 10
_CACHE: dict[str, int] = {
    "a": 1,
}
name, (first, *rest) = "shop", (1, 2, 3)
total = subtotal = 0
total = total + 1  # assigned anew, not defined
type Price = int | float


# Says hello.
# On two lines.
def hello(who: str = "you", *args: int, **kwargs) -> str:  # trailing
    greeting = f"hello {who}"

    def inner(x):
        r'''Raw inner.'''
        return x

    return inner(greeting)


class Shop(Base, metaclass=Meta):
    """A shop.

    It sells:
        things
    """

    open = True
    LIMIT: int = 3
    label: str

    def __init__(self, owner):
        self.owner = owner

    @property
    def size(self) -> int:
        return len(self.items)

    # Decorated, with a comment above.
    @staticmethod
    @cache(maxsize=None)
    async def fetch(url: str, *, retries: int = 3) -> bytes:
        """Fetch it."""
        return await get(url)

    class Shelf:
        "One-line class doc."

        def put(self, item): self.item = item

    if sys.platform == "win32":
        def close(self): pass


def __init__(): "A function, for it is in no class."


def undocumented[T](
    a: T,  # first
    b: T,
) -> T:
    # A comment does not hinder it:
    "The docstring."
    return a


if __name__ == "__main__":
    main = hello()
    lambda x: x

größe = 1; naïve = lambda: "🎉"; last = 2


type Pairs[T] = list[tuple[T, T]]
