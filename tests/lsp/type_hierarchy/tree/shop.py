class Base:
    pass


class Shop(Base):
    def sell(self):
        return 1


class Till(Shop):
    pass
