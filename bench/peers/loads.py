"""The load programs: wrk for plain requests, lmb_stream_load for streams and idle connections."""

import json
import os
import subprocess

import procfs
from targets import CHAT, HERE, pinned, program

MARGIN_S = 20


class LoadFailure(Exception):
    """A load program did not do its work."""


def _run_lines(command, limit_s, on_line, stdin=subprocess.DEVNULL, env=None):
    """Runs a load program; on_line gets each JSON line it prints and the child. Last line wins."""
    child = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, env=env, preexec_fn=procfs.die_with_parent)
    last = None
    try:
        for line in child.stdout:
            line = line.removeprefix("RESULT ")
            if line.startswith("{"):
                last = json.loads(line)
                on_line(last, child)
        child.wait(limit_s)
    except subprocess.TimeoutExpired:
        raise LoadFailure(f"{command} did not end") from None
    finally:
        if child.poll() is None:
            child.kill()
        errors = child.stderr.read()
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()
    if last is None:
        raise LoadFailure(f"{command} printed no result: {errors.strip()[-300:]}")
    return last


def plain(settings, port, connections, seconds, body_file):
    """wrk over keep-alive connections with one POST body; its result line as a dict."""
    command = [program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
               "-s", os.path.join(HERE, "post.lua"), f"http://127.0.0.1:{port}{CHAT}"]
    return _run_lines(pinned(command, settings.load_cpu), seconds + MARGIN_S, lambda *_: None,
                      env={**os.environ, "LMB_BODY": body_file})


def streams(settings, ports, options, on_window=None):
    """lmb_stream_load streams; on_window("window_start" | "window_end", line) as they happen."""
    command = [settings.stream_load, "streams", "--ports", ",".join(map(str, ports))]
    for name, value in options.items():
        command += ["--" + name.replace("_", "-"), str(value)]

    def on_line(line, _child):
        if on_window is not None and line["at"] != "result":
            on_window(line["at"], line)

    return _run_lines(pinned(command, settings.load_cpu), options["limit_s"] + MARGIN_S, on_line)


def idle(settings, ports, connections, on_open):
    """lmb_stream_load idle; on_open() is called while all connections are held."""
    command = [settings.stream_load, "idle", "--ports", ",".join(map(str, ports)),
               "--connections", str(connections), "--limit-s", "40"]

    def on_line(line, child):
        if line["at"] == "open":
            on_open()
            child.stdin.close()

    return _run_lines(pinned(command, settings.load_cpu), 40 + MARGIN_S, on_line,
                      stdin=subprocess.PIPE)
