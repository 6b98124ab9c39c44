"""Which words of a text tell what it is about, so that a note finds the competencies and goals it speaks of?

The same crude stems are taken of labels when they are stored and of notes when they are read; they are never shown.
"""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_SHORTEST = 3

_EMPTY = frozenset(
    """the and for with that this from have has had was were are but not you your his her its our their they them
    what when which who how why can could would should will did does done been being than then there here into onto
    about after before more most some any all each very just also only out off over under again too use using used
    get got make made want new
    het een van voor met dat dit die deze als aan bij naar uit ook nog wel niet maar omdat door over mijn zijn haar
    ons onze hun wij jij hij zij was waren heb heeft had ben bent wordt werd meer heel hoe wat wie waar toen dan
    der die das und ein eine mit von auf fur ist nicht auch als wie dem den des ich wir sie war hat
    les des une est dans pour avec sur pas plus que qui nous vous mon son ses""".split()  # noqa: SIM905 - a text is easier to read and to add to than a list of literals
)

_ENDINGS = (
    ("ings", 4),
    ("ing", 4),
    ("ions", 4),
    ("ion", 4),
    ("ies", 3),
    ("ed", 4),
    ("es", 4),
    ("s", 3),
    ("e", 3),
    ("y", 3),
)
"""What is cut off a word, the first that leaves so many letters."""


def folded(text: str) -> str:
    """The text in small letters without accents and spaces around: as it is compared."""
    apart = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def stems(text: str) -> tuple[str, ...]:
    """The stems of the text's telling words, each once, in their order."""
    words = (word for word in _WORD.findall(folded(text)) if word not in _EMPTY)
    return tuple(dict.fromkeys(_stem(word) for word in words if len(word) >= _SHORTEST))


def speaks_of(text_stems: frozenset[str], title: str) -> bool:
    """Tell whether a text has most of the telling words of a title: all of one or two, three fifths of more."""
    wanted = stems(title)
    hits = sum(stem in text_stems for stem in wanted)
    return bool(wanted) and (hits == len(wanted) or (hits >= 2 and hits * 5 >= len(wanted) * 3))


def _stem(word: str) -> str:
    for ending, left in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= left:
            word = word.removesuffix(ending)
            break
    return word[:-1] if len(word) > _SHORTEST and word[-1] == word[-2] else word
