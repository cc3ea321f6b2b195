"""Texts that people train on, by name, and where they are: what `hornbook data get` fetches and `data list` shows.

The recipes name the same files under `data/`. The host sends a checksum
with each file (Hugging Face's `X-Linked-Etag` is the SHA-256 of what it stores), and the first download records it for
later ones (download_checks.py). A SHA-256 that has been verified is pinned here.
Left out: the download itself (download.py), storyworld, which is told and not fetched.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from hornbook.data.text_files import find_files
from hornbook.errors import DataError, did_you_mean


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch."""

    url: str
    unpack: bool = False
    """It is a .gz whose content is wanted."""
    sha256: str | None = None
    """Of the file as it lies there, where it is known beforehand."""

    @property
    def name(self) -> str:
        """The name that it gets, always one of a file within a folder.

        Raises:
            DataError: the address has no such name at its end.
        """
        try:
            address = urlsplit(self.url)
            name = unquote(PurePosixPath(address.path).name)
        except ValueError:  # an IPv6 address without its bracket
            raise DataError(f"{self.url} is not an address of the web") from None
        # Decoded first: `..%2f` leads out of the folder only now.
        web = address.scheme in ("http", "https")
        if not web or name.startswith(".") or not name.strip() or {"/", "\\"} & {*name} or not name.isprintable():
            raise DataError(f"{self.url} is not the address of a file: http://… or https://… with a name at its end")
        return name.removesuffix(".gz") if self.unpack else name


@dataclass(frozen=True)
class RemoteDataset:
    """Files that belong together."""

    name: str
    about: str
    """What it is and how large, in a few words."""
    files: tuple[RemoteFile, ...]


_HOST = "https://huggingface.co/datasets"
# The revision of 2024-08-12, and what its files are known by; of owt-sample the first download is recorded.
_TINYSTORIES = f"{_HOST}/roneneldan/TinyStories/resolve/f54c09fd23315a6f9c86f9dc80f725de7d8f9c64/TinyStoriesV2-GPT4"
DATASETS = {
    dataset.name: dataset
    for dataset in (
        RemoteDataset(
            "tinystories",
            "stories by GPT-4 in the words of small children (Eldan and Li 2023), 2.2 GB",
            tuple(
                RemoteFile(f"{_TINYSTORIES}-{part}.txt", sha256=sha256)
                for part, sha256 in (
                    ("train", "6418d412de72888f52b5142c761ac21a582f7d1166f0bfbdb5f03ccfdec90443"),
                    ("valid", "6874bae9a4c1a4e7edcf0e53b86c17817e9cf881fc75ff2368da457b80c0585d"),
                )
            ),
        ),
        RemoteDataset(
            "openwebtext",
            "the sample of OpenWebText of CS336, about 12 GB unpacked",
            tuple(
                RemoteFile(f"{_HOST}/stanford-cs336/owt-sample/resolve/main/owt_{part}.txt.gz", unpack=True)
                for part in ("train", "valid")
            ),
        ),
    )
}


def find_dataset(name: str) -> RemoteDataset:
    """Return a data set by name, or the one file that a web address means.

    Raises:
        DataError: there is no such name, or the address is not one of a file on the web.
    """
    if "://" in name:
        file = RemoteFile(name)
        return RemoteDataset(file.name, name, (file,))
    if name not in DATASETS:
        raise DataError(
            f"there is no data set {name!r}{did_you_mean(name, DATASETS)}; there are {', '.join(DATASETS)}, and any "
            "file by its address (https://…)"
        )
    return DATASETS[name]


def which_has(file_name: str) -> RemoteDataset | None:
    """Return the data set that has a file of this name, or None."""
    return next((d for d in DATASETS.values() if any(f.name == file_name for f in d.files)), None)


def find_sources(paths: Sequence[str], left_out: list[str] | None = None) -> list[str]:
    """Return the files that a recipe's paths mean; where one is missing that the web has, say how to fetch it.

    `left_out` is as for `find_files`.

    Raises:
        DataError: a file to fetch; or as `find_files`.
        FileNotFoundError: a path that does not exist.
    """
    for path in paths:
        dataset = which_has(Path(path).name)
        if dataset is not None and not Path(path).exists():
            folder = [] if Path(path).parent == Path("data") else ["--out", str(Path(path).parent)]
            fetch = shlex.join(["hornbook", "data", "get", dataset.name, *folder])
            raise DataError(f"there is no file {path}; fetch it with: {fetch}")
    return find_files(paths, left_out)
