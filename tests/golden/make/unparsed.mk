ifdef X
all: b

b:
	foo $(
	a b: c
else
endif endif )
up down: c
