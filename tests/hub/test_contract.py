"""The contract is served, is what it says it is, and is what messages are held against."""
import asyncio
import glob
import json
import os
import re
import shutil
import tempfile

from hubtest import Client, Skip, equal, indexed, main
from traffic import Traffic

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CONTRACT = os.path.join(ROOT, "src", "hub", "contract")


async def node(*arguments):
    """What contract.mjs prints, and its exit code."""
    process = await asyncio.create_subprocess_exec(
        "node", os.path.join(ROOT, "tests", "hub", "contract.mjs"), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    out, _ = await process.communicate()
    return process.returncode, out.decode()


def need_node():
    kept = Traffic()
    why = kept.why_not_checked()
    kept.finish()
    if why:
        raise Skip(why)


async def test_served_without_a_token(engine):
    paths = ["openapi.json", "asyncapi.json"]
    paths += ["schema/" + os.path.basename(p) for p in glob.glob(os.path.join(CONTRACT, "schema", "*.json"))]
    assert len(paths) > 10, paths
    for path in paths:
        status, headers, body = await engine.http("/v1/" + path, token="")
        equal((status, headers["content-type"]), (200, "application/json"), path)
        with open(os.path.join(CONTRACT, path), encoding="utf-8") as f:
            equal(json.loads(body), json.load(f), path)
    for path in ("/v1/schema/nothing.json", "/v1/schema/", "/v1/schema/event", "/v1/schema/event.json/x"):
        equal((await engine.http(path))[0], 404, path)
    equal((await engine.http("/v1/openapi.json", token="", host="gloss.test"))[0], 403)


async def test_documents(engine):
    need_node()
    code, out = await node("documents")
    assert code == 0, out
    assert "\nnot ok" not in out and "ok 1 - " in out, out


def said_and_heard(said, heard):
    return [{"socket": 1, "path": "/v1/ws"}, {"socket": 1, "said": json.dumps(said)},
            {"socket": 1, "heard": json.dumps(heard)}]


def answer(path, body, status=200, kind="application/json"):
    return [{"http": "GET", "path": path, "status": status, "type": kind, "body": json.dumps(body)}]


async def test_faults_are_found(engine):
    """Real messages pass; with a member more, one less or of another type they do not."""
    need_node()
    status = await indexed(engine)
    client = await Client.open(engine)
    found = await client.request("search", {"q": "add"})
    reply = await client.request("get", {"key": "c:fn:a.c#add"})
    problem = (await client.request("get", {"key": "none"}))["problem"]
    await client.subscribe(since={"seq": 0})
    events = await client.until_seq(1)
    await client.close()
    search = {"action": "search", "request_id": found["request_id"], "data": {"q": "add"}}
    get = {"action": "get", "request_id": reply["request_id"], "data": {"key": "c:fn:a.c#add"}}
    entity = reply["data"]["entity"]
    good = [said_and_heard(search, found), said_and_heard(get, reply),
            said_and_heard({}, client.hello), said_and_heard({}, events[-1]),
            answer("/livez", {"status": "ok"}), answer("/v1/workspaces/x/entities/y", reply["data"]),
            answer("/nowhere", problem, 404, "application/problem+json")]
    bad = [said_and_heard(search, {**found, "more": 1}),
           said_and_heard(search, {**found, "data": {**found["data"], "count": -1}}),
           said_and_heard(search, {**found, "data": reply["data"]}),
           said_and_heard({**search, "data": {"q": ""}}, found),
           said_and_heard({**search, "data": {}}, found),
           said_and_heard({**search, "action": "find"}, found),
           said_and_heard(get, {**reply, "data": {"workspace": "x", "entity": {**entity, "kind": "thing"}}}),
           said_and_heard(get, {**reply, "data": {"workspace": "x", "entity": {**entity, "more": None}}}),
           said_and_heard(get, {**reply, "data": {"workspace": "x", "entity": {**entity, "hover": {"state": "known"}}}}),
           said_and_heard({}, {k: v for k, v in client.hello.items() if k != "limits"}),
           said_and_heard({}, {**events[-1], "event_type": "file:eaten"}),
           said_and_heard({}, {k: v for k, v in events[-1].items() if k != "seq"}),
           said_and_heard({}, {**events[-1], "time": "yesterday"}),
           said_and_heard({}, {**events[-1], "data": {"more": 1}}),
           said_and_heard({}, {"type": "news"}),
           answer("/livez", {"status": "well"}), answer("/livez", {"status": "ok"}, kind="text/json"),
           answer("/v1/somewhere", {}), answer("/v1/stats", {"version": "1"}),
           answer("/nowhere", {**problem, "retryable": True}, 404, "application/problem+json")]
    assert status["entities"] == 2
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "traffic")
        for lines, wanted in [(l, 0) for l in good] + [(l, 1) for l in bad]:
            with open(path, "w", encoding="utf-8") as f:
                f.writelines(json.dumps(line) + "\n" for line in lines)
            code, out = await node("traffic", path)
            equal(code, wanted, f"{lines[-1]} {out}")
            assert not code or "kinds of faults in" in out, out  # and did not just break


async def test_alerts(engine):
    need_node()
    await indexed(engine)
    rules = os.path.join(ROOT, "docs", "alerts.yml")
    _, _, body = await engine.http("/metrics")
    with open(os.path.join(ROOT, "docs", "METRICS.md"), encoding="utf-8") as f:
        of_servers = set(re.findall(r"gloss_server_[a-z_]+", f.read()))  # this engine has none
    with tempfile.TemporaryDirectory() as folder:
        metrics = os.path.join(folder, "metrics")
        with open(metrics, "w", encoding="utf-8") as f:
            f.write(body.decode() + "".join(name + " 0\n" for name in of_servers))
        code, out = await node("alerts", rules, metrics)
        assert code == 0, out
        with open(rules, encoding="utf-8") as f:
            text = f.read().replace("gloss_queue_depth", "gloss_queue_length")
        wrong = os.path.join(folder, "wrong.yml")
        with open(wrong, "w", encoding="utf-8") as f:
            f.write(text)
        code, out = await node("alerts", wrong, metrics)
        assert code == 1 and "there is no gloss_queue_length" in out, out
    if shutil.which("promtool"):
        process = await asyncio.create_subprocess_exec("promtool", "check", "rules", rules)
        equal(await process.wait(), 0)


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
