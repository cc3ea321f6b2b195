"""Build the text that the tokenizer benchmarks run on: real text enlarged, with the long tail of rare words kept.

The real files are 60 MB of documentation and 25 MB of books. Repeated in another order they would flatter all, because
no new words would come: in real text the number of kinds grows with its length (Heaps' law). So each copy has its
documents and lines shuffled and, now and then, a word replaced by a new one, spliced from the halves of two of the
text; it comes once, or more often with falling probability. The result is a function of source, size and seed.

    python benchmarks/tokenizer_corpus.py --source ../shared/data --out build/corpora
"""

from __future__ import annotations

import argparse
import gzip
import random
import re
from pathlib import Path

import hornbook as hb

SEPARATOR = "<|endoftext|>"
# name: (source file, bytes, distinct pre-tokens)
CORPORA = {"docs": ("docs-en.txt.gz", 277_000_000, 400_000), "books": ("books-en.txt.gz", 300_000_000, 325_000)}
WORD = re.compile(r"[A-Za-z]{4,}")


def build(source: Path, target: Path, size: int, kinds: int, seed: int = 1) -> None:
    """Write about `size` bytes with about `kinds` distinct pre-tokens to `target`."""
    rng = random.Random(seed)
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        documents = file.read().split(SEPARATOR)
    if len(documents) < 1000:  # books are long: cut them so that a shuffle mixes them
        documents = [part for text in documents for part in re.split(r"(?<=\n)(?=\n(?:[^\n]+\n){3})", text)]
        documents = ["".join(documents[i : i + 200]) for i in range(0, len(documents), 200)]
    counts = hb.PretokenCounts("gpt2", [SEPARATOR])
    counts.add_text(SEPARATOR.join(documents))
    known = {word.decode(errors="ignore").strip() for word, _ in counts.items()}
    stems = sorted(word for word in known if WORD.fullmatch(word))
    original = sum(len(text.encode()) for text in documents)
    missing = max(0, kinds - len(counts))
    # A new word comes about twice, with and without a space before it: 1.42 places make one new kind (measured).
    spacing = max(200.0, (size - original) / (missing * 1.42 + 1))
    recent: list[str] = []

    def fresh() -> str:
        if recent and rng.random() < 0.47:
            return recent[int(len(recent) * rng.random() ** 2)]
        while True:
            a, b = rng.choice(stems), rng.choice(stems)
            word = a[: (len(a) + 1) // 2] + b[len(b) // 2 :]
            if word not in known:
                known.add(word)
                recent.append(word)
                return word

    written = 0
    with target.open("w", encoding="utf-8", newline="") as out:
        first = True
        while written < size:
            rng.shuffle(documents)
            for text in documents:
                if written >= size:
                    break
                changed = text if first else vary(text, spacing, rng, fresh)
                out.write(changed + SEPARATOR)
                written += len(changed) + len(SEPARATOR)
            first = False


def vary(text: str, spacing: float, rng: random.Random, fresh) -> str:
    """Shuffle the lines of a document and put new words in, one per `spacing` characters."""
    lines = text.split("\n")
    rng.shuffle(lines)
    text = "\n".join(lines)
    parts, at = [], 0
    place = int(rng.expovariate(1 / spacing))
    while match := WORD.search(text, max(place, at)):
        parts += [text[at : match.start()], fresh()]
        at = match.end()
        place = at + int(rng.expovariate(1 / spacing))
    return "".join([*parts, text[at:]])


def corpora(source: Path, out: Path) -> dict[str, Path]:
    """Return the benchmark files by name, built where they are missing."""
    out.mkdir(parents=True, exist_ok=True)
    paths = {name: out / f"{name}.txt" for name in CORPORA}
    for name, path in paths.items():
        file, size, kinds = CORPORA[name]
        if not path.exists():
            part = path.with_suffix(".part")
            build(source / file, part, size, kinds)
            part.rename(path)
    paths["docs100"] = out / "docs100.txt"
    if not paths["docs100"].exists():
        with paths["docs"].open("rb") as file:
            head = file.read(100_000_000)
        paths["docs100"].write_bytes(head[: head.rindex(SEPARATOR.encode())])
    return paths


def describe(path: Path) -> str:
    """Return size and kinds of a corpus, for the line beside a ratio."""
    counts = hb.count_pretokens(path, [SEPARATOR])
    return f"{path.stem}: {path.stat().st_size / 1e6:.0f} MB, {counts.total():,} pre-tokens, {len(counts):,} unique"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--source", type=Path, required=True, help="the folder of docs-en.txt.gz and books-en.txt.gz")
    parser.add_argument("--out", type=Path, default=Path("build/corpora"))
    arguments = parser.parse_args()
    for path in corpora(arguments.source, arguments.out).values():
        print(describe(path))


if __name__ == "__main__":
    main()
