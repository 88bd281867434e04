"""Amounts of money, exact to the cent."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable

CENTS = 100
Währung = str


@dataclass(frozen=True)
class Amount:
    """So many cents of a currency."""

    cents: int
    currency: Währung = "EUR"

    def __add__(self, other: Amount) -> Amount:
        self.check(other)
        return Amount(self.cents + other.cents, self.currency)

    def check(self, other: Amount) -> None:
        """Raises when the currencies differ."""
        if other.currency != self.currency:
            raise MixedCurrencies(self, other)

    @property
    def text(self) -> str:
        return f"{self.cents // CENTS}.{self.cents % CENTS:02} {self.currency}"

    @classmethod
    def parse(cls, text: str) -> Amount:
        number, _, currency = text.partition(" ")
        return cls(round(float(number) * CENTS), currency or "EUR")


class MixedCurrencies(ValueError):
    def __init__(self, left: Amount, right: Amount) -> None:
        super().__init__(f"{left.text} and {right.text}")
        self.left = left
        self.right = right


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum of all; nothing at all is no euros."""
    sum_ = Amount(0)
    for amount in amounts:
        sum_ = sum_ + amount
    return sum_
