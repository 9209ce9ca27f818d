#!/usr/bin/env python3
"""Installs the locked npm packages outside the source tree, once per lock file, and runs the tests.

  run.py --node NODE --npm NPM --binary LMBALANCER --work DIR
"""

import argparse
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LOCK = HERE / "package-lock.json"


def installed(npm, work):
    """The folder with node_modules for this lock file."""
    key = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder = work / key
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL)
        (folder / "complete").touch()
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--node", required=True)
    parser.add_argument("--npm", required=True)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()

    folder = installed(arguments.npm, arguments.work)
    tests = []
    for source in sorted(HERE.glob("*.mjs")):
        shutil.copy(source, folder)
        if source.name.endswith("_test.mjs"):
            tests.append(source.name)
    if not tests:
        sys.exit("clients: no test, which cannot be right")
    environment = dict(os.environ, LMBALANCER_BINARY=str(arguments.binary.resolve()))
    command = [arguments.node, "--test", *tests]
    sys.exit(
        subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL).returncode
    )


if __name__ == "__main__":
    main()
