"""Jobs over WebSocket and HTTP: turns, priorities, times, cancelling, and a kill in the middle of one."""
import asyncio
import contextlib
import json
import time

from hubtest import Client, Engine, equal, indexed, main

FILES_LONG = 4000  # to read all of them takes longer than an answer


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
    equal((code, problem["type"]), (409, "/problems/conflict"))
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
    """All are due at one moment."""
    await indexed(engine)
    client = await Client.open(engine)
    await client.subscribe(events=["job.*"])
    due = int(time.time() * 1000) + 6000
    wanted = {}
    for i in range(24):
        job_id = await submit(client, kind="reindex", request={"path": "a.c"}, priority=i % 4, run_at_ms=due)
        wanted[job_id] = i % 4
    assert time.time() * 1000 < due, "too slow to tell"
    jobs = {}
    while len(jobs) < len(wanted):
        event = await client.next_event()
        if event.get("event_type") == "job.completed" and event["subject"] in wanted:
            jobs[event["subject"]] = event["data"]
    edges = sorted([(j["started_at"], 1) for j in jobs.values()] + [(j["completed_at"], -1) for j in jobs.values()])
    running, most = 0, 0
    for _, change in edges:
        running += change
        most = max(most, running)
    equal(most, 4)
    for rank in range(1, 4):
        last = max(jobs[j]["started_at"] for j in jobs if wanted[j] == rank)
        first = min(jobs[j]["started_at"] for j in jobs if wanted[j] == rank - 1)
        assert last <= first, f"{rank}: {last} {first}"
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
    later = await submit(client, kind="retry", delay_s=3600)
    equal((await status(client, later))["status"], "pending")
    assert (await client.request("job.cancel", {"job_id": later}))["success"]
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
    for i in range(FILES_LONG):
        engine.write(f"many{i}.c", f"int many{i}(void) {{ return {i}; }}\n")
    await indexed(engine, FILES_LONG + 2)
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


@contextlib.asynccontextmanager
async def busy_engine(program):
    """One that takes a while to read all it has."""
    own = Engine(program)
    try:
        for i in range(400):
            own.write(f"f{i}.c", f"int f{i}(void) {{ return {i}; }}\n")
        own.start()
        await indexed(own, 402)
        yield own
    finally:
        own.finish()


async def test_killed_in_the_middle(engine):
    """What was acknowledged is there, what ran is begun again, and no end is told twice."""
    async with busy_engine(engine.program) as own:
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


async def test_stopped_in_the_middle(engine):
    """An end that the user asked for is no failure of the job."""
    async with busy_engine(engine.program) as own:
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


def entity(number, text=""):
    return {"lang": "c", "kind": "function", "name": f"pushed{number}", "path": f"dir/{number % 10}.c",
            "signature": f"int pushed{number}(void){text}",
            "range": {"start": {"line": number, "character": 0}, "end": {"line": number, "character": 9}}}


async def test_entities_are_stored_later(engine):
    """In a workspace that the request makes: 202, then all of them but the bad ones."""
    client = await Client.open(engine)
    entities = [entity(i) for i in range(2300)]
    entities[7] = {"lang": "c"}
    code, made = await call(engine, "POST", "/v1/libraries/later/documents/batch-async", {"documents": entities})
    equal(code, 404)
    code, made = await call(engine, "POST", "/v1/workspaces/later/entities/batch-async?create=1",
                            {"entities": entities})
    equal((code, made["status"]), (202, "submitted"))
    await client.subscribe(workspace="later", events=["job.*"], since={"seq": 0})
    event = (await client.until(of_job("job.completed", made["job_id"])))[-1]
    result = event["data"]["result"]
    equal((result["stored"], result["failed"], result["again"]), (2299, 1, 0))
    equal([e["index"] for e in result["errors"]], [7])
    assert result["errors"][0]["error"], result
    code, found = await call(engine, "GET", "/v1/workspaces/later/search?q=pushed2299")
    equal((code, found["results"][0]["name"]), (200, "pushed2299"))
    for method, path, data, expected in (
            ("POST", "/v1/workspaces/later/reindex", {}, 409),
            ("POST", "/v1/workspaces/later/entities/batch-async", {"entities": []}, 400),
            ("POST", "/v1/workspaces/later/entities/batch-async", {"entities": [1]}, 400),
            ("POST", f"/v1/workspaces/{client.hello['workspaces'][0]['id']}/entities/batch-async",
             {"entities": [entity(1)]}, 409)):
        code, problem = await call(engine, method, path, data)
        equal((code, problem["status"]), (expected, expected), path)
    await client.close()


async def test_entities_outlive_a_kill(engine):
    """Acknowledged batches, of which each replaces what the one before said: the last one wins, once."""
    own = Engine(engine.program)
    try:
        own.start()
        jobs = []
        for round_ in range(6):
            for _ in range(2):
                code, made = await call(own, "POST", "/v1/workspaces/killed/entities/batch-async?create=1",
                                        {"entities": [entity(i, f"/*{len(jobs)}*/") for i in range(1500)]})
                equal(code, 202)
                jobs.append(made["job_id"])
            await asyncio.sleep(0.03 * round_)  # anywhere in them
            own.kill()
            own.start()
        client = await Client.open(own)
        await client.subscribe(workspace="killed", events=["job.*"], since={"seq": 0})
        ended = {}
        while len(ended) < len(jobs):
            event = await client.next_event()
            if event.get("event_type") == "job.completed":
                assert event["subject"] not in ended, event
                ended[event["subject"]] = event["data"]["result"]
        equal(list(ended), jobs)  # in the order in which they came
        for result in ended.values():
            equal((result["stored"] + result["again"], result["failed"]), (1500, 0))
        for i in (0, 499, 500, 1499):
            code, got = await call(own, "GET", f"/v1/workspaces/killed/entities/c:fn:dir/{i % 10}.c%23pushed{i}")
            equal((code, got["entity"]["signature"]), (200, f"int pushed{i}(void)/*{len(jobs) - 1}*/"))
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
    job_id = await submit(client, kind="retry", delay_s=3600, workspace=client.hello["workspaces"][0]["id"])
    code, out = await gloss(engine, "jobs")
    equal(code, 0)
    line = [l for l in out.splitlines() if l.startswith(job_id)][0]
    assert "pending" in line and "retry" in line and line.endswith("  " + engine.root), out
    code, out = await gloss(engine, "status")
    assert "wait" in [l for l in out.splitlines() if l.startswith("  jobs ")][0], out
    code, out = await gloss(engine, "jobs", "--cancel", job_id, "--json")
    equal((code, json.loads(out)["status"]), (0, "cancelled"))
    code, out = await gloss(engine, "jobs", "--cancel", job_id)
    equal((code, "that waits or runs can be cancelled" in out), (1, True))
    code, out = await gloss(engine, "jobs", "--cancel", b"\xff")
    equal((code, "no such job" in out), (1, True))
    code, out = await gloss(engine, "jobs", "--cancel", job_id, "--retry", job_id)
    equal((code, "one of" in out), (2, True))
    code, out = await gloss(engine, "jobs")
    assert job_id not in out, out
    code, out = await gloss(engine, "jobs", "--all", "--json")
    assert job_id in [j["job_id"] for j in json.loads(out)["jobs"]], out
    code, out = await gloss(engine, "jobs", "--retry", "j-0123456789abcdef")
    equal((code, "no such job" in out), (1, True))
    await client.close()


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
