"""Plays transcripts against `gloss lsp --in-process`: play.py FOLDER [CASE…]

A case is a folder with transcript.jsonl, one step a line, and optionally tree/, the workspace. Steps:
  {"start": params}      initialize with these params (rootUri is added), initialized, wait until it is ready
  {"send": message}      "jsonrpc" is added
  {"together": [m, …]}   several messages in one write
  {"raw": text}          these bytes, no frame added
  {"expect": message}    a message with an id: the answer to that request, which must be equal;
                         without: a notification or request of gloss's that fits comes now or has come
  {"never": message}     nothing that fits has come so far
  {"eventually": {"method", "params", "result"}}   asked again until the answer is equal
  {"wait": state}        gloss/status tells this state
  {"write": path, "text": text, "times": n}   a file in the workspace; {n} in both counts up
  {"exit": code}         the program ends with this code
In a step "$TREE" is the workspace's path. In what is expected "$ANY" fits anything, and an object with the
member "...": true may have more members than are named."""
import json
import os
import shutil
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e", "lib"))
from house import WAIT_S, wait  # noqa: E402
from lsp import Editor, frame  # noqa: E402
from tap import case, equal, main  # noqa: E402


LATE_S = 0.5  # SERVER_HOVER_MS: by then an editor is answered, with null where nothing is known yet


def fits(wanted, got):
    if wanted == "$ANY":
        return True
    if isinstance(wanted, dict) and isinstance(got, dict):
        is_open = "..." in wanted
        names = set(wanted) - {"..."}
        return names <= set(got) and (is_open or names == set(got)) and all(
            fits(wanted[name], got[name]) for name in names)
    if isinstance(wanted, list) and isinstance(got, list):
        return len(wanted) == len(got) and all(map(fits, wanted, got))
    return type(wanted) is type(got) and wanted == got


def with_version(message):
    return {"jsonrpc": "2.0", **message}


class Player:
    def __init__(self, house):
        self.house = house
        self.editor = Editor(house, "--in-process")
        self.asked = {}  # by id: the request, when

    def start(self, params):
        capabilities = params.pop("capabilities", {"textDocument": {"documentSymbol": {
            "hierarchicalDocumentSymbolSupport": True}}})
        self.editor.initialize(capabilities=capabilities, **params)
        self.editor.wait_state("ready")

    def send(self, message):
        if "method" in message and "id" in message:
            self.asked[json.dumps(message["id"])] = message, time.monotonic()
        self.editor.send(with_version(message))

    def answer(self, wanted):
        """Who is answered null after half a second asks again, as a person would; null at once is the answer."""
        end = time.monotonic() + WAIT_S
        while True:
            got = self.editor.answer(wanted["id"])
            message, since = self.asked.get(json.dumps(wanted["id"]), (None, 0))
            is_late = message and "result" in got and got["result"] is None and time.monotonic() - since >= LATE_S
            if not is_late or fits(wanted, got) or time.monotonic() > end:
                return got
            self.send(message)

    def together(self, messages):
        self.editor.send_raw(b"".join(frame(with_version(m)) for m in messages))

    def raw(self, text):
        self.editor.send_raw(text.encode())

    def expect(self, message):
        wanted = with_version(message)
        if wanted.get("id") is not None and "method" not in wanted:
            got = self.answer(wanted)
            assert fits(wanted, got), f"wanted {json.dumps(wanted)}\ngot    {json.dumps(got)}"
            return
        try:
            found = self.editor.wait_seen("", lambda m: fits(wanted, m))
        except AssertionError:
            raise AssertionError(f"did not come: {json.dumps(wanted)}\nthese did: {self.editor.seen}") from None
        self.editor.seen.remove(found)

    def eventually(self, question):
        wait(f"{question['method']} gives {json.dumps(question['result'])}",
             lambda: fits([question["result"]], [self.editor.request(question["method"], question["params"])]))

    def never(self, message):
        wanted = with_version(message)
        came = [m for m in self.editor.seen + list(self.editor.answers.values()) if fits(wanted, m)]
        assert not came, f"came: {came}"

    def wait(self, state):
        self.editor.wait_state(state)

    def exit(self, code):
        equal(self.editor.process.wait(WAIT_S), code, "exit code")


def write(house, path, text, times=1):
    for n in range(times):
        house.write(path.replace("{n}", str(n)), text.replace("{n}", str(n)))


def play(house, folder):
    tree = os.path.join(folder, "tree")
    if os.path.isdir(tree):
        shutil.copytree(tree, house.tree, dirs_exist_ok=True)
    house.env["GLOSS_ENRICH_ENABLED"] = "false"
    player = None
    with open(os.path.join(folder, "transcript.jsonl"), encoding="utf-8") as f:
        lines = f.read().split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        step = json.loads(line.replace("$TREE", house.tree))
        name = next(iter(step))
        try:
            if name == "write":
                write(house, step["write"], step["text"], step.get("times", 1))
                continue
            player = player or Player(house)
            getattr(player, name)(step[name])
        except Exception as e:
            raise AssertionError(f"transcript.jsonl:{number}: {e}") from e
    if player.editor.process.poll() is None:
        equal(player.editor.bye(), 0, "exit code at the end")


def register(folder):
    @case(os.path.basename(folder))
    def _(house):
        play(house, folder)


root = sys.argv.pop(1) if len(sys.argv) > 1 else HERE
for entry in sorted(os.listdir(root)):
    if os.path.exists(os.path.join(root, entry, "transcript.jsonl")):
        register(os.path.join(root, entry))
main()
