from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from viva.strata.text import question, split_ask, stem_hash, tokens, weights_view


def test_the_sentence_with_the_question_mark_asks():
    stem = "A man has a cough. Which drug helps most? His sodium is 130 mEq/L."
    ask, body = split_ask(stem)
    assert ask == "Which drug helps most?"
    assert body == "A man has a cough. His sodium is 130 mEq/L."


def test_without_a_question_mark_the_last_sentence_asks_unless_a_table_follows():
    assert split_ask("The nerve is cut. The muscle paralysed is")[0] == "The muscle paralysed is"
    stem = "Which diagnosis fits these results\nSodium 130\nPotassium 4"
    assert split_ask(stem)[0] == "Which diagnosis fits these results"


def test_options_are_read_only_in_their_view():
    assert question("Why?", ["a"], text_view="stem").options == ()
    assert question("Why?", ["a"], text_view="stem+options").options == ("a",)


def test_context_comes_before_the_stem():
    q = question("Why?", [], "Background.", text_view="stem+context")
    assert q.stem == "Background.\nWhy?"
    assert q.ask == "Why?"
    assert weights_view("stem+context") == "stem"


def test_a_repeated_option_list_is_cut_off():
    plain, repeated = "Which drug?", "Which drug?\nAnswer Choices: (A) x (B) y"
    assert question(repeated, text_view="stem").stem == plain
    assert stem_hash(repeated) == stem_hash(plain)


def test_the_hash_ignores_case_spacing_and_punctuation_only():
    assert stem_hash("Which  drug?") == stem_hash("which DRUG")
    assert stem_hash("Which drug?") != stem_hash("Which drugs?")


@given(st.text(max_size=300))
def test_any_text_has_parts(text):
    ask, body = split_ask(text)
    assert sorted(tokens(ask) + tokens(body)) == sorted(tokens(text))
