from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ConfigError
from app.streams.configs import StreamConfigs
from app.streams.privacy import NO_PRIVACY, Privacy, truncated


def stream_of(**settings):
    table = StreamConfigs.parse({"my.stream": {"schema_title": "mine", **settings}})
    return table.get("my.stream")


def test_a_stream_keeps_addresses_and_ignores_wishes_unless_told_otherwise():
    assert stream_of().privacy == NO_PRIVACY == Privacy(client_ip="keep", opt_out="ignore")
    assert stream_of().enrich_useragent is False


@pytest.mark.parametrize("client_ip", ["keep", "truncate", "drop"])
@pytest.mark.parametrize("opt_out", ["ignore", "withhold"])
def test_a_stream_may_say_how_much_it_keeps(client_ip, opt_out):
    stream = stream_of(privacy={"client_ip": client_ip, "opt_out": opt_out})

    assert stream.privacy == Privacy(client_ip, opt_out)


def test_a_stream_that_a_regex_allows_has_the_privacy_of_the_regex():
    table = StreamConfigs.parse(
        {"/^my\\./": {"schema_title": "mine", "privacy": {"client_ip": "drop"}}}
    )

    assert table.get("my.stream").privacy.client_ip == "drop"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"privacy": "drop"}, "privacy is no mapping"),
        ({"privacy": {"client_ip": "hash"}}, "privacy.client_ip is none of keep, truncate, drop"),
        ({"privacy": {"client_ip": None}}, "privacy.client_ip is none of"),
        ({"privacy": {"client_ip": ["drop"]}}, "privacy.client_ip is none of"),
        ({"privacy": {"opt_out": True}}, "privacy.opt_out is none of ignore, withhold"),
        ({"privacy": {"ip": "drop"}}, "privacy.'ip' is unknown; there are client_ip, opt_out"),
        ({"enrich_useragent": "yes"}, "enrich_useragent is neither true nor false"),
    ],
)
def test_what_is_no_rule_is_a_problem_of_the_configuration(settings, problem):
    with pytest.raises(ConfigError) as caught:
        stream_of(**settings)

    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("address", "less"),
    [
        ("198.51.100.77", "198.51.100.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("2001:DB8::1", "2001:db8::"),
        ("10.0.0.0/8", None),
        ("localhost", None),
        ("", None),
    ],
)
def test_a_truncated_address_names_a_network_and_nobody_in_it(address, less):
    assert truncated(address) == less


@given(st.ip_addresses())
def test_every_address_can_be_truncated_to_one_of_its_own_network(address):
    less = ip_address(truncated(str(address)))

    assert address in ip_network((less, 24 if address.version == 4 else 48))
    assert truncated(str(less)) == str(less)


@given(st.text(max_size=30))
def test_any_other_text_is_no_address(text):
    less = truncated(text)

    assert less is None or ip_address(less)
