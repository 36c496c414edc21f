from hypothesis import given
from hypothesis import strategies as st

from metamapper.connectors.sql.redaction import SHORTEST, redact


@given(before=st.text(), secret=st.text(min_size=SHORTEST), after=st.text())
def test_a_secret_never_survives(before: str, secret: str, after: str) -> None:
    if secret in "***":
        return
    assert secret not in redact(f"{before}{secret}{after}", [secret])


def test_a_secret_is_also_found_percent_encoded() -> None:
    assert redact("postgresql://me:p%40ss%2Fword@host/db", ["p@ss/word"]) == "postgresql://me:***@host/db"


def test_a_longer_secret_goes_before_one_that_it_contains() -> None:
    assert redact("said abcdef", ["abc", "abcdef"]) == "said ***"
