"""The JACK server: waited for, never started, told apart; ports, names and connections on it."""

import os
import signal

import pytest

from studio import mono_stems, wait_for

STEM = '{ name = "Drums"; inputs = ( { name = "Kick"; from = "ruler:out_1"; } ); }'


def all_connected(two_stems):
    """Ports are connected one by one: a take that begins in between would have silence in it."""
    for port, source in (("Drums/Kit-L", 1), ("Drums/Kit-R", 2), ("Lead Vocals/Lead", 3)):
        wait_for(lambda p=port, s=source: two_stems.connected(f"stemd:{p}") == [f"ruler:out_{s}"],
                 f"connection of {port}")
    two_stems.settle()


def test_server_is_waited_for(studio):
    studio.configure(STEM)
    studio.stemd(on_server=False)
    wait_for(lambda: "running" in studio.status()["message"], "the server's absence")
    status = studio.status()
    assert (status["state"], status["jack"], status["server"]) == (
        "idle", "waiting", studio.server_name)
    assert status["message"] == (
        f'waiting: cannot connect to JACK server "{studio.server_name}": it is not running')
    refused = studio.osc().ask("/record/start")
    assert refused[:3] == ["/error", "/record/start", -6]
    assert studio.server_name in refused[3]
    studio.server()
    wait_for(lambda: studio.status()["jack"] == "running", "stemd on the server")
    studio.ruler(1)
    folder = studio.record(0.2)
    studio.check(folder, [("01_Drums.wav", 1, [1])])


def test_server_is_never_started(studio, tmp_path):
    """JACK's library starts what ~/.jackdrc says unless it is told not to."""
    home, marker = tmp_path / "home", tmp_path / "started"
    home.mkdir()
    starter = tmp_path / "starter"
    starter.write_text(f"#!/bin/sh\ntouch {marker}\n")
    starter.chmod(0o755)
    (home / ".jackdrc").write_text(f"{starter}\n")
    studio.configure(STEM)
    environment = {"HOME": str(home)}
    studio.environment.pop("JACK_NO_START_SERVER", None)
    studio.stemd(on_server=False, environment=environment)
    wait_for(lambda: studio.status()["jack"] == "waiting", "status")
    for _ in range(3):
        refused = studio.osc().ask("/record/start")
        assert refused[2] == -6
    assert studio.end(studio.daemon) == 0
    assert not marker.exists()


def test_server_that_goes_and_comes_back_is_used_again(two_stems):
    two_stems.end(two_stems.jackd)
    wait_for(lambda: two_stems.status()["jack"] == "waiting", "loss of the server")
    assert two_stems.stemctl("start").returncode in (0, 1)  # refused, or a take of a long gap
    two_stems.stemctl("stop")
    two_stems.server()
    two_stems.wait_for_log("of them connected", times=2)
    two_stems.end(two_stems.ruler_process)
    two_stems.ruler(4)
    all_connected(two_stems)
    folder = two_stems.record(0.3)
    two_stems.check(folder, two_stems.channels)


def test_server_that_is_killed_is_left_and_found_again(two_stems):
    two_stems.end(two_stems.jackd, signal.SIGKILL)
    wait_for(lambda: two_stems.status()["jack"] == "waiting", "loss of the server")
    two_stems.end_surely(two_stems.ruler_process)  # its library may hang now
    two_stems.server()
    two_stems.wait_for_log("of them connected", times=2)
    two_stems.ruler(4)
    all_connected(two_stems)
    folder = two_stems.record(0.3)
    two_stems.check(folder, two_stems.channels)


def test_server_at_another_rate_is_used_after_the_take(two_stems):
    two_stems.ok("start")
    two_stems.run_for(0.3)
    two_stems.end(two_stems.jackd)
    wait_for(lambda: two_stems.status()["jack"] == "waiting", "loss of the server")
    two_stems.server(rate=44100)
    two_stems.wait_for_log("of them connected", times=2)
    status = two_stems.status()
    assert (status["rate"], status["state"]) == (44100, "idle")
    (first,) = two_stems.folders()
    manifest = two_stems.manifest(first)
    assert manifest["rate_hz"] == 48000 and manifest["frames"] >= 0.3 * 48000
    assert manifest["progress"] in ("failed", "complete")
    two_stems.end(two_stems.ruler_process)
    two_stems.ruler(4)
    all_connected(two_stems)
    folder = two_stems.record(0.3)
    assert two_stems.manifest(folder)["rate_hz"] == 44100
    two_stems.check(folder, two_stems.channels)


