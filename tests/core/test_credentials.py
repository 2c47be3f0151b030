"""A task's credentials: the same for everyone who knows the secret, and nobody else's."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from tsubo.core.credentials import LIFETIME_SECONDS, RENEWAL_SECONDS, current, given_out

SECRET, TASK, MADE_AT = "secret", "0" * 32, 1_700_000_000.4


@given(st.floats(min_value=0, max_value=10 * LIFETIME_SECONDS))
def test_credentials_are_valid_for_an_hour_at_least_and_six_at_most(age: float) -> None:
    """aws/ecs-cloudmap-exec.md section 17: about 6 h, renewed before they expire."""
    now = MADE_AT + age
    left = current(SECRET, TASK, MADE_AT, now).expires_at - now
    assert LIFETIME_SECONDS - RENEWAL_SECONDS - 1 <= left <= LIFETIME_SECONDS


def test_credentials_stay_the_same_until_they_are_renewed() -> None:
    first = current(SECRET, TASK, MADE_AT, MADE_AT)
    assert current(SECRET, TASK, MADE_AT, MADE_AT + RENEWAL_SECONDS - 1) == first
    renewed = current(SECRET, TASK, MADE_AT, MADE_AT + RENEWAL_SECONDS)
    assert renewed.access_key_id != first.access_key_id
    assert renewed.secret_access_key != first.secret_access_key
    assert renewed.expires_at == first.expires_at + RENEWAL_SECONDS


def test_they_look_like_temporary_credentials() -> None:
    made = current(SECRET, TASK, MADE_AT, MADE_AT)
    assert made.access_key_id.startswith("ASIA")
    assert (len(made.access_key_id), len(made.secret_access_key)) == (20, 40)


def test_what_was_given_out_is_found_again_by_key_id_and_token() -> None:
    made = current(SECRET, TASK, MADE_AT, MADE_AT)
    assert given_out(SECRET, made.access_key_id, made.session_token) == made
    assert given_out("another secret", made.access_key_id, made.session_token) is None
    assert given_out(SECRET, "ASIA" + "A" * 16, made.session_token) is None


@given(st.one_of(st.text(), st.text().map(lambda text: base64.b64encode(text.encode()).decode())))
def test_no_other_token_is_taken(token: str) -> None:
    made = current(SECRET, TASK, MADE_AT, MADE_AT)
    assert given_out(SECRET, made.access_key_id, token) is None


def test_a_token_with_another_end_has_another_secret_key() -> None:
    made = current(SECRET, TASK, MADE_AT, MADE_AT)
    forged = base64.b64encode(f"tsubo1/{TASK}/{made.expires_at + 10**6}".encode()).decode()
    assert given_out(SECRET, made.access_key_id, forged) is None
