# Doc.
A = 1

all: b
	cc

ifdef X
b:
	echo
