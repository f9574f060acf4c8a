"""What schema repositories ask of a new minor version, read off two files word by word.

It knows nothing of what schemas mean: whatever was written has to be there still.
"""

from collections.abc import Iterator
from typing import Any

FREE = frozenset(("$comment", "$id", "description", "examples", "title"))
NAMED = frozenset(("definitions", "patternProperties", "properties"))


def objections(old: Any, new: Any, where: str = "", *, names: bool = False) -> Iterator[str]:
    """Yield what is gone or changed. `names`: the keys are names of properties, not keywords."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            yield f"{where}: changed"
        return
    for key, value in old.items():
        path = f"{where}/{key}"
        if not names and key in FREE:
            continue
        if key not in new:
            yield f"{path}: removed"
        elif not names and key == "enum":
            if any(one not in new[key] for one in value):
                yield f"{path}: a value removed"
        elif not names and key == "required":
            if set(value) != set(new[key]):
                yield f"{path}: changed"
        else:
            yield from objections(value, new[key], path, names=not names and key in NAMED)
    if not names and "required" in new and "required" not in old:
        yield f"{where}/required: added"
