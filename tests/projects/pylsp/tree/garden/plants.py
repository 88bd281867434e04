"""What grows."""
import math

DAYS_OF_A_YEAR = 365


class Plant:
    """Grows and bears fruit."""

    def __init__(self, name, days):
        self.name = name
        self.days = days

    def height(self, day):
        """Centimetres at that day."""
        return 100 * min(1.0, day / self.days)

    def ist_süß(self):
        """Whether children like it."""
        return False


class Tree(Plant):
    """A plant of many years."""

    class Ring:
        """Of one year."""

        def __init__(self, width):
            self.width = width

        def area(self, radius):
            """Seen from above."""
            return math.pi * ((radius + self.width) ** 2 - radius**2)

    def rings(self, day):
        """One for each year."""
        return [Tree.Ring(1) for _ in range(day // DAYS_OF_A_YEAR)]

    def ist_süß(self):
        return self.name == "Kirsche"


def tallest(plants, day):
    """The one that is highest at that day."""
    return max(plants, key=lambda plant: plant.height(day))
