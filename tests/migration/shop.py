"""A small repository on disk: a fragment, and a schema that refers to it."""

from pathlib import Path

FRAGMENT = """\
title: fragment/common
description: What every event has.
$id: /fragment/common/1.0.0
$schema: https://json-schema.org/draft-07/schema#
type: object
additionalProperties: false
required: [meta, $schema]
properties:
  $schema: {type: string}
  meta:
    type: object
    required: [stream]
    properties:
      stream: {type: string, minLength: 1}
      dt: {type: string, format: date-time, maxLength: 128}
examples:
  - {$schema: /fragment/common/1.0.0, meta: {stream: fragment}}
"""

VISIT = """\
title: shop/visit
description: Somebody came in.
$id: /shop/visit/1.0.0
$schema: https://json-schema.org/draft-07/schema#
type: object
allOf:
  - $ref: /fragment/common/1.0.0#
  - required: [door]
    properties:
      door:
        type: string
        enum: [front, back]
      number:
        type: integer
examples:
  - $schema: {$ref: "#/$id"}
    meta: {stream: shop.visit}
    door: front
"""


def write(repository: Path, title: str, text: str, name: str = "current.yaml") -> Path:
    path = repository / title / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def shop(repository: Path, visit: str = VISIT, fragment: str = FRAGMENT) -> Path:
    write(repository, "fragment/common", fragment)
    write(repository, "shop/visit", visit)
    return repository


def tree(repository: Path) -> dict[str, str]:
    """Every file and link of a repository, with what it holds or leads to."""
    return {
        path.relative_to(repository).as_posix(): f"-> {path.readlink()}"
        if path.is_symlink()
        else path.read_text(encoding="utf-8")
        for path in sorted(repository.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
