from garden.plants import Plant, tallest


class Bed:
    """A row of plants."""

    def __init__(self, width):
        self.width = width
        self.plants = []

    def plant(self, name, days):
        """Adds one; returns it."""
        plant = Plant(name, days)
        self.plants.append(plant)
        return plant

    def highest(self, day):
        return tallest(self.plants, day)


def make_beds(count):
    """Beds of the usual width."""

    def make(_):
        return Bed(120)

    return [make(i) for i in range(count)]
