"""Values as YAML for people: in their order, long texts folded, read back the same by any reader.

YAML 1.1 and 1.2 disagree about what is a number or a boolean; what either takes for one is quoted.
"""

import re
from typing import Any

import yaml

WIDTH = 90

_FOLDED = re.compile(r"[!-~](?: ?[!-~])*")
_BLOCK = re.compile(r"[!-~](?: ?[!-~])*(?:\n+[!-~](?: ?[!-~])*)*\n?")
_LONG = 70


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers = {  # noqa: RUF012 (the name and the kind are PyYAML's)
        first: list(resolvers)
        for first, resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 (PyYAML's signature)
        super().increase_indent(flow=flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (PyYAML's signature)
        return True


# Numbers of YAML 1.2 that are none in 1.1, such as 1e5 and 0o17.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^(?:[-+]?(?:[0-9]+\.?|[0-9]*\.[0-9]+)(?:[eE][-+]?[0-9]+)?|0o[0-7]+)$"),
    list("-+.0123456789"),
)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text and _BLOCK.fullmatch(text):
        style = "|"
    elif len(text) > _LONG and _FOLDED.fullmatch(text):
        style = ">"
    elif not text.isprintable():
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def yaml_of(value: Any) -> str:
    """Return a JSON value as a YAML document."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return text
