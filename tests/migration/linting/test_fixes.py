from pathlib import Path

from migration.linting.finding import Edit, Finding
from migration.linting.fixes import fix
from migration.materializefiles import Link


def finding(one):
    return Finding("rule", Path("x"), 1, "why", fix=one)


def test_links_are_made_and_texts_put_in_without_touching_the_rest(tmp_path):
    path = tmp_path / "current.yaml"
    path.write_bytes("a: {b: 1, c: 'ä', d: 3} # kept\r\nx: 4\r\n".encode())
    link = Link(tmp_path / "latest", "1.0.0.yaml")

    mended = fix(
        [
            finding(Edit(path, (0, 7), (0, 8), "one")),
            finding(Edit(path, (0, 21), (0, 22), "three")),
            finding(Edit(path, (1, 3), (1, 4), "four")),
            finding(link),
            finding(None),
        ]
    )

    assert mended == 4
    assert path.read_bytes().decode() == "a: {b: one, c: 'ä', d: three} # kept\r\nx: four\r\n"
    assert str((tmp_path / "latest").readlink()) == "1.0.0.yaml"
