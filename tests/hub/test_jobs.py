"""Jobs over WebSocket and HTTP: turns, priorities, times, cancelling, and a kill in the middle of one."""
import asyncio
import json
import time

from hubtest import Client, Engine, equal, indexed, main


async def call(engine, method, path, data=None):
    body = b"" if data is None else json.dumps(data).encode()
    headers = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{engine.port}",
               "Authorization: Bearer " + engine.token]
    if method == "POST":
        headers += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    answer = await engine.raw("\r\n".join(headers).encode() + b"\r\n\r\n" + body)
    head, _, rest = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(rest)


async def submit(client, **data):
    reply = await client.request("job.submit", data)
    assert reply["success"], reply
    equal(reply["data"]["status"], "submitted")
    equal(reply["data"]["status_url"], "/v1/jobs/" + reply["data"]["job_id"])
    return reply["data"]["job_id"]


async def status(client, job_id):
    reply = await client.request("job.status", {"job_id": job_id})
    assert reply["success"], reply
    return reply["data"]


def of_job(kind, job_id):
    return lambda e: e.get("event_type") == kind and e["subject"] == job_id


async def test_reindex_is_a_job(engine):
    await indexed(engine)
    client = await Client.open(engine)
    await client.subscribe(events=["job.*"])
    reply = await client.request("reindex", {"path": "a.c"})
    assert reply["success"], reply
    job_id = reply["data"]["job_id"]
    events = await client.until(of_job("job.completed", job_id))
    types = [e["event_type"] for e in events if e["subject"] == job_id]
    equal(types[0], "job.submitted")
    assert "job.progress" in types, types
    durable = [e for e in events if e["event_type"] != "job.progress"]
    assert all(e["seq"] > 0 for e in durable) and durable[0]["seq"] < durable[-1]["seq"], durable
    assert all("seq" not in e for e in events if e["event_type"] == "job.progress")
    job = await status(client, job_id)
    equal((job["status"], job["kind"], job["error"]), ("completed", "reindex", None))
    equal((job["result"]["looked_at"], job["progress"]["done"]), (1, 1))
    assert job["created_at"] <= job["started_at"] <= job["completed_at"], job
    equal(events[-1]["data"], job)
    await client.close()


async def test_over_http(engine):
    await indexed(engine)
    client = await Client.open(engine)
    workspace = client.hello["workspace"]
    await client.subscribe(events=["job.*"])
    code, made = await call(engine, "POST", f"/v1/workspaces/{workspace}/jobs",
                            {"kind": "retry", "priority": 5})
    equal((code, made["status"]), (202, "submitted"))
    await client.until(of_job("job.completed", made["job_id"]))
    code, job = await call(engine, "GET", made["status_url"])
    equal((code, job["status"], job["priority"]), (200, "completed", 5))
    code, later = await call(engine, "POST", f"/v1/workspaces/{workspace}/reindex", {"delay_s": 3600})
    equal(code, 202)
    code, listed = await call(engine, "GET", f"/v1/jobs?workspace={workspace}&status=pending")
    equal((code, [j["job_id"] for j in listed["jobs"]], listed["truncated"]),
          (200, [later["job_id"]], False))
    code, job = await call(engine, "DELETE", later["status_url"])
    equal((code, job["status"]), (200, "cancelled"))
    code, problem = await call(engine, "DELETE", later["status_url"])
    equal((code, problem["type"]), (400, "/problems/bad-request"))
    code, again = await call(engine, "POST", later["status_url"] + "/retry")
    equal((code, again["status"]), (202, "pending"))
    await client.until(of_job("job.completed", later["job_id"]))
    for method, path, data, expected in (
            ("GET", "/v1/jobs/j-0000000000000000", None, 404),
            ("GET", "/v1/jobs?status=dancing", None, 400),
            ("GET", "/v1/jobs?limit=0", None, 400),
            ("GET", "/v1/jobs?workspace=nowhere", None, 404),
            ("POST", "/v1/workspaces/nowhere/jobs", {"kind": "retry"}, 404),
            ("POST", f"/v1/workspaces/{workspace}/jobs", {"kind": "dance"}, 400),
            ("POST", f"/v1/workspaces/{workspace}/jobs", [], 400),
            ("POST", f"/v1/workspaces/{workspace}/reindex", {"path": "../x"}, 400),
            ("POST", f"/v1/workspaces/{workspace}/entities/batch-async", {}, 400)):
        code, problem = await call(engine, method, path, data)
        equal(code, expected, path)
        equal(problem["status"], expected, path)
    await client.close()


