"""A bare pipelined client: the least that gets hovers out of a language server. A window of requests and of open
files, nothing stored, nothing repeated; what gloss is compared with, on the same server and files."""
import collections
import json
import os
import selectors
import signal
import subprocess
import sys
import time
import urllib.parse

READ_BYTES = 1 << 20
NICENESS = 5  # CLIENT_NICENESS in lsp/client/client.h


def uri_of(path):
    return "file://" + urllib.parse.quote(str(path))


class Silent(Exception):
    """The server ended, or said nothing for long."""


class Bare:
    def __init__(self, command, root, options=None, settings=None, silence_s=120):
        self.root, self.options, self.settings, self.silence_s = root, options, settings or {}, silence_s
        # as nice as gloss's: what else the machine does shall slow both
        self.child = subprocess.Popen(["nice", "-n", str(NICENESS), *map(str, command)], cwd=root,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                      process_group=0)
        self.out, self.buffered, self.last_id, self.answered = collections.deque(), b"", 0, {}
        self.selector = selectors.DefaultSelector()
        for pipe, events in ((self.child.stdout, selectors.EVENT_READ), (self.child.stdin, 0)):
            os.set_blocking(pipe.fileno(), False)
            if events:
                self.selector.register(pipe, events)

    # ---- messages ----

    def send(self, **message):
        body = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode()
        if not self.out:
            self.selector.register(self.child.stdin, selectors.EVENT_WRITE)
        self.out.append(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def ask(self, method, params):
        self.last_id += 1
        self.send(id=self.last_id, method=method, params=params)
        return self.last_id

    def write_some(self):
        while self.out:
            try:
                n = os.write(self.child.stdin.fileno(), self.out[0])
            except BlockingIOError:
                return
            self.out[0] = self.out[0][n:]
            if not self.out[0]:
                self.out.popleft()
        self.selector.unregister(self.child.stdin)

    def take(self, message):
        if "method" in message and "id" in message:
            result = None
            if message["method"] == "workspace/configuration":
                result = [self.settings for _ in message["params"]["items"]]
            self.send(id=message["id"], result=result)
        elif "id" in message:
            self.answered[message["id"]] = message

    def step(self):
        """One round: what can be written is, what came is in self.answered."""
        ready = self.selector.select(self.silence_s)
        if not ready:
            raise Silent("nothing for long")
        for key, _events in ready:
            if key.fileobj is self.child.stdin:
                self.write_some()
                continue
            data = os.read(self.child.stdout.fileno(), READ_BYTES)
            if not data:
                raise Silent("it ended")
            self.buffered += data
        while True:
            head, mark, rest = self.buffered.partition(b"\r\n\r\n")
            if not mark:
                return
            n = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            if len(rest) < n:
                return
            self.take(json.loads(rest[:n]))
            self.buffered = rest[n:]

    def answer_of(self, number):
        while number not in self.answered:
            self.step()
        return self.answered.pop(number)

    # ---- a session ----

    def initialize(self):
        self.answer_of(self.ask("initialize", {
            "processId": os.getpid(), "rootUri": uri_of(self.root), "initializationOptions": self.options,
            "workspaceFolders": [{"uri": uri_of(self.root), "name": "bench"}],
            "capabilities": {"general": {"positionEncodings": ["utf-16"]},
                             "workspace": {"configuration": True, "workspaceFolders": True},
                             "textDocument": {"hover": {"contentFormat": ["markdown", "plaintext"]}}}}))
        self.send(method="initialized", params={})
        self.send(method="workspace/didChangeConfiguration", params={"settings": self.settings})

    def hover(self, files, window, files_window):
        """All positions of all files: (path, language id, text, [(line, character)…]). How many had a text."""
        waiting, is_open, asked, known = collections.deque(files), [], {}, 0
        while waiting or is_open:
            while waiting and len(is_open) < files_window:
                path, language, text, places = waiting.popleft()
                uri = uri_of(os.path.join(self.root, path))
                self.send(method="textDocument/didOpen", params={"textDocument": {
                    "uri": uri, "languageId": language, "version": 1, "text": text}})
                is_open.append({"uri": uri, "places": collections.deque(places), "n": len(places)})
            for f in is_open:
                while f["places"] and len(asked) < window:
                    line, character = f["places"].popleft()
                    asked[self.ask("textDocument/hover", {
                        "textDocument": {"uri": f["uri"]}, "position": {"line": line, "character": character}})] = f
            self.step()
            for number in [n for n in asked if n in self.answered]:
                known += bool((self.answered.pop(number).get("result") or {}).get("contents"))
                asked.pop(number)["n"] -= 1
            for f in [f for f in is_open if f["n"] == 0]:
                self.send(method="textDocument/didClose", params={"textDocument": {"uri": f["uri"]}})
                is_open.remove(f)
        return known

    def close(self):
        os.killpg(self.child.pid, signal.SIGKILL)  # with what it started, else that is stopped for good; see slices.py
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()
        self.selector.close()


def run(command, root, files, window, files_window, options=None, settings=None):
    """From the server's start to its last answer."""
    begin = time.time()
    bare = Bare(command, root, options, settings)
    try:
        bare.initialize()
        known = bare.hover(files, window, files_window)
        return {"begin": begin, "end": time.time(), "known": known}
    finally:
        bare.close()


if __name__ == "__main__":  # run()'s parameters are on stdin, what it returns goes to stdout
    print(json.dumps(run(**json.load(sys.stdin))))
