"""Shows that the two guards in meson catch what they are for. The include lint has a self-test.

guards.py ROOT    builds tiny modules under the repository's own src/meson.build and
                  tests/unit/meson.build in a temporary folder; prints TAP

Configure order: a row that names a module below it in the table cannot be configured.
Link of a unit test: code that calls a module which is not in its row does not link, also when it
declares the function itself and so escapes the include lint.
Each is preceded by the same tree without the breach, which must pass: else it proves nothing.
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import Tap  # noqa: E402

TOP = """project('guards', 'c', default_options: ['c_std=gnu11', 'buildtype=plain'])
tree_sitter_dep = declare_dependency()
grammars_dep = declare_dependency()
subdir('src')
cmocka = declare_dependency()
subdir('tests/unit')
"""
ROW = "['model', ['base'], []]"
TREE = {
    "meson.build": TOP,
    "src/base/meson.files": "base.c\n",
    "src/base/base.c": "int base_answer(void);\nint base_answer(void) { return 0; }\n",
    "src/rt/meson.files": "rt.c\n",
    "src/rt/rt.c": "int rt_answer(void);\nint rt_answer(void) { return 0; }\n",
    "src/model/meson.files": "model.c\n",
    "src/model/model.c": "int %s(void);\nint model_answer(void);\nint model_answer(void) { return %s(); }\n",
    "tests/unit/test_model.c": "int model_answer(void);\nint main(void) { return model_answer(); }\n",
}


def make_tree(root, repository, row=ROW, calls="base_answer"):
    for path, text in TREE.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text.replace("%s", calls))
    shutil.copy(os.path.join(repository, "tests/unit/meson.build"), os.path.join(root, "tests/unit"))
    shutil.copy(os.path.join(repository, "meson_options.txt"), root)
    with open(os.path.join(repository, "src/meson.build"), encoding="utf-8") as f:
        table = f.read()
    if ROW not in table:
        raise SystemExit(f"Bail out! {ROW} is not in src/meson.build any more")
    with open(os.path.join(root, "src/meson.build"), "w", encoding="utf-8") as f:
        f.write(table.replace(ROW, row))


def run(root, *command):
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def tail(text):
    return text.strip().split("\n")[-8:]


def main(args):
    if len(args) != 1:
        sys.exit(__doc__)
    for name in [n for n in os.environ if n.startswith(("MESON", "NINJA", "CFLAGS", "LDFLAGS"))]:
        del os.environ[name]
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="guards-") as root:
        make_tree(root, args[0])
        code, text = run(root, "meson", "setup", "build")
        tap.point("the table as it is configures", tail(text) if code else [])
        code, text = run(root, "meson", "compile", "-C", "build", "test_model")
        tap.point("a call downward links", tail(text) if code else [])

        make_tree(root, args[0], calls="rt_answer")
        code, text = run(root, "meson", "compile", "-C", "build", "test_model")
        caught = code != 0 and "undefined reference" in text and "rt_answer" in text
        tap.point("a planted upward call fails at the link of the unit test", [] if caught else tail(text))

        make_tree(root, args[0], row="['model', ['base', 'store'], []]")
        code, text = run(root, "meson", "setup", "build-upward")
        caught = code != 0 and "store" in text and "ERROR" in text
        tap.point("a planted upward row fails at configure", [] if caught else tail(text),
                  [line for line in text.split("\n") if "ERROR" in line])
    tap.finish()


main(sys.argv[1:])
