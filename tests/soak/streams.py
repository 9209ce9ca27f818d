#!/usr/bin/env python3
"""Holds COUNT streams at once through one balancer: its three workers send a first token to each,
and the rest when all have begun. Fails unless all ran at the same moment, every answer came whole,
and nothing is left.

  streams.py --binary LMBALANCER [--count 5000]
"""

import argparse
import asyncio
import json
import math
import pathlib
import re
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

WORKERS = 3
TOKENS = 20  # Of each answer.
MODELS = {"/lmstudio-greeting": '{"lmstudio":true}'}
MODELS["/api/v0/models"] = (
    '{"object":"list","data":[{"id":"held","object":"model","type":"llm","state":"loaded"}]}'
)


class HoldingWorkers:
    """Workers that begin each answer at once and end none before release(). A thread of its own."""

    def __init__(self):
        self.ports = []
        self.begun = 0
        self._loop = asyncio.new_event_loop()
        self._released = asyncio.Event()
        for _ in range(WORKERS):
            server = asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096)
            sockets = self._loop.run_until_complete(server).sockets
            self.ports.append(sockets[0].getsockname()[1])
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def release(self):
        self._loop.call_soon_threadsafe(self._released.set)

    async def _serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"^content-length: (\d+)", head, re.IGNORECASE | re.MULTILINE)
                await reader.readexactly(int(length.group(1)) if length else 0)
                await self._answer(head.split(" ", 2), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, request, writer):
        if request[0] == "GET":
            body = MODELS.get(request[1], '{"error":"Unexpected endpoint or method."}')
            head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            return
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        token = 'data: {"choices":[{"index":0,"delta":{"content":"a "}}]}\n\n'
        last = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
        last += "data: [DONE]\n\n"
        writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n{chunk(token)}".encode())
        self.begun += 1
        await self._released.wait()
        for _ in range(TOKENS - 1):
            writer.write(chunk(token).encode())
            await asyncio.sleep(0.02)
        writer.write(f"{chunk(last)}0\r\n\r\n".encode())


def chunk(text):
    return f"{len(text):x}\r\n{text}\r\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_descriptors(needed):
    """A balancer needs two for each stream: to its client and to its worker."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        sys.exit(f"streams: needs {needed} descriptors, the hard limit is {hard}: raise ulimit -Hn")
    if soft == resource.RLIM_INFINITY or soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def resident_kib(process):
    listed = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(process.pid)], capture_output=True, text=True, check=True
    )
    return int(listed.stdout)


def sums(port, *families):
    """Each family's sum over all its series."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        page = answer.read().decode()
    found = {}
    for family in families:
        lines = re.findall(rf"^{family}(?:\{{.*\}})? (\S+)$", page, re.MULTILINE)
        found[family] = sum(float(value) for value in lines)
    return found


def wait_until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    sys.exit(f"streams: {what} within {seconds} s")


def all_up(port):
    try:
        return sums(port, "lmbalancer_worker_up")["lmbalancer_worker_up"] == WORKERS
    except OSError:
        return False


def run(arguments, folder, started):
    count = arguments.count
    slots = max(2000, math.ceil(count / WORKERS))
    workers = HoldingWorkers()
    port = free_port()
    log = folder / "access.log"
    config = {
        "listen": [f"127.0.0.1:{port}"],
        "admin": {"listen": []},
        "workers": [{"url": f"http://127.0.0.1:{at}", "slots": slots} for at in workers.ports],
        "limits": {"connections": count + 100, "connections_per_client": count + 100},
        "telemetry": {"access_log": str(log)},
    }
    (folder / "lmbalancer.json").write_text(json.dumps(config))
    daemon = subprocess.Popen(
        [arguments.binary, "serve", "-c", folder / "lmbalancer.json"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started.append(daemon)
    wait_until(lambda: all_up(port), "the workers were not up")
    before = resident_kib(daemon)
    load = subprocess.Popen(
        [arguments.binary, "bench", "--url", f"http://127.0.0.1:{port}", "--warmup", "0"]
        + ["--concurrency", str(count), "--requests", str(count), "--prompt-tokens", "1"]
        + ["--timeout", "600s"]
        + ["--model", "held", "--json", folder / "bench.json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    started.append(load)
    running = "lmbalancer_inflight_requests"
    wait_until(lambda: workers.begun == count or load.poll() is not None, "not all began", 300)
    most, at_most = int(sums(port, running)[running]), resident_kib(daemon)
    workers.release()
    said = load.communicate()[0]
    # Its exit code judges its times too, which mean nothing here.
    result = json.loads((folder / "bench.json").read_text())["runs"][0]
    if result["completed"] != count:
        sys.exit(f"streams: not every answer came whole:\n{said}")
    if most != count:
        sys.exit(f"streams: {most} of {count} ran at once")
    expected = count * TOKENS
    if result["total_output_tokens"] != expected:
        sys.exit(f"streams: {result['total_output_tokens']} of {expected} tokens came")
    gauges = (running, "lmbalancer_queue_depth", "lmbalancer_worker_settling_slots")
    gauges += ("lmbalancer_body_memory_bytes",)
    wait_until(lambda: not any(sums(port, *gauges).values()), "something was left")
    daemon.terminate()
    if daemon.wait(60) != 0:
        sys.exit("streams: the balancer did not end well")
    lines = log.read_text().splitlines()
    chats = [json.loads(line) for line in lines if '"route":"/v1/chat/completions"' in line]
    whole = sum(1 for line in chats if line["status"] == 200 and line["error"] is None)
    if whole != count or len(chats) != count:
        sys.exit(f"streams: {len(chats)} access lines, {whole} of whole answers, for {count}")
    each = (at_most - before) / count
    print(
        f"streams: {count} at once, all whole, nothing left; resident memory of the balancer "
        f"{before} KiB before, {at_most} KiB at most ({each:.1f} KiB a stream)"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=5000)
    arguments = parser.parse_args()
    raise_descriptors(2 * arguments.count + 1000)
    started = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            run(arguments, pathlib.Path(folder), started)
        finally:
            for process in started:
                process.kill()
                process.wait()


if __name__ == "__main__":
    main()
