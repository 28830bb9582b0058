"""Ardour itself, without a screen, as the judge of the sessions that we write."""

import collections
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

LUA, EXPORT = shutil.which("ardour7-lua"), shutil.which("ardour7-export")
SCRIPT = pathlib.Path(__file__).with_name("open_session.lua")


def require_ardour():
    if not LUA or not EXPORT:
        pytest.skip("ardour is not installed")


def attempt(*command):
    """Ardour wants a home for its settings: an empty one, each time."""
    with tempfile.TemporaryDirectory(prefix="stemd-ardour.") as home:
        return subprocess.run(
            [str(word) for word in command], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=600,
            env=dict(os.environ, HOME=home, XDG_CONFIG_HOME=home, XDG_CACHE_HOME=home, LC_ALL="C"))


def run(*command):
    """Ardour 7.3 without a screen dies of a signal now and then, mostly on a busy machine."""
    for _ in range(5):
        result = attempt(*command)
        if result.returncode >= 0:
            break
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def open_session(folder, *words):
    """What Ardour knows of a take's session: lists of the facts by their kinds (open_session.lua)."""
    text = run(LUA, SCRIPT, pathlib.Path(folder).resolve(), *words)
    facts = collections.defaultdict(list)
    for line in text.splitlines():
        kind, *fields = line.split("\t")
        facts[kind].append(fields)
    assert "end" in facts, text
    return facts


def bounce(folder, path):
    """What the master bus gives, over the session's range."""
    path.unlink(missing_ok=True)
    run(EXPORT, "-b", "24", "-o", path, pathlib.Path(folder).resolve(), "take")
