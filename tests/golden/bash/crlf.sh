#!/bin/sh
# Carriage returns.
first() {
    second "$1"
}

NAME=value
second() { echo "$NAME"; }
