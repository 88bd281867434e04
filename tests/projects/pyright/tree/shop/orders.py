"""Orders and what they cost."""
import asyncio
from enum import Enum

from .money import Amount, total


class State(Enum):
    OPEN = "open"
    PAID = "paid"


class Order:
    """What somebody wants."""

    next_number = 1

    class Line:
        def __init__(self, name: str, price: Amount, count: int = 1):
            self.name = name
            self.price = price
            self.count = count

        def cost(self) -> Amount:
            return total([self.price] * self.count)

    def __init__(self) -> None:
        self.lines: list[Order.Line] = []
        self.state = State.OPEN
        self.number = Order.next_number
        Order.next_number += 1

    def add(self, name: str, price: Amount, count: int = 1) -> "Order":
        self.lines.append(Order.Line(name, price, count))
        return self

    def cost(self) -> Amount:
        return total(line.cost() for line in self.lines)

    async def pay(self, wait_s: float = 0.0) -> State:
        def settle() -> State:
            self.state = State.PAID
            return self.state

        await asyncio.sleep(wait_s)
        return settle()


def größte(orders: list[Order]) -> Order:
    return max(orders, key=lambda order: order.cost().cents)
