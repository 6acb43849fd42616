"""Image files: a damaged or foreign one is not used."""

from pathlib import Path

import pytest

from sandbox.tryton.databases import Databases
from sandbox.tryton.image import default_cache_dir, load_image, store_image

ARCHIVE = b"PGDMP\x00 with a line\nbreak"


def test_an_image_holds_what_was_stored(tmp_path: Path) -> None:
    image = tmp_path / "a.image"

    store_image(image, "key", ARCHIVE)

    assert load_image(image, "key") == ARCHIVE
    assert list(tmp_path.iterdir()) == [image]


@pytest.mark.parametrize(
    "content",
    [b"", b"PGDMP foreign", b"crosshead-tryton-image-1 key 00\n" + ARCHIVE, b"\xff\xfe\n"],
    ids=["empty", "no header", "other checksum", "not text"],
)
def test_a_foreign_file_is_no_image(tmp_path: Path, content: bytes) -> None:
    image = tmp_path / "a.image"
    image.write_bytes(content)

    assert load_image(image, "key") is None


def test_a_cut_image_is_no_image(tmp_path: Path) -> None:
    image = tmp_path / "a.image"
    store_image(image, "key", ARCHIVE)

    image.write_bytes(image.read_bytes()[:-1])

    assert load_image(image, "key") is None


def test_an_image_made_for_another_key_is_no_image(tmp_path: Path) -> None:
    image = tmp_path / "a.image"
    store_image(image, "other", ARCHIVE)

    assert load_image(image, "key") is None


def test_a_missing_image_is_none(tmp_path: Path) -> None:
    assert load_image(tmp_path / "a.image", "key") is None


def test_the_cache_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert default_cache_dir() == tmp_path / "crosshead" / "tryton"


@pytest.mark.parametrize("url", ["mysql://a@b/", "postgresql://host:1/", "postgresql:///db"])
def test_an_address_of_another_kind_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must look like"):
        Databases(url, tmp_path)


def test_a_folder_without_postgres_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no createdb"):
        Databases("postgresql://user@127.0.0.1:1/", tmp_path)
