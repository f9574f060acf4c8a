import shutil
import subprocess

import pytest
import yaml

from tests.benchmarks.eventgate.__main__ import FACTORY, prepare


def test_a_checkout_gets_all_that_its_settings_name(tmp_path):
    settings = yaml.safe_load(prepare(tmp_path).read_text())

    (service,) = settings["services"]
    streams = yaml.safe_load((tmp_path / "bench/streams.yaml").read_text())
    title = streams["bench.page.visit"]["schema_title"]
    assert service["conf"]["stream_config_uri"] == str(tmp_path / "bench/streams.yaml")
    (schemas,) = service["conf"]["schema_base_uris"]
    assert (tmp_path / schemas / title / "1.0.0.yaml").is_file()
    assert (tmp_path / "bench-factory.js").read_text() == FACTORY.read_text()


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_the_factory_can_be_read():
    subprocess.run(["node", "--check", str(FACTORY)], check=True)