def test_server_that_stays_away_ends_the_take(studio):
    """After server_wait, with what there is."""
    studio.server()
    studio.ruler(1)
    studio.configure(STEM, server_wait=0.5)
    studio.stemd()
    folder = studio.ok("start")
    studio.run_for(0.3)
    studio.end(studio.jackd, signal.SIGKILL)
    studio.end_surely(studio.ruler_process)  # its library may hang now
    wait_for(lambda: studio.status()["state"] == "idle", "end of the take")
    manifest = studio.manifest(folder)
    assert (manifest["progress"], manifest["gaps"]) == ("complete", [])
    assert manifest["frames"] >= 0.3 * studio.rate
    studio.check(folder, [("01_Drums.wav", 1, [1])], end_ruler=False)
    assert studio.stemctl("verify", folder).returncode == 0


def test_server_ports_are_named_as_configured(studio):
    studio.server()
    studio.configure(
        '{ name = "Drums"; inputs = ( { name = "Kick"; }, { name = "Overheads"; channels = 2; } );'
        ' returns = ( { name = "Room"; channels = 2; }, { use = "Plate"; share = 0.4; } ); },'
        '{ name = "Quad"; channels = 4; inputs = ( { name = "All"; channels = 4; } );'
        ' returns = ( ); }',
        returns='( { name = "Plate"; channels = 2; } )')
    studio.stemd()
    ports = [line for line in studio.run("jack_lsp").stdout.split("\n") if line.startswith("stemd:")]
    assert sorted(ports) == sorted(f"stemd:{name}" for name in (
        "Drums/Kick", "Drums/Overheads-L", "Drums/Overheads-R", "Drums/Room-L", "Drums/Room-R",
        "Quad/All-1", "Quad/All-2", "Quad/All-3", "Quad/All-4", "Plate-L", "Plate-R"))


def test_server_ports_carry_metadata(studio):
    studio.server()
    studio.configure(
        '{ name = "Drums"; inputs = ( { name = "Kick"; }, { name = "Overheads"; channels = 2; } ); }')
    studio.stemd()

    def property_of(port, key):
        text = studio.run("jack_property", "-p", "-l", f"stemd:{port}",
                          f"http://jackaudio.org/metadata/{key}").stdout.strip()
        return text.split("\n")[-1]

    wait_for(lambda: property_of("Drums/Overheads-R", "order") != "", "metadata")
    assert property_of("Drums/Kick", "pretty-name") == "Kick"
    assert property_of("Drums/Overheads-R", "pretty-name") == "Overheads R"
    assert property_of("Drums/Overheads-R", "port-group") == "Drums"
    orders = [property_of(f"Drums/{name}", "order")
              for name in ("Kick", "Overheads-L", "Overheads-R")]
    assert orders == ["0", "1", "2"]


def test_server_ports_that_appear_later_are_connected(studio):
    studio.server()
    studio.configure(
        '{ name = "A"; inputs = ( { name = "Exact"; from = "late:out_1"; } ); },'
        '{ name = "B"; inputs = ( { name = "Pattern"; from = "/late:out_[23]/"; } ); },'
        '{ name = "C"; inputs = ( { name = "Anchored"; from = "/out_1/"; } ); }', client="recorder")
    studio.stemd()
    assert studio.connected("recorder:A/Exact") == []
    studio.ruler(3, client="late")
    wait_for(lambda: len(studio.connected("recorder:B/Pattern")) == 2, "connections")
    assert studio.connected("recorder:A/Exact") == ["late:out_1"]
    assert sorted(studio.connected("recorder:B/Pattern")) == ["late:out_2", "late:out_3"]
    assert studio.connected("recorder:C/Anchored") == []  # a pattern fits the whole name


