"""Which texts may say the same thing. A hint; a person decides. Pure."""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LONGEST = 300
"""Characters of a text that are looked at: who says the same says it early."""
GRAM = 3

_SEPARATORS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Alike:
    """Two texts and how alike they are: the Jaccard index of their trigrams, 0 to 1."""

    one: str
    other: str
    likeness: float


def grams(text: str, longest: int = LONGEST) -> frozenset[str]:
    """The runs of three characters of a text, without case, width, spaces and punctuation."""
    plain = unicodedata.normalize("NFKC", text[:longest]).casefold()
    letters = _SEPARATORS.sub("", plain)
    if len(letters) <= GRAM:
        return frozenset({letters} - {""})
    return frozenset(letters[i : i + GRAM] for i in range(len(letters) - GRAM + 1))


def alike(texts: Mapping[str, str], at_least: float, longest: int = LONGEST) -> list[Alike]:
    """Every pair of texts whose beginnings of `longest` characters are at least so alike, most alike first.

    Two sets whose Jaccard index is t or more share one of the first n - ⌈t·n⌉ + 1 members of each,
    in any fixed order; with the rarest first, few others are ever compared (prefix filter: Bayardo,
    Ma, Srikant, Scaling up all pairs similarity search, 2007).
    """
    sets = {key: found for key, text in texts.items() if (found := grams(text, longest))}
    counts = Counter(gram for found in sets.values() for gram in found)
    rarity = {gram: n for n, gram in enumerate(sorted(counts, key=counts.__getitem__))}
    ranked = {key: {rarity[gram] for gram in found} for key, found in sets.items()}
    holders: dict[int, list[str]] = defaultdict(list)
    pairs: list[Alike] = []
    for key in sorted(ranked, key=lambda k: (len(ranked[k]), k)):
        own = ranked[key]
        smallest = at_least * len(own)
        prefix = sorted(own)[: len(own) - math.ceil(smallest) + 1]
        for other in {o for gram in prefix for o in holders[gram]}:
            if len(ranked[other]) < smallest:
                continue
            shared = len(own & ranked[other])
            likeness = shared / (len(own) + len(ranked[other]) - shared)
            if likeness >= at_least:
                one, two = sorted((key, other))
                pairs.append(Alike(one, two, likeness))
        for gram in prefix:
            holders[gram].append(key)
    return sorted(pairs, key=lambda pair: (-pair.likeness, pair.one, pair.other))


def clusters(pairs: Iterable[Alike]) -> list[tuple[str, ...]]:
    """What hangs together by pairs, each cluster in order, the largest first."""
    joined: dict[str, set[str]] = {}
    for pair in pairs:
        both = joined.get(pair.one, {pair.one}) | joined.get(pair.other, {pair.other})
        for key in both:
            joined[key] = both
    found = {tuple(sorted(cluster)) for cluster in joined.values()}
    return sorted(found, key=lambda cluster: (-len(cluster), cluster))
