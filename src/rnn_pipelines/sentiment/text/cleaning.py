"""From a text as it was written to the words that everything after reads."""

import html
import re

# A tag's name stands right behind its bracket: "1 < 2 and 3 > 2" holds none.
MARKUP = re.compile(r"</?[a-zA-Z!][^<>]{0,200}>")
# A word with its inner apostrophes, or any other sign by itself: "!", "…", an emoji.
WORD = re.compile(r"\w+(?:'\w+)*")
WORD_OR_SIGN = re.compile(rf"{WORD.pattern}|[^\w\s]")


def clean_text(text: str) -> str:
    """Takes out markup and the form of apostrophes; every other character stays what it is.

    Args:
        text: as it was written; `<br />` and entities such as `&amp;` are markup.
    """
    return MARKUP.sub(" ", html.unescape(text)).replace("’", "'")


def tokenize(text: str, signs: bool = True) -> list[str]:
    """The words of a text in lower case, in their order; none where there is nothing but white space.

    Args:
        text: as it was written.
        signs: whether a sign by itself is a word too, or is passed over.
    """
    return (WORD_OR_SIGN if signs else WORD).findall(clean_text(text).lower())
