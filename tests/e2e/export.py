"""The tags file of an index, as readtags and Vim read it."""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import trees  # noqa: E402
from tap import case, equal, main  # noqa: E402

ODD = """class Tab:
    def run(self, a, b='\\t(\\\\'):
        return a

def \u0444\u0443\u043d\u043a\u0446\u0438\u044f(x): pass
"""


def tags_of(house):
    house.index()
    text = house.gloss("export", "--format", "ctags").ok().out
    return text, house.write("tags", text)


def readtags(path, *args):
    done = subprocess.run(["readtags", "-t", path, *args], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@case("every entity is a line, in byte order, under a head that says so")
def _(house):
    trees.write_mixed(house)
    text, _path = tags_of(house)
    head = [line for line in text.splitlines() if line.startswith("!_TAG_")]
    lines = [line for line in text.splitlines() if not line.startswith("!_TAG_")]
    assert "!_TAG_FILE_SORTED\t1\t/0=unsorted, 1=sorted, 2=foldcase/" in head, head
    equal(len(lines), len(house.entities()), "lines")
    equal([l.encode() for l in lines], sorted(l.encode() for l in lines), "order")


@case("readtags finds by halves what the index has, with its fields")
def _(house):
    trees.write_mixed(house)
    house.write("odd name.py", ODD)
    _text, path = tags_of(house)
    names = {e["name"] for e in house.entities()}
    for name in names:
        assert readtags(path, "-", name), f"{name} is not found"
    equal(readtags(path, "-e", "-", "queue_add"),
          ["queue_add\tsrc/queue.c\t8;\"\tkind:function\tlanguage:c\tsignature:(struct queue *q, int number)\tend:13"])
    equal(readtags(path, "-e", "-", "run"),
          ["run\todd name.py\t2;\"\tkind:method\tlanguage:python\tclass:Tab"
           "\tsignature:(self, a, b='\\t(\\\\')\tend:3"])


@case("Vim jumps to the line of a tag and lists its fields")
def _(house):
    trees.write_mixed(house)
    house.write("odd name.py", ODD)
    _text, path = tags_of(house)
    out = house.path("vim.txt")
    script = ["-c", f"redir! > {out}", "-c", "silent tag queue_add", "-c", "echo expand('%') . ':' . line('.')",
              "-c", "echo taglist('^run$')[0].class", "-c", "silent tag \u0444\u0443\u043d\u043a\u0446\u0438\u044f",
              "-c", "echo expand('%') . ':' . line('.')", "-c", "redir END", "-c", "qa!"]
    vim = next(v for v in ("vim", "vim.tiny") if subprocess.run(["which", v], capture_output=True).returncode == 0)
    subprocess.run([vim, "-es", "-u", "NONE", "--cmd", f"set tags={path}", "--cmd", "set encoding=utf-8", *script],
                   cwd=os.path.dirname(path), timeout=60, stdin=subprocess.DEVNULL)
    with open(out, encoding="utf-8") as f:
        equal([line for line in f.read().splitlines() if line and line[0] != '"'],
              ["src/queue.c:8", "Tab", "odd name.py:5"])


main()
