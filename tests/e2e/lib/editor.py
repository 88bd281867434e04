"""A process that is an editor: starts the bridge, opens the folder and reads until it is killed.
editor.py ROOT; prints the bridge's pid once initialize is answered."""
import json
import os
import subprocess
import sys

root = sys.argv[1]
bridge = subprocess.Popen([os.environ["GLOSS_UNDER_TEST"], "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    bridge.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    bridge.stdin.flush()


send({"id": 1, "method": "initialize",
      "params": {"processId": os.getpid(), "rootUri": "file://" + root, "capabilities": {}}})
bridge.stdout.readline()
send({"method": "initialized", "params": {}})
print(bridge.pid, flush=True)
while bridge.stdout.read(1):
    pass
