"""Puts the accounts of a ledger run into a page: python -m tests.kafka.report ACCOUNTS PAGE."""

import sys
from pathlib import Path

from tests.kafka.ledger import HEAD

BEGIN, END = "<!-- ledger: begin -->", "<!-- ledger: end -->"


def with_accounts(page: str, accounts: str) -> str:
    """Return the page with its table replaced."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{HEAD}\n{accounts.strip()}\n\n{END}{after}"


if __name__ == "__main__":
    source, page = map(Path, sys.argv[1:])
    page.write_text(with_accounts(page.read_text(), source.read_text()))
