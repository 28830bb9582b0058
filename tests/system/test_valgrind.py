"""A short recording under valgrind: no byte is used that was not set or is not there, and none is
lost. The sanitizers do not see what libraries do with our memory; valgrind does."""

import os
import shutil

import pytest

from studio import Osc, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.skipif(
    not shutil.which("valgrind") or bool({"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ)),
    reason="needs valgrind, and a build without sanitizers")]


def test_valgrind_finds_nothing_in_a_short_recording(studio):
    log = studio.folder / "valgrind.log"
    studio.server(period=1024)
    studio.ruler(3)
    studio.configure(
        '{ name = "A"; inputs = ( { name = "In"; from = ["ruler:out_1", "ruler:out_2"]; } ); },'
        '{ name = "B"; channels = 1; inputs = ( { name = "In"; from = "ruler:out_3"; } ); }',
        tape=2.0)
    before = ["valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect",
              "--errors-for-leak-kinds=definite,indirect", "--error-exitcode=99",
              f"--log-file={log}"]
    studio.stemd(before=before)
    studio.ok("start", "Slow")
    osc = studio.osc()
    for packet in (b"/x\0", b"#bundle\0\0", Osc.message("/*/*?x"), Osc.message("/marker", "here")):
        osc.send(packet)
    osc.ask("/status")
    studio.run_for(0.5)
    studio.ok("split", "Slower")
    studio.run_for(0.5)
    studio.end(studio.ruler_process)
    wait_for(lambda: studio.connected("stemd:B/In") == [], "the source's end")
    folders = studio.folders() + [studio.ok("stop")]
    studio.daemon.terminate()
    code = studio.daemon.wait(300)
    assert (code, log.read_text()) == (0, "")
    first = folders[0]
    assert studio.check(first, [("01_A.wav", 1, [1]), ("01_A.wav", 2, [2]),
                                ("02_B.wav", 1, [3])])["gaps"] == 0
