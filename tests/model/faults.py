#!/usr/bin/env python3
"""Plants faults in the code under test, one by one, each of which the model must find.

    faults.py LIBRARY COMPILER... [-- NAME...]

Compiles the code with each fault and links it with LIBRARY, which has the rest of the model; then one
scenario must fail in the way that is named. Tells in TAP. What a fault replaces must stand in its
file exactly once: one that no longer fits is to be fitted anew.
"""

import pathlib
import subprocess
import sys
import tempfile

from planted import FAULTS

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
JACK = subprocess.run(["pkg-config", "--cflags", "jack"], capture_output=True, text=True,
                      check=True).stdout.split()


def plant(fault, folder):
    """Writes the changed file; returns None, or why it cannot."""
    text = (TOP / fault.file).read_text()
    if text.count(fault.old) != 1:
        return f"what it replaces stands {text.count(fault.old)} times in {fault.file}"
    (folder / pathlib.Path(fault.file).name).write_text(text.replace(fault.old, fault.new))
    return None


def build(folder, library, compiler):
    """The program with the file that lies in the folder; a folder that comes first is looked into
    first."""
    changed = folder / "reader.c"
    reader = changed if changed.exists() else HERE / "reader.c"
    includes = [f"-I{path}" for path in (folder, HERE, TOP / "lib", TOP / "daemon")]
    program = folder / "model"
    subprocess.run([*compiler, "-std=c17", "-O2", "-w", "-D_GNU_SOURCE", *includes, *JACK,
                    HERE / "under_test.c", reader, library, "-o", program], check=True)
    return program


def find(fault, library, compiler):
    """None when the model finds the fault; else why not."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        trouble = plant(fault, folder)
        if trouble:
            return trouble
        result = subprocess.run(
            [build(folder, library, compiler), "--expect", fault.kind, fault.scenario],
            capture_output=True, text=True)
        return None if result.returncode == 0 else f"{result.stdout[-3000:]}{result.stderr}"


def main(words):
    words, names = (words[:words.index("--")], words[words.index("--") + 1:]) \
        if "--" in words else (words, None)
    faults = [fault for fault in FAULTS if names is None or fault.name in names]
    failed = 0
    for number, fault in enumerate(faults, 1):
        trouble = find(fault, words[0], words[1:])
        failed += trouble is not None
        for line in (trouble or "").splitlines():
            print(line if line.startswith("#") else f"# {line}")
        print(f"{'not ' if trouble else ''}ok {number} - {fault.name} is {fault.kind} in "
              f"{fault.scenario}", flush=True)
    print(f"1..{len(faults)}")
    return 1 if failed or not faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
