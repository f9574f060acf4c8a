"""Rules about a folder: people's file is there, its newest release is what it says, links lead."""

from collections.abc import Iterator

from app.schemas.keywords import pointer_of
from app.schemas.uris import name_of
from migration.linting.finding import Finding
from migration.linting.subject import Subject
from migration.materialize import same
from migration.materializefiles import differences, wanting
from migration.repository import Folder, link_target

MAX_SHOWN = 3


def current_exists(folder: Folder) -> Iterator[Finding]:
    """Releases come from a current.yaml."""
    if folder.current is None and folder.newest is not None:
        yield Finding(
            "current",
            folder.released[folder.newest],
            1,
            "there is no current.yaml beside it, so nobody can make the next version",
            names=(f"/{folder.title}/{folder.newest}",),
        )


def links(folder: Folder) -> Iterator[Finding]:
    """Every release has a link without extension, and the newest one is `latest`."""
    for link in wanting(folder):
        found = link_target(link.path)
        what = f"leads to {found}" if found is not None else "is missing"
        yield Finding(
            "links",
            link.path,
            1,
            f"the link {what}; it has to lead to {link.target}",
            names=(f"/{folder.title}/{link.path.name}",),
            fix=link,
        )


def current_released(folder: Folder, current: Subject, newest: Subject | None) -> Iterator[Finding]:
    """What current.yaml says is the newest release."""
    names = (current.uri,)
    version = name_of(current.uri)
    if version not in folder.released:
        yield Finding(
            "current-released",
            current.file.path,
            current.line(("$id",)),
            f"{version} is not released yet; sluiceway migrate materialize does it",
            "/$id",
            names,
        )
    elif version != folder.newest:
        yield Finding(
            "current-released",
            current.file.path,
            current.line(("$id",)),
            f"it is {version}, and {folder.newest} is released already",
            "/$id",
            names,
        )
    elif newest is not None and not same(newest.document, current.document):
        places = list(differences(newest.document, current.document))
        shown = ", ".join(f"#{pointer_of(steps)}" for steps in places[:MAX_SHOWN])
        more = f" and {len(places) - MAX_SHOWN} more" if len(places) > MAX_SHOWN else ""
        yield Finding(
            "current-released",
            current.file.path,
            current.line(places[0]),
            f"it is not what {version} is, at {shown}{more}; give it a higher version",
            pointer_of(places[0]),
            names,
        )
