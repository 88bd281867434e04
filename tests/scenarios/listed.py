"""Every file of scenarios is a test: listed.py FOLDER NAMES…"""
import os
import sys

files = {name[:-5] for name in os.listdir(sys.argv[1]) if name.endswith(".json")}
wrong = sorted(files ^ set(sys.argv[2:]))
print("1..1")
print(f"{'not ok' if wrong else 'ok'} 1 - all scenarios are run")
for name in wrong:
    print(f"# {name} is not both a file and a name in meson.build")
sys.exit(bool(wrong))
