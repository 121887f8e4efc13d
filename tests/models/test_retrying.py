from __future__ import annotations

import math
import random
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.errors import InputError
from viva.models import CallFailed, Failure, Retry
from viva.models.failures import RETRIED
from viva.models.retrying import LONGEST_WAIT, retry_after_seconds

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("599", 599),
        ("86400", LONGEST_WAIT),
        ("999999999999", LONGEST_WAIT),
        (formatdate(NOW + 30, usegmt=True), 30),
        (formatdate(NOW - 30, usegmt=True), 0),
        (formatdate(NOW + 1e6, usegmt=True), LONGEST_WAIT),
        ("Fri, 15-Jan-27 08:00:30 GMT", 30),  # RFC 850, as old servers write it
        ("Fri, 15 Jan 2027 08:00:30 -0000", 30),
        ("Fri Jan 15 08:00:30 2027", 30),  # asctime
        ("", None),
        ("-1", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("٣", None),
        ("7 seconds", None),
        ("1" * 1000, None),
        ("Fri, 99 Xyz 9999 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert retry_after_seconds(header, NOW) == seconds


@given(st.text(max_size=80) | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ .*"))
def test_no_header_breaks_it_and_none_makes_a_call_wait_longer_than_allowed(header):
    seconds = retry_after_seconds(header, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT


@given(st.datetimes(), st.floats(0, 4e9))
def test_any_date_within_bounds(date, now):
    header = date.strftime("%a, %d %b %Y %H:%M:%S GMT")
    seconds = retry_after_seconds(header, now)
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT


def test_waits_fill_the_interval_that_doubles_up_to_the_cap():
    retry = Retry(tries=10, base=0.5, cap=4)
    for tries, most in ((1, 0.5), (2, 1), (3, 2), (4, 4), (5, 4), (60, 4), (10_000, 4)):
        random.seed(tries)
        drawn = [retry.wait(tries) for _ in range(4000)]
        assert 0 <= min(drawn) < 0.01 * most
        assert 0.99 * most < max(drawn) <= most
        assert math.isclose(sum(drawn) / len(drawn), most / 2, rel_tol=0.05)


@given(st.floats(allow_nan=False), st.integers(1, 100))
def test_what_the_server_asks_for_is_waited_within_bounds(asked, tries):
    retry = Retry(base=0.5, cap=60)
    wait = retry.wait(tries, asked)
    assert min(max(asked, 0), LONGEST_WAIT) <= wait <= LONGEST_WAIT + 60


@pytest.mark.parametrize("failure", Failure)
def test_only_what_may_pass_is_tried_again_and_only_so_often(failure):
    retry = Retry(tries=3)
    repeats = [retry.repeats(CallFailed(failure), tries) for tries in (1, 2, 3, 4)]
    assert repeats == ([True, True, False, False] if failure in RETRIED else [False] * 4)


@pytest.mark.parametrize("bad", [{"tries": 0}, {"base": -1}, {"cap": math.nan}, {"base": math.inf}])
def test_senseless_settings_are_refused(bad):
    with pytest.raises(InputError):
        Retry(**bad)
