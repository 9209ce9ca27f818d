"""clang-format over all C++ files, with the one version the project has settled on."""

import concurrent.futures
import re
import shutil
import subprocess

from source import Finding

MAJOR = 16  # other versions format some lines differently
NEEDED = f"clang-format {MAJOR}"
BATCH = 40
DIAGNOSTIC = re.compile(r"^(?P<path>[^:\n]+):(?P<line>\d+):\d+: error: ", re.MULTILINE)


def program():
    """The name of a clang-format of the right version, or None."""
    for name in (f"clang-format-{MAJOR}", "clang-format"):
        if shutil.which(name) is None:
            continue
        version = subprocess.run([name, "--version"], capture_output=True, text=True).stdout
        if re.search(rf"version {MAJOR}\.", version):
            return name
    return None


def check(root, paths):
    """Findings of `paths`, relative to `root`; each file once, at its first bad line."""
    name = program()
    batches = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]

    def run(batch):
        return subprocess.run(
            [name, "--dry-run", "-Werror", "--style=file", *batch],
            cwd=root,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in pool.map(run, batches):
            seen = set()
            for match in DIAGNOSTIC.finditer(done.stderr):
                if match["path"] not in seen:
                    seen.add(match["path"])
                    yield Finding(
                        match["path"],
                        int(match["line"]),
                        "format",
                        f"run {name} -i {match['path']}",
                    )
            if done.returncode != 0 and not seen:
                yield Finding(
                    ".clang-format", 0, "format", f"{name} failed: {done.stderr.strip()[:300]}"
                )