def test_server_ports_that_come_back_are_connected_again(studio):
    studio.server()
    studio.configure(
        '{ name = "A"; inputs = ( { name = "Exact"; from = "late:out_1"; } ); },'
        '{ name = "B"; inputs = ( { name = "Pattern"; from = "/late:out_[23]/"; } ); }')
    studio.stemd()
    studio.ruler(3, client="late")
    wait_for(lambda: len(studio.connected("stemd:B/Pattern")) == 2, "connections")
    studio.end(studio.ruler_process)
    wait_for(lambda: studio.connected("stemd:A/Exact") == [], "the source's end")
    studio.ruler(3, client="late")
    wait_for(lambda: len(studio.connected("stemd:B/Pattern")) == 2, "connections again", seconds=5)
    assert studio.connected("stemd:A/Exact") == ["late:out_1"]


def test_server_connections_cut_by_hand_stay_cut(two_stems):
    two_stems.run("jack_disconnect", "ruler:out_1", "stemd:Drums/Kit-L")
    two_stems.run("jack_connect", "ruler:out_4", "stemd:Drums/Kit-L")
    two_stems.ruler(1, client="another")
    folder = two_stems.record(0.3)
    assert two_stems.connected("stemd:Drums/Kit-L") == ["ruler:out_4"]
    two_stems.end(two_stems.ruler_process)
    two_stems.ruler_log = two_stems.folder / "ruler.late"
    two_stems.check(folder, [("01_Drums.wav", 1, [4])] + two_stems.channels[1:], end_ruler=False)


def test_server_in_real_time_mode_is_recorded_exactly(studio):
    studio.server(period=128, realtime=True)
    studio.ruler(4)
    stems, channels = mono_stems(4)
    studio.configure(stems)
    studio.stemd()
    studio.check(studio.record(1), channels)


def test_server_name_and_client_name_come_from_the_command_line(studio):
    studio.server()
    studio.configure(STEM, server="nowhere")
    studio.stemd("--server", studio.server_name, "--client", "other")
    assert "other:Drums/Kick" in studio.run("jack_lsp").stdout.split()


def test_server_port_limit_is_told(studio):
    studio.server(ports=128)
    inputs = ", ".join(f'{{ name = "I{n}"; }}' for n in range(300))
    studio.configure(f'{{ name = "Many"; inputs = ( {inputs} ); }}')
    studio.stemd(on_server=False, wait=False)
    assert studio.daemon.wait(60) == 1
    log = studio.read("stemd.log")
    assert "JACK refused port" in log and "jackd -p" in log


def test_server_is_not_hurt_by_the_end_of_many_ports(studio):
    """JACK2 1.9.21 comes to a stand when a client with that many ports is closed with them."""
    studio.server(ports=2048)
    stems = ", ".join(f'{{ name = "S{k}"; channels = 8; inputs = ( '
                      + ", ".join(f'{{ name = "I{n}"; channels = 8; }}' for n in range(4)) + " ); }"
                      for k in range(16))
    studio.configure(stems)
    studio.stemd()
    studio.daemon.terminate()
    assert studio.daemon.wait(10) == 0
    assert studio.run("jack_lsp", timeout=10).returncode == 0


@pytest.mark.parametrize("closed", ["stdin", "all"])
def test_server_is_recorded_without_standard_files(studio, closed):
    """A service or a script may close them; descriptors 0 to 2 then belong to something else."""
    studio.server()
    studio.ruler(1)
    studio.configure(STEM)

    def close():
        for fd in [0] if closed == "stdin" else [0, 1, 2]:
            os.close(fd)

    studio.stemd(on_server=False, preexec_fn=close)
    wait_for(lambda: studio.status()["jack"] == "running", "stemd on the server")
    wait_for(lambda: studio.connected("stemd:Drums/Kick"), "connection")
    folder = studio.record(0.3)
    studio.check(folder, [("01_Drums.wav", 1, [1])])


def test_server_sees_no_stemd_after_its_end(two_stems):
    assert two_stems.end(two_stems.daemon) == 0
    assert "stemd:" not in two_stems.run("jack_lsp").stdout
    assert two_stems.ruler_process.poll() is None
