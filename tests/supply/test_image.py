"""The container: not root, nothing writable or installed that need not be."""

import re
from typing import Any

import pytest
import yaml

from app.config import load_settings
from tests.support import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
STAGES = [
    re.sub(r"\\\n\s*", "", stage)
    for stage in re.split(r"^(?=FROM )", DOCKERFILE, flags=re.MULTILINE)[1:]
]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["sluiceway"]
PAGE = (ROOT / "docs" / "container.md").read_text()
MANIFEST = yaml.safe_load(re.findall(r"```yaml\n(apiVersion.*?)```", PAGE, re.DOTALL)[0])
POD = MANIFEST["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


def orders(stage: str, word: str) -> list[str]:
    return re.findall(rf"^{word} (.*)$", stage, re.MULTILINE)


def test_the_last_word_about_its_user_is_a_number_and_not_roots():
    (user,) = orders(STAGES[-1], "USER")
    uid, gid = map(int, user.split(":"))

    assert uid > 0
    assert gid > 0
    (made,) = (run for run in orders(STAGES[-1], "RUN") if "useradd" in run)
    assert f"--uid {uid} " in made
    assert STAGES[-1].index("USER ") > STAGES[-1].rindex("RUN ")


def test_it_is_built_on_one_exact_version_in_every_stage():
    bases = [stage.split()[1] for stage in STAGES]

    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", bases[0])


def test_what_is_installed_is_pinned():
    (install,) = (run for run in orders(STAGES[0], "RUN") if " install " in run)

    assert "--constraint constraints.txt" in install


def test_what_runs_has_no_tools_to_build_or_install_with():
    (remove,) = (run for run in orders(STAGES[-1], "RUN") if "pip" in run)

    assert "pip uninstall --yes pip" in remove
    assert not re.search(r"apt|curl|wget|gcc|pip install", STAGES[-1])
    assert "--without-pip" in STAGES[0]
    assert [copy.split()[0] for copy in orders(STAGES[-1], "COPY")] == ["--from=build"]


def test_nothing_secret_is_put_into_it():
    for stage in STAGES:
        assert not orders(stage, "ADD")
        assert not re.search(r"(?i)password|secret|token|--build-arg|^ARG ", stage, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[0] == "*"
    assert "!.git" not in ignored


def test_it_says_whether_it_is_well_and_stops_when_asked():
    assert "HEALTHCHECK" in STAGES[-1]
    assert orders(STAGES[-1], "STOPSIGNAL") == ["SIGTERM"]
    assert orders(STAGES[-1], "CMD")[-1] == '["sluiceway", "serve"]'  # no shell in between


def test_its_settings_are_settings(monkeypatch):
    (env,) = orders(STAGES[-1], "ENV")
    named = dict(each.split("=", 1) for each in env.split())
    for name, value in named.items():
        if name.startswith("SLUICEWAY_"):
            monkeypatch.setenv(name, value)

    settings = load_settings()

    assert settings.log.format == "json"
    assert settings.http.host == "0.0.0.0"


def test_compose_lets_it_write_to_its_volume_and_memory_only():
    assert COMPOSE["read_only"] is True
    assert [each.partition(":")[0] for each in COMPOSE["tmpfs"]] == ["/tmp"]
    assert COMPOSE["cap_drop"] == ["ALL"]
    assert COMPOSE["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in COMPOSE
    assert [volume.partition(":")[2] for volume in COMPOSE["volumes"]] == ["/data"]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (POD["securityContext"]["runAsNonRoot"], True),
        (POD["securityContext"]["runAsUser"], int(orders(STAGES[-1], "USER")[0].split(":")[0])),
        (POD["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"}),
        (POD["automountServiceAccountToken"], False),
        (CONTAINER["securityContext"]["readOnlyRootFilesystem"], True),
        (CONTAINER["securityContext"]["allowPrivilegeEscalation"], False),
        (CONTAINER["securityContext"]["capabilities"], {"drop": ["ALL"]}),
        ({mount["mountPath"] for mount in CONTAINER["volumeMounts"]}, {"/data", "/tmp"}),
    ],
)
def test_kubernetes_is_told_the_same(found: Any, wanted: Any):
    assert found == wanted


def test_the_settings_of_the_kubernetes_example_are_settings(monkeypatch):
    for variable in CONTAINER["env"]:
        monkeypatch.setenv(variable["name"], variable["value"])

    settings = load_settings()

    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert ports == {"events": settings.http.port, "operators": settings.http.internal_port}
    assert settings.spool.folder is not None
    assert settings.spool.folder.startswith("/data/")
    assert settings.http.grace_period < POD["terminationGracePeriodSeconds"]
