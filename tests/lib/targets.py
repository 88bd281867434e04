"""The files that tests need built, one a line: targets.py FOLDER [--no-suite SUITE]…"""
import json
import os
import subprocess
import sys


def introspect(folder, what):
    return json.loads(subprocess.run(["meson", "introspect", folder, what], check=True, capture_output=True).stdout)


def main():
    folder, left_out = sys.argv[1], set(sys.argv[3::2])
    needed = set()
    for test in introspect(folder, "--tests"):
        if not left_out & {suite.rpartition(":")[2] for suite in test["suite"]}:
            needed.update(test["depends"])
    for target in introspect(folder, "--targets"):
        if target["id"] in needed:
            print(*(os.path.relpath(name, folder) for name in target["filename"]), sep="\n")


main()
