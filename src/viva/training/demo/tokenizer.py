"""A tokenizer of whole words, for models that know nothing but one world."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

__all__ = ["CHAT_TEMPLATE", "END", "PADDING", "word_tokenizer", "words_of"]

PADDING, END, UNKNOWN = "<pad>", "<eos>", "<unk>"
_WORD = r"</?think>|[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*|[^\sA-Za-z0-9]"

CHAT_TEMPLATE = "{% for message in messages %}{{ message['content'] }} {% endfor %}"
"""A conversation of one turn, and nothing around it."""


def words_of(text: str) -> list[str]:
    """The words of a text as the tokenizer parts them: lower case, marks apart."""
    return re.findall(_WORD, text.lower())


def word_tokenizer(texts: Iterable[str]) -> Any:
    """A tokenizer with one token for each word of the texts, in alphabetical order.

    Parameters
    ----------
    texts : iterable of str
        Everything that a model is to read or write; other words become ``<unk>``.

    Returns
    -------
    transformers.PreTrainedTokenizerFast
        Upper case is read as lower case; what is decoded has a space between all words.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = [PADDING, END, UNKNOWN]
    known = special + sorted({word for text in texts for word in words_of(text)} - set(special))
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(known)}, UNKNOWN))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"\s+"), "removed"),
        pre_tokenizers.Split(Regex(_WORD), "isolated"),
    ])  # fmt: skip
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PADDING, eos_token=END, unk_token=UNKNOWN,
        padding_side="left", chat_template=CHAT_TEMPLATE, clean_up_tokenization_spaces=False,
    )  # fmt: skip
