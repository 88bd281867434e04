"""What the tests say to the engine and what it says, kept so that every message of it is held against the contract
(src/hub/contract) by tests/hub/contract.mjs at a test's end. On where GLOSS_TRAFFIC is set."""
import atexit
import itertools
import json
import os
import shutil
import subprocess
import tempfile

HUB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "hub")
CHECK_S = 120


class Traffic:
    """One line of JSON a message. An event that came in the same words before, as it does to each of a thousand
    subscribers, is not kept again."""

    is_kept = True

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="gloss-traffic-")
        self.path = os.path.join(self.folder, "traffic")
        self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.numbers = itertools.count(1)
        self.seen = set()
        self.has_any = False
        atexit.register(self.finish)

    def put(self, **line):
        self.has_any = True
        os.write(self.file, (json.dumps(line) + "\n").encode())  # whole, whatever thread is at it

    # ---- WebSockets ----

    def open(self, path):
        """A connection; its number."""
        number = next(self.numbers)
        self.put(socket=number, path=path)
        return number

    def said(self, number, text):
        self.put(socket=number, said=text)

    def heard(self, number, text):
        if text.startswith('{"type":"event"') and "\n" not in text:
            known = hash(text)
            if known in self.seen:
                return
            self.seen.add(known)
        self.put(socket=number, heard=text)

    # ---- HTTP ----

    def http(self, method, path, status, headers, body):
        """`path` is None where the request was not one."""
        self.put(http=method, path=path, status=status, type=headers.get("content-type", ""),
                 body=body.decode("utf-8", "replace"))

    # ---- the end ----

    def why_not_checked(self):
        if not shutil.which("node"):
            return "there is no node"
        if not os.path.isdir(os.path.join(HUB, "node_modules", "ajv")):
            return "tests/hub/node_modules is missing: ./dev setup"
        return None

    def check(self):
        """Problems as text; empty: each message is as the contract says."""
        self.close()
        done = subprocess.run(["node", os.path.join(HUB, "contract.mjs"), "traffic", self.path],
                              capture_output=True, text=True, timeout=CHECK_S, check=False)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def point(self, number):
        """Prints a line of TAP; how many failed. Whoever said nothing to a hub needs none."""
        name = "every message is as the contract says"
        why, faults = self.why_not_checked(), ""
        if why:
            print(f"ok {number} - {name} # SKIP {why}")
        else:
            faults = self.check()
            print(f"{'not ok' if faults else 'ok'} {number} - {name}")
            print("".join("# " + line for line in faults.splitlines(True)), end="", flush=True)
        return bool(faults)

    def close(self):
        if self.file >= 0:
            os.close(self.file)
        self.file = -1

    def finish(self):
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class NoTraffic:
    """Nothing is kept."""

    is_kept = False

    def open(self, path):
        return 0

    def said(self, number, text):
        pass

    def heard(self, number, text):
        pass

    def http(self, method, path, status, headers, body):
        pass


TRAFFIC = Traffic() if os.environ.get("GLOSS_TRAFFIC") else NoTraffic()
