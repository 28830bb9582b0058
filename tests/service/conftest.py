import signal

import pytest

from machine import Machine
from service import Service


def pytest_configure():
    """A run that is told to end clears up as after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def machine():
    the_machine = Machine()
    try:
        yield the_machine
    finally:
        the_machine.end()


@pytest.fixture
def service(machine):
    """stemd.service as installed, at rest, with nothing of earlier tests."""
    the_service = Service(machine)
    the_service.reset()
    yield the_service
    the_service.reset()


def pytest_terminal_summary(terminalreporter):
    count = {word: len(terminalreporter.stats.get(word, [])) for word in
             ("passed", "failed", "error", "skipped")}
    skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
    terminalreporter.write_line(
        f"{count['passed']} passed, {count['failed'] + count['error']} failed{skipped}")
