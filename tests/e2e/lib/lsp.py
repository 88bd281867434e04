"""The other end of a JSON-RPC wire: an editor over stdio, or a command over the engine's socket."""
import json
import queue
import socket
import threading
import time

from house import WAIT_S


class Closed(Exception):
    """The program closed its end."""


def frame(message):
    body = message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


class Peer:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.messages = queue.Queue()
        self.seen = []  # everything but answers to our requests
        self.answers = {}
        self.last_id = 0
        self.is_closed = False
        self.answer_requests = True
        threading.Thread(target=self.read_all, daemon=True).start()

    def read_all(self):
        try:
            while True:
                length = None
                while True:
                    line = self.reader.readline()
                    if not line:
                        return
                    line = line.strip()
                    if not line:
                        break
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                body = self.reader.read(length)
                if len(body) < length:
                    return
                self.messages.put(json.loads(body))
        except (OSError, ValueError) as e:
            self.messages.put(e)
        finally:
            self.messages.put(None)

    def send_raw(self, data):
        self.writer.write(data)
        self.writer.flush()

    def send(self, message):
        self.send_raw(frame(message))

    def notify(self, method, params=None):
        message = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        self.send(message)

    def ask(self, method, params=None, message_id=None):
        """Sends a request; returns its id for answer()."""
        if message_id is None:
            self.last_id += 1
            message_id = self.last_id
        message = {"jsonrpc": "2.0", "id": message_id, "method": method}
        if params is not None:
            message["params"] = params
        self.send(message)
        return message_id

    def take(self, timeout_s):
        """The next message from the other end."""
        try:
            message = self.messages.get(timeout=max(timeout_s, 0.001))
        except queue.Empty:
            raise AssertionError("the other end says nothing") from None
        if isinstance(message, Exception):
            raise message
        if message is None:
            self.is_closed = True
            self.messages.put(None)
            raise Closed()
        if "method" in message and "id" in message and self.answer_requests:
            self.send({"jsonrpc": "2.0", "id": message["id"], "result": None})
        if "method" in message or message.get("id") is None:
            self.seen.append(message)
        else:
            self.answers[message["id"]] = message
        return message

    def answer(self, message_id, timeout_s=WAIT_S):
        end = time.monotonic() + timeout_s
        while message_id not in self.answers:
            self.take(end - time.monotonic())
        return self.answers.pop(message_id)

    def request(self, method, params=None, timeout_s=WAIT_S):
        """The result; an error is raised."""
        answer = self.answer(self.ask(method, params), timeout_s)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def error(self, method, params=None):
        """The code of the error that must come."""
        answer = self.answer(self.ask(method, params))
        assert "error" in answer, f"{method} was answered: {answer}"
        return answer["error"]["code"]

    def wait_seen(self, what, wanted, timeout_s=WAIT_S):
        """The first notification, request or answer without id, also of the past, that `wanted` accepts."""
        for message in self.seen:
            if wanted(message):
                return message
        end = time.monotonic() + timeout_s
        while True:
            try:
                message = self.take(end - time.monotonic())
            except AssertionError:
                raise AssertionError(f"waited in vain: {what}") from None
            if ("method" in message or message.get("id") is None) and wanted(message):
                return message

    def close(self):
        for stream in (self.writer, self.reader):
            try:
                stream.close()
            except OSError:
                pass


class Editor(Peer):
    """`gloss lsp` as an editor runs it."""

    def __init__(self, house, *args, **kw):
        self.process = house.start("lsp", *args, stdin=-1, stdout=-1, **kw)
        self.house = house
        super().__init__(self.process.stdout, self.process.stdin)

    def initialize(self, root=None, capabilities=None, **more):
        params = {
            "processId": None,
            "rootUri": "file://" + (root or self.house.tree),
            "capabilities": capabilities if capabilities is not None else {
                "window": {"workDoneProgress": True},
                "textDocument": {"documentSymbol": {"hierarchicalDocumentSymbolSupport": True}},
            },
            **more,
        }
        result = self.request("initialize", params)
        self.notify("initialized", {})
        return result

    def uri(self, path):
        return "file://" + self.house.path(path)

    def open(self, path, language, text=None, version=1):
        if text is None:
            with open(self.house.path(path), encoding="utf-8", newline="") as f:
                text = f.read()
        self.notify("textDocument/didOpen", {"textDocument": {
            "uri": self.uri(path), "languageId": language, "version": version, "text": text}})

    def wait_state(self, state):
        """gloss/status says so; messages of the past count only when they are the latest."""
        def is_it(message):
            return message.get("method") == "gloss/status" and message["params"]["state"] == state
        old = [m for m in self.seen if m.get("method") == "gloss/status"]
        if old and is_it(old[-1]):
            return old[-1]["params"]
        seen, self.seen = self.seen, []
        try:
            return self.wait_seen(f"the workspace is {state}", is_it)["params"]
        finally:
            self.seen = seen + self.seen

    def bye(self):
        """shutdown, exit; the exit code."""
        self.request("shutdown")
        self.notify("exit")
        return self.process.wait(WAIT_S)


class Control(Peer):
    """A command's way to the engine: the unix socket."""

    def __init__(self, house):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(house.runtime("engine.sock"))
        super().__init__(self.socket.makefile("rb"), self.socket.makefile("wb"))

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        super().close()
        self.socket.close()
