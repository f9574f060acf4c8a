"""Naughty strings in real Kafka: what a consumer reads is byte for byte what was sent."""

import json
from contextlib import suppress

import orjson

from tests.abuse.corpora.naughty import NAUGHTY
from tests.abuse.corpora.numbers import NUMBERS
from tests.abuse.corpora.wires import SCHEMA_URI, settings
from tests.kafka.reading import read_all
from tests.support import served

STORED = [naughty for naughty in NAUGHTY if naughty.field == "stored"]
REFUSED = [naughty for naughty in NAUGHTY if naughty.field != "stored"]


def written(value):
    """Both ways to write a value: characters escaped, and as they are where UTF-8 has them."""
    yield json.dumps(value).encode()
    with suppress(UnicodeEncodeError):
        yield json.dumps(value, ensure_ascii=False).encode()


def serving(folder, kafka, stream):
    """Run a service whose stream is keyed by the value of its events."""
    kafka.admin.create_topic(stream)
    made = settings(folder)
    streams = {stream: {"schema_title": "corpus/any", "message_key_fields": {"value": "value"}}}
    (folder / "streams.yaml").write_text(json.dumps(streams))
    sink = {"type": "kafka", "bootstrap_servers": kafka.bootstrap.split(",")}
    config = folder / "sluiceway.yaml"
    config.write_text(json.dumps(made | {"sink": sink, "error_stream": {"name": None}}))
    return served(folder, "--config", str(config))


def test_every_string_is_in_kafka_as_it_was_sent_or_400(kafka, topic, tmp_path):
    def event(text):
        return {
            "$schema": SCHEMA_URI,
            "meta": {"stream": topic, "id": text, "domain": text},
            "value": text,
            f"key {text}": [text, {text: {text: text}}],
        }

    expected = []
    with serving(tmp_path, kafka, topic) as service:
        for naughty in STORED:
            sent = event(naughty.text)
            for body in written(sent):
                assert service.post(body)[0] == 201, naughty
                expected.append(sent)
        for naughty in REFUSED:
            for body in written(event(naughty.text)):
                assert service.post(body)[0] == 400, naughty

    found = read_all(kafka.bootstrap, [topic])
    by_value = {json.loads(message.value)["value"]: message for message in found}
    assert len(found) == len(expected)
    for sent in expected:
        message = by_value[sent["value"]]
        stored = json.loads(message.value)
        assert {name: stored[name] for name in sent if name != "meta"} == {
            name: sent[name] for name in sent if name != "meta"
        }
        assert {name: stored["meta"][name] for name in sent["meta"]} == sent["meta"]
        text = orjson.dumps(sent["value"])
        assert message.value.count(text) >= 4  # the bytes themselves, in plain UTF-8
        assert message.key == b'{"value":' + text + b"}"
    print(f"\n{len(expected)} events with {len(STORED)} strings, {len(REFUSED)} strings refused")


def test_every_number_is_in_kafka_as_it_was_sent_or_400(kafka, topic, tmp_path):
    with serving(tmp_path, kafka, topic) as service:
        for number in NUMBERS:
            body = json.dumps(
                {"$schema": SCHEMA_URI, "meta": {"stream": topic}, "name": number.name}
            )
            status, _ = service.post(f'{body[:-1]}, "value": {number.text}}}'.encode())
            assert status == (400 if number.stored is None else 201), number

    messages = read_all(kafka.bootstrap, [topic])
    found = {
        event["name"]: event["value"]
        for event in (json.loads(m.value, parse_int=str, parse_float=str) for m in messages)
    }
    assert found.keys() == {number.name for number in NUMBERS if number.stored is not None}
    for number in NUMBERS:
        if number.stored is not None:
            assert float(found[number.name]) == float(number.stored), number
            if number.stored.lstrip("-").isdecimal():
                assert found[number.name] == number.stored, number