async def test_bad_requests_are_answered(engine):
    client = await Client.open(engine)
    for action, data in (("job.submit", {}), ("job.submit", {"kind": 1}),
                         ("job.submit", {"kind": "reindex", "request": []}),
                         ("job.submit", {"kind": "reindex", "request": {"path": "/etc"}}),
                         ("job.submit", {"kind": "reindex", "priority": 101}),
                         ("job.submit", {"kind": "reindex", "every_s": 59}),
                         ("job.submit", {"kind": "reindex", "delay_s": -1}),
                         ("job.submit", {"kind": "reindex", "run_at_ms": "now"}),
                         ("job.status", {}), ("job.cancel", {"job_id": 7}),
                         ("job.list", {"status": "none"}), ("job.list", {"limit": 0}),
                         ("reindex", {"force": "yes"})):
        reply = await client.request(action, data)
        equal((reply["success"], reply.get("problem", {}).get("status")), (False, 400), (action, data))
    for action in ("job.status", "job.cancel", "job.retry"):
        reply = await client.request(action, {"job_id": "j-0123456789abcdef"})
        equal(reply["problem"]["status"], 404)
    await client.close()


async def test_priorities_and_four_at_once(engine):
    """All are due at one moment; what begins and ends is told in order."""
    await indexed(engine)
    client = await Client.open(engine)
    await client.subscribe(events=["job.*"])
    due = int(time.time() * 1000) + 1500
    wanted = {}
    for i in range(24):
        job_id = await submit(client, kind="reindex", request={"path": "a.c"}, priority=i % 4, run_at_ms=due)
        wanted[job_id] = i % 4
    assert time.time() * 1000 < due, "too slow to tell"
    begun, ended, most = [], set(), 0
    while len(ended) < len(wanted):
        event = await client.next_event()
        job = event.get("data", {})
        if job.get("job_id") not in wanted:
            continue
        if event["event_type"] == "job.progress" and job["job_id"] not in begun:
            begun.append(job["job_id"])
        if event["event_type"] == "job.completed":
            ended.add(job["job_id"])
        most = max(most, len(set(begun) - ended))
    equal(most, 4)
    ranks = [wanted[j] for j in begun]
    equal(ranks, sorted(ranks, reverse=True))
    stats = (await client.request("stats"))["data"]["workspaces"][0]["jobs"]
    equal((stats["running"], stats["pending"]), (0, 0))
    _, _, metrics = await engine.http("/metrics")
    assert b"gloss_jobs_completed_total{" in metrics and b"gloss_jobs_running{" in metrics
    await client.close()


async def test_later_and_again(engine):
    await indexed(engine)
    client = await Client.open(engine)
    await client.subscribe(events=["job.*"])
    began = time.monotonic()
    once = await submit(client, kind="retry", delay_s=1)
    equal((await status(client, once))["status"], "pending")
    await client.until(of_job("job.completed", once))
    assert time.monotonic() - began >= 0.99, time.monotonic() - began
    often = await submit(client, kind="retry", every_s=60)
    events = await client.until(of_job("job.completed", often))
    equal((events[-1]["data"]["status"], events[-1]["data"]["runs"]), ("completed", 1))
    job = await status(client, often)
    equal((job["status"], job["runs"], job["every_s"]), ("pending", 1, 60))
    assert job["run_at"] > job["completed_at"], job
    reply = await client.request("job.cancel", {"job_id": often})
    equal((reply["success"], reply["data"]["status"]), (True, "cancelled"))
    await client.until(of_job("job.cancelled", often))
    await client.close()


async def test_running_one_is_cancelled(engine):
    for i in range(600):
        engine.write(f"many{i}.c", f"int many{i}(void) {{ return {i}; }}\n")
    await indexed(engine, 602)
    client = await Client.open(engine)
    await client.subscribe(events=["job.*"])
    job_id = await submit(client, kind="reindex", request={"force": True})
    await client.until(of_job("job.progress", job_id))
    reply = await client.request("job.cancel", {"job_id": job_id})
    equal((reply["success"], reply["data"]["status"], reply["data"].get("is_cancelling")),
          (True, "running", True))
    events = await client.until(lambda e: e.get("event_type") in ("job.cancelled", "job.completed"))
    equal(events[-1]["event_type"], "job.cancelled")
    equal((await status(client, job_id))["status"], "cancelled")
    await client.close()


