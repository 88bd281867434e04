#!/usr/bin/env python3
"""Prints what changes in an index, a line an event, and misses nothing: after a while away, its own or the engine's,
it goes on where it was.

usage: client.py [FOLDER]    the workspace; without it the only one that is open

Needs the package websockets (Debian: python3-websockets)."""
import asyncio
import json
import os
import sys

import websockets

PAUSE_S = 1


def find_engine():
    """Port and token are new with each start of the engine."""
    folder = (os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("XDG_STATE_HOME") or
              os.path.expanduser("~/.local/state"))
    with open(os.path.join(folder, "gloss", "engine.json"), encoding="utf-8") as f:
        return json.load(f)


async def follow(root, cursor):
    """Until the connection ends; `cursor` is kept at the last row that came whole."""
    engine = find_engine()
    async with websockets.connect(f"ws://127.0.0.1:{engine['port']}/v1/ws",
                                  subprotocols=["gloss.v1", "bearer." + engine["token"]]) as ws:
        await ws.recv()  # the hello: who the engine is, which workspaces it has
        request = {"action": "subscribe", "request_id": 1, "data": {}}
        if root:
            request["workspace"] = os.path.realpath(root)
        if cursor:
            request["data"]["since"] = dict(cursor)
        await ws.send(json.dumps(request))
        async for text in ws:
            message = json.loads(text)
            if message["type"] == "response":
                if not message["success"]:
                    sys.exit(message["error"])
                if not message["data"]["recovered"]:
                    print("rows are lost:", message["data"]["reason"], flush=True)
                    cursor.clear()  # from here on, then
                cursor.setdefault("epoch", message["data"]["epoch"])
                cursor.setdefault("seq", message["data"]["from"] - 1)
            elif message["type"] == "event" and "seq" in message:
                data = message["data"]
                print(message["seq"], message["i"], message["event_type"], data.get("key") or message["subject"],
                      flush=True)
                if message.get("last"):
                    cursor.update(epoch=message["epoch"], seq=message["seq"])


async def main():
    cursor = {}
    while True:
        try:
            await follow(sys.argv[1] if len(sys.argv) > 1 else None, cursor)
        except websockets.ConnectionClosed as closed:
            if closed.rcvd and closed.rcvd.code >= 4500:
                sys.exit(closed.rcvd.reason)
        except (OSError, websockets.InvalidHandshake):
            pass  # there is no engine now
        await asyncio.sleep(PAUSE_S)


asyncio.run(main())
