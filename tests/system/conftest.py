import itertools
import os

import pytest

import studio as studio_module

_numbers = itertools.count()


@pytest.fixture
def studio(tmp_path):
    """An empty studio; the test starts what it needs."""
    the_studio = studio_module.Studio(tmp_path, f"stemdtest{os.getpid()}n{next(_numbers)}")
    try:
        yield the_studio
    finally:
        the_studio.close()


@pytest.fixture
def two_stems(studio):
    """A running studio: a ruler with 4 ports at full scale, two stereo stems of two ports each."""
    studio.server()
    studio.ruler(4)
    studio.configure(
        '{ name = "Drums"; inputs = ( { name = "Kit"; from = ["ruler:out_1", "ruler:out_2"]; } ); },'
        '{ name = "Lead Vocals"; inputs = ( { name = "Lead"; from = "ruler:out_3"; } ); }')
    studio.stemd()
    studio.channels = [("01_Drums.wav", 1, [1]), ("01_Drums.wav", 2, [2]),
                       ("02_Lead-Vocals.wav", 1, [3]), ("02_Lead-Vocals.wav", 2, [3])]
    return studio
