import asyncio

from shop.money import Amount
from shop.orders import Order, State

APPLE = Amount(50)


def test_cost():
    assert Order().add("apple", APPLE, 3).cost().cents == 150


def test_pay():
    assert asyncio.run(Order().pay()) is State.PAID
