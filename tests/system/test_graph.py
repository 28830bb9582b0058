"""Whatever others do in the graph while a take runs: ports that are renamed, connected twice, fed by
several sources, and a client that floods the graph with changes."""

import pytest

from studio import BUILD, wait_for

FUSS = BUILD / "tests/support/graph_fuss"

pytestmark = pytest.mark.sanitize


def judge(studio, folder, channels):
    """The ruler's judgement, and stemctl's."""
    counts = studio.check(folder, channels)
    result = studio.stemctl("verify", folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return counts


def fuss(studio, *words):
    result = studio.run(FUSS, studio.server_name, *words)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.strip()


def test_graph_changes_by_the_hundred_make_no_gap(two_stems):
    two_stems.ok("start")
    two_stems.run_for(0.3)
    print(fuss(two_stems, "flood", 150, "ruler:out_1"))
    assert two_stems.answers()
    two_stems.run_for(0.3)
    for port, source in (("Drums/Kit-L", "ruler:out_1"), ("Lead Vocals/Lead", "ruler:out_3")):
        assert two_stems.connected(f"stemd:{port}") == [source]
    assert judge(two_stems, two_stems.ok("stop"), two_stems.channels)["gaps"] == 0


def test_graph_ports_that_are_renamed_stay_connected(two_stems):
    two_stems.ok("start")
    two_stems.run_for(0.2)
    fuss(two_stems, "rename", "ruler:out_1", "kick")
    fuss(two_stems, "rename", "stemd:Lead Vocals/Lead", "mine now")
    two_stems.run_for(0.3)
    assert two_stems.connected("stemd:Drums/Kit-L") == ["ruler:kick"]
    assert judge(two_stems, two_stems.ok("stop"), two_stems.channels)["gaps"] == 0


def test_graph_port_that_gets_the_wanted_name_is_connected(studio):
    studio.server()
    studio.ruler(2)
    studio.configure('{ name = "A"; inputs = ( { name = "In"; from = "ruler:kick"; } ); }')
    studio.stemd()
    assert studio.connected("stemd:A/In") == []
    fuss(studio, "rename", "ruler:out_2", "kick")
    wait_for(lambda: studio.connected("stemd:A/In") == ["ruler:kick"], "connection")
    folder = studio.record(0.3)
    judge(studio, folder, [("01_A.wav", 1, [2]), ("01_A.wav", 2, [2])])


def test_graph_connection_that_is_made_twice_counts_once(two_stems):
    two_stems.run("jack_connect", "ruler:out_1", "stemd:Drums/Kit-L")
    folder = two_stems.record(0.3)
    assert two_stems.connected("stemd:Drums/Kit-L") == ["ruler:out_1"]
    judge(two_stems, folder, two_stems.channels)


def test_graph_sources_of_one_port_are_summed(studio):
    """JACK sums what is connected to one port: it is all heard, and so recorded."""
    studio.server()
    studio.ruler(3, bits=20)  # the sum stays below full scale
    studio.configure('{ name = "A"; inputs = ( { name = "In"; from = "/ruler:out_[123]/"; } ); }')
    studio.stemd()
    assert len(studio.connected("stemd:A/In")) == 3
    folder = studio.record(0.3)
    judge(studio, folder, [("01_A.wav", 1, [1, 2, 3]), ("01_A.wav", 2, [1, 2, 3])])


def test_graph_source_that_goes_in_the_take_leaves_silence(two_stems):
    """A cable that is pulled is no gap: nothing comes in, and that is recorded."""
    two_stems.ok("start")
    two_stems.run_for(0.2)
    two_stems.end(two_stems.ruler_process)
    wait_for(lambda: two_stems.connected("stemd:Drums/Kit-L") == [], "the source's end")
    two_stems.run_for(0.2)
    folder = two_stems.ok("stop")
    assert two_stems.manifest(folder)["gaps"] == []
    assert two_stems.stemctl("verify", folder).returncode == 0
