import resource

import pytest

from app.protocol import raise_descriptor_limit


@pytest.fixture
def descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_process_gets_as_many_descriptors_as_it_may(descriptors):
    _, hard = descriptors
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))

    connections = raise_descriptor_limit()

    soft, unchanged = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert unchanged == hard
    assert soft == 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    assert soft // 2 <= connections < soft
