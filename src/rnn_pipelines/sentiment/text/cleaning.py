"""Cleaning and tokenisation of texts."""

import html
import re

# The name of a tag follows its bracket directly, so "1 < 2 and 3 > 2" contains no tag.
MARKUP = re.compile(r"</?[a-zA-Z!][^<>]{0,200}>")
# A word with its inner apostrophes, or a single sign, such as "!", "…" or an emoji.
WORD = re.compile(r"\w+(?:'\w+)*")
WORD_OR_SIGN = re.compile(rf"{WORD.pattern}|[^\w\s]")


def clean_text(text: str) -> str:
    """Return the text without tags, with entities such as `&amp;` decoded and apostrophes unified; else unchanged."""
    return MARKUP.sub(" ", html.unescape(text)).replace("’", "'")


def tokenize(text: str, signs: bool = True) -> list[str]:
    """Return the words of a raw text in lower case, in order; single signs, such as "!", count as words if `signs`."""
    return (WORD_OR_SIGN if signs else WORD).findall(clean_text(text).lower())
