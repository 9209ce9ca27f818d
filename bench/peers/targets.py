"""The servers under test: each runs on a fresh port from a generated config and is ended by pid."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import procfs

HERE = os.path.dirname(os.path.abspath(__file__))
CHAT = "/v1/chat/completions"
READY_LIMIT_S = 20
STOP_LIMIT_S = 8
SLOTS = 2000


class TargetFailure(Exception):
    """A server did not start, or did not answer as the stub does."""


def free_port():
    """A port of 127.0.0.1 that the kernel has just called free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, method="POST", path=CHAT, body=b'{"model":"stub-model"}', timeout=5):
    """One request on its own connection: (status, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body if method == "POST" else None,
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def pinned(command, cpu):
    """The command held to one processor; None = not held."""
    return command if cpu is None else ["taskset", "-c", str(cpu), *command]


def first_line_of(command):
    """What a program says about its version."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unknown ({error})"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"


class Process:
    """A child process in the foreground whose output goes to a file."""

    def __init__(self, command, directory, stdout=None):
        self.command = command
        self.log = tempfile.TemporaryFile(dir=directory)
        self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                       stdout=stdout or self.log, stderr=self.log,
                                       preexec_fn=procfs.die_with_parent)

    @property
    def pid(self):
        return self._child.pid

    @property
    def stdout(self):
        return self._child.stdout

    def ended(self):
        return self._child.poll() is not None

    def last_words(self):
        self.log.seek(0)
        return self.log.read()[-800:].decode(errors="replace").strip()

    def stop(self):
        """Ends the process by its pid, politely first."""
        if not self.ended():
            self._child.terminate()
            try:
                self._child.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                for pid in reversed(procfs.tree(self.pid)[1:]):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self._child.kill()
                self._child.wait()
        if self.stdout is not None:
            self.stdout.close()
        self.log.close()


class StubFleet:
    """The stub workers: one process, one port each."""

    def __init__(self, program, count, cpu, directory):
        ports = ",".join(["0"] * count)
        command = pinned([program, "--ports", ports, "--parallel", str(SLOTS)], cpu)
        self.process = Process(command, directory, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise TargetFailure(f"the stub worker did not start: {self.process.last_words()}")
        self.ports = json.loads(line)["ports"]
        self.chat_body = ask(self.ports[0])[1]

    def requests(self):
        """Chat requests that each worker got so far."""
        _, body = ask(self.ports[0], "GET", "/stub/statistics")
        return [worker["requests"] for worker in json.loads(body)["workers"]]


class Target:
    """A proxy in front of the fleet; `direct` (no proxy) is the base of comparison."""

    name = "direct"
    has_process = False

    def __init__(self, fleet, settings):
        self.fleet = fleet
        self.settings = settings
        self.ports = fleet.ports
        self._process = None

    def start(self):
        """Starts the server and waits until it passes an answer on byte for byte."""

    def stop(self):
        """Ends the server."""

    def pids(self):
        """The processes whose CPU time counts. For `direct` that is the stub worker's."""
        return procfs.tree(self.fleet.process.pid)

    def check_alive(self):
        """Raises TargetFailure if the server has ended."""

    @classmethod
    def version(cls, _settings):
        return ""


class Proxy(Target):
    """A target with a process of its own."""

    has_process = True

    def start(self):
        failure = None
        for _ in range(3):  # Somebody else may take the port between free_port() and its use.
            port = free_port()
            directory = tempfile.mkdtemp(prefix=self.name + "-", dir=self.settings.directory)
            command = pinned(self.prepare(port, directory), self.settings.proxy_cpu)
            self._process = Process(command, self.settings.directory)
            self.ports = [port]
            try:
                return self._wait_until_ready(port)
            except TargetFailure as error:
                failure = error
                self.stop()
        raise failure

    def _wait_until_ready(self, port):
        limit = time.monotonic() + READY_LIMIT_S
        seen = "no answer"
        while time.monotonic() < limit:
            if self._process.ended():
                raise TargetFailure(f"{self.name} ended at start: {self._process.last_words()}")
            try:
                status, body = ask(port)
            except (OSError, http.client.HTTPException) as error:
                seen = repr(error)
            else:
                if status == 200 and body == self.fleet.chat_body:
                    return
                seen = f"status {status}, body {body[:200]!r}"
            time.sleep(0.05)
        raise TargetFailure(f"{self.name} does not pass on the stub's answer: {seen}; "
                            f"its log ends: {self._process.last_words()}")

    def stop(self):
        if self._process is not None:
            self._process.stop()
            self._process = None

    def pids(self):
        return procfs.tree(self._process.pid)

    def check_alive(self):
        if self._process.ended():
            raise TargetFailure(f"{self.name} ended: {self._process.last_words()}")

    def fill(self, template, directory, **values):
        """Writes a config file from a template and returns its path."""
        with open(os.path.join(HERE, template), encoding="utf-8") as file:
            text = file.read()
        values.update(dir=directory, threads=self.settings.threads)
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        path = os.path.join(directory, template.removesuffix(".in"))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


def program(name):
    """Full path of an installed program, also from the folders that only root has in PATH."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


class Nginx(Proxy):
    name = "nginx"

    def prepare(self, port, directory):
        workers = "\n".join(f"    server 127.0.0.1:{worker};" for worker in self.fleet.ports)
        user = "root" if os.geteuid() == 0 else "nobody"
        config = self.fill("nginx.conf.in", directory, port=port, workers=workers, user=user,
                           files=self.settings.files)
        return [program("nginx"), "-p", directory, "-c", config]

    @classmethod
    def version(cls, _settings):
        return first_line_of([program("nginx"), "-v"])


class Haproxy(Proxy):
    name = "haproxy"

    def prepare(self, port, directory):
        workers = "\n".join(f"  server w{number} 127.0.0.1:{worker}"
                            for number, worker in enumerate(self.fleet.ports, 1))
        config = self.fill("haproxy.cfg.in", directory, port=port, workers=workers)
        return [program("haproxy"), "-db", "-f", config]

    @classmethod
    def version(cls, _settings):
        return first_line_of([program("haproxy"), "-v"])


class Lmbalancer(Proxy):
    name = "lmbalancer"

    def prepare(self, port, directory):
        config = {"listen": [f"127.0.0.1:{port}"], "admin": {"listen": []},
                  "threads": self.settings.threads,
                  "workers": [{"name": f"w{number}", "url": f"http://127.0.0.1:{worker}",
                               "slots": SLOTS}
                              for number, worker in enumerate(self.fleet.ports, 1)]}
        config.update(self.settings.lmbalancer_config)
        path = os.path.join(directory, "lmbalancer.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file, indent=2)
        return [self.settings.lmbalancer, "serve", "-c", path]

    @classmethod
    def version(cls, settings):
        return first_line_of([settings.lmbalancer, "--version"])


TARGETS = {target.name: target for target in (Target, Nginx, Haproxy, Lmbalancer)}