async def test_what_cannot_be_done_fails(engine):
    client = await Client.open(engine)
    await client.subscribe(events=["job.*"])
    job_id = await submit(client, kind="enrich")  # these engines ask nobody
    event = (await client.until(of_job("job.failed", job_id)))[-1]
    equal((event["data"]["status"], event["data"]["attempts"]), ("failed", 1))
    assert "turned off" in event["data"]["error"], event
    listed = (await client.request("job.list", {"status": "failed"}))["data"]["jobs"]
    equal([j["job_id"] for j in listed], [job_id])
    reply = await client.request("job.retry", {"job_id": job_id})
    equal((reply["success"], reply["data"]["status"]), (True, "pending"))
    await client.until(of_job("job.failed", job_id))
    await client.close()


async def test_killed_in_the_middle(engine):
    """What was acknowledged is there, what ran is begun again, and no end is told twice."""
    own = Engine(engine.program)
    try:
        for i in range(400):
            own.write(f"f{i}.c", f"int f{i}(void) {{ return {i}; }}\n")
        own.start()
        await indexed(own, 402)
        acknowledged, seen = [], 0
        for round_ in range(6):
            client = await Client.open(own)
            await client.subscribe(events=["job.*"])
            for _ in range(3):
                acknowledged.append(await submit(client, kind="reindex", request={"force": True}))
            await client.until(of_job("job.progress", acknowledged[-1 - round_ % 3]))
            own.kill()
            own.start()
        client = await Client.open(own)
        reply = await client.subscribe(since={"seq": 0}, events=["job.*"])
        equal(reply["recovered"], True)
        submitted, completed = [], []
        while len(completed) < len(acknowledged):
            event = await client.next_event()
            if event.get("event_type") == "job.submitted":
                submitted.append(event["subject"])
            elif event.get("event_type") == "job.completed":
                completed.append(event["subject"])
                seen = max(seen, event["data"]["attempts"])
            assert event.get("event_type") not in ("job.failed", "job.cancelled"), event
        equal(sorted(submitted), sorted(acknowledged))
        equal(sorted(completed), sorted(acknowledged))
        assert seen > 1, "no job was cut off"
        for job_id in acknowledged:
            equal((await status(client, job_id))["status"], "completed")
        await client.close()
    finally:
        own.finish()


async def test_stopped_in_the_middle(engine):
    """An end that the user asked for is no failure of the job."""
    own = Engine(engine.program)
    try:
        for i in range(400):
            own.write(f"f{i}.c", f"int f{i}(void) {{ return {i}; }}\n")
        own.start()
        await indexed(own, 402)
        client = await Client.open(own)
        await client.subscribe(events=["job.*"])
        job_id = await submit(client, kind="reindex", request={"force": True})
        await client.until(of_job("job.progress", job_id))
        own.stop()
        own.start()
        client = await Client.open(own)
        await client.subscribe(since={"seq": 0}, events=["job.*"])
        event = (await client.until(of_job("job.completed", job_id)))[-1]
        equal(event["data"]["attempts"], 1)
        await client.close()
    finally:
        own.finish()


async def gloss(engine, *words):
    done = await asyncio.create_subprocess_exec(
        engine.program, *words, env=engine.env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    out, _ = await done.communicate()
    return done.returncode, out.decode()


async def test_from_the_command_line(engine):
    client = await Client.open(engine)
    job_id = await submit(client, kind="retry", delay_s=3600)
    code, out = await gloss(engine, "jobs")
    equal(code, 0)
    line = [l for l in out.splitlines() if l.startswith(job_id)][0]
    assert "pending" in line and "retry" in line, out
    code, out = await gloss(engine, "status")
    assert "wait" in [l for l in out.splitlines() if l.startswith("  jobs ")][0], out
    code, out = await gloss(engine, "jobs", "--cancel", job_id, "--json")
    equal((code, json.loads(out)["status"]), (0, "cancelled"))
    code, out = await gloss(engine, "jobs", "--cancel", job_id)
    equal((code, "state" in out), (1, True))
    code, out = await gloss(engine, "jobs")
    assert job_id not in out, out
    code, out = await gloss(engine, "jobs", "--all", "--json")
    assert job_id in [j["job_id"] for j in json.loads(out)["jobs"]], out
    code, out = await gloss(engine, "jobs", "--retry", "j-0123456789abcdef")
    equal((code, "no such job" in out), (1, True))
    await client.close()


main([test_from_the_command_line, test_reindex_is_a_job, test_over_http, test_bad_requests_are_answered,
      test_priorities_and_four_at_once, test_later_and_again, test_running_one_is_cancelled,
      test_what_cannot_be_done_fails, test_killed_in_the_middle, test_stopped_in_the_middle])
