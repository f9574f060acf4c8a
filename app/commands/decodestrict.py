"""`sluiceway decode --strict`: what the old system would have published, or its EventError."""

import json
import socket
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from jsonschema import Draft3Validator
from jsonschema.exceptions import SchemaError

from app.commands.oldlines import Kind, OldLine, query_in
from app.core.errors import ConfigError
from legacy.formats import FormatError
from legacy.strict.cases import LAST_FORMAT, Cases
from legacy.strict.eventerror import capsule_of
from legacy.strict.judge import StrictLegacy
from legacy.strict.lines import StrictFormat
from legacy.strict.parser import StrictParser
from legacy.strict.schemas import OldSchemas, Schemas, reference_in_name

LEFT_OUT = "partial"
"""A folder of schemas that are not whole, by which nothing can be judged."""

Say = Callable[[str], None]


class StrictDecoder:
    """Judges old events in files as the old system did."""

    def __init__(self, schemas: Schemas, line_format: str | None) -> None:
        try:
            written = StrictFormat.parse(line_format or LAST_FORMAT)
            # What comes as a query or as a capsule is put in a line, as it was then.
            around = StrictFormat.parse(LAST_FORMAT)
        except FormatError as error:
            raise ConfigError(f"--format: {error}") from error
        judging = OldSchemas(schemas)
        self._of_lines = StrictLegacy(StrictParser(written), judging)
        self._of_queries = StrictLegacy(StrictParser(around), judging)
        self._host = socket.gethostname()

    def decode(self, line: OldLine, kind: Kind) -> tuple[bytes | None, str | None]:
        """Return what was published for a line, None if nothing; and why it was no event."""
        assert line.text is not None
        if kind == "line":
            judgement = self._of_lines.judge(line.text.decode(errors="replace"))
        else:
            judgement = self._of_queries.judge(self._line_around(line, kind))
        if judgement.capsule is not None:
            try:
                return _published(judgement.capsule), None
            except RecursionError:
                return None, "processor: it is nested too deeply to be written"
        if judgement.error_event is None:
            return None, f"{judgement.code}: nothing was published, not even an EventError"
        problem = f"{judgement.code}: {judgement.error_event['message']}"
        error = capsule_of(
            judgement.error_event,
            host=self._host,
            now=datetime.now(UTC),
            uuid=uuid.uuid1().hex,
        )
        return _published(error), problem

    def _line_around(self, line: OldLine, kind: Kind) -> str:
        assert line.text is not None
        text = line.text.strip()
        query = quote_from_bytes(text) if kind == "capsule" else query_in(text).lstrip(b"?")
        asked = query if isinstance(query, str) else query.decode(errors="replace")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f'?{asked}\t{self._host}\t{line.number}\t{now}\t-\t"-"'


def answers_of(cases: Cases, line: OldLine) -> bytes:
    """Return the answer to a case in the vectors' own form; raises ValueError if it is none."""
    if line.text is None:
        raise ValueError("The line is too long.")
    case = json.loads(line.text)
    if not isinstance(case, dict):
        raise ValueError("A case is an object.")  # noqa: TRY004 (a decoder's one exception)
    return json.dumps(cases.answer(case)).encode() + b"\n"


def load_schemas(name: str | None, say: Say) -> dict[tuple[str, int], Any]:
    """Read the schemas of a folder and of those in it; what is none is said, and left out."""
    if name is None:
        raise ConfigError(
            "--strict needs --schemas: a folder of draft-3 schemas called Name-revision.json."
        )
    folder = Path(name)
    if not folder.is_dir():
        raise ConfigError(f"--schemas: {folder} is no folder.")
    schemas: dict[tuple[str, int], Any] = {}
    for path in _schema_files(folder):
        reference = reference_in_name(path.stem)
        if reference is None or reference in schemas:
            continue
        try:
            schema = json.loads(path.read_bytes())
            Draft3Validator.check_schema(schema)
        except (OSError, ValueError, SchemaError) as error:
            say(f"{path} is left out: {str(error).splitlines()[0]}")
        else:
            schemas[reference] = schema
    return schemas


def _schema_files(folder: Path) -> Iterator[Path]:
    """Return the schemas of a folder, those at its top before those in folders inside."""
    found = (path for path in folder.rglob("*.json") if LEFT_OUT not in path.parent.parts)
    yield from sorted(found, key=lambda path: (len(path.parts), path))


def _published(event: dict[str, Any]) -> bytes:
    return json.dumps(event, sort_keys=True).encode() + b"\n"
