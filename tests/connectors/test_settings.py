from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.registry import from_url, registry
from metamapper.connectors.settings import NOT_ASKED, in_words, metas, parse_settings, port_in, secret_fields

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
SECRET = "s3cret!word"


def encoded(text: str) -> str:
    return quote(text, safe="")


def values_of(url: str) -> dict[str, object]:
    _, settings = from_url(url)
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


@given(user=WORDS, password=WORDS, database=WORDS)
def test_a_url_carries_any_name_and_password(user: str, password: str, database: str) -> None:
    values = values_of(f"postgresql://{encoded(user)}:{encoded(password)}@db.invalid:6543/{encoded(database)}")
    assert (values["user"], values["password"], values["database"]) == (user, password, database)
    assert (values["host"], values["port"]) == ("db.invalid", 6543)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://u@h/d", "h", 5432),
        ("postgres://u@h:1/d", "h", 1),
        ("postgresql://u@[::1]:7/d", "::1", 7),
        ("postgresql://u@/d", "localhost", 5432),
        ("postgresql://u@%2Fvar%2FRun/d", "/var/Run", 5432),
        ("postgresql://u@/d?host=/tmp", "/tmp", 5432),
    ],
)
def test_where_a_url_points_to(url: str, host: str, port: int) -> None:
    values = values_of(url)
    assert (values["host"], values["port"]) == (host, port)


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://u@db.invalid/d", "verify"),
        ("postgresql://u@localhost/d", "off"),
        ("postgresql://u@127.0.0.1/d", "off"),
        ("postgresql://u@[::1]/d", "off"),
        ("postgresql://u@127.0.0.1.evil.invalid/d", "verify"),
        ("postgresql://u@localhost/d?sslmode=verify-full", "verify"),
        ("postgresql://u@db.invalid/d?sslmode=verify-ca", "verify"),
        ("postgresql://u@db.invalid/d?sslmode=require", "unverified"),
        ("postgresql://u@db.invalid/d?sslmode=disable", "off"),
    ],
)
def test_tls_is_verified_unless_somebody_says_otherwise(url: str, mode: str) -> None:
    _, settings = from_url(url)
    assert getattr(settings, "tls_mode") == mode  # noqa: B009 - an engine's own field


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{SECRET}@h:notaport/d",
        f"postgresql://u:{SECRET}@h:99999/d",
        f"postgresql://u:{SECRET}/x@h/d",
        f"postgresql://u:{SECRET}@h/d?service=x",
        f"postgresql://u:{SECRET}@h/d?passfile=/etc/passwd",
        f"postgresql://u:{SECRET}@h/d?options=-c%20x",
        f"postgresql://u:{SECRET}@h/d?sslmode=prefer",
        f"postgresql://u:{SECRET}@h/d?connect_timeout=soon",
        f"postgresql://u:{SECRET}@h/d?connect_timeout=0",
        f"postgresql://:{SECRET}@h/d",
        f"nothing://u:{SECRET}@h/d",
        "sqlite://shop.db",
        "sqlite:///shop.db?mode=rw",
        "sqlite:",
    ],
)
def test_a_wrong_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        from_url(url)
    assert SECRET not in str(caught.value.as_dict())
    assert SECRET not in repr(caught.value.__cause__)


def test_settings_do_not_print_their_secrets() -> None:
    _, settings = from_url(f"postgresql://u:{SECRET}@h/d")
    assert SECRET not in repr(settings)
    assert SECRET not in f"{settings!s}"
    assert settings.secrets() == (SECRET,)


@pytest.mark.parametrize(
    "values",
    [
        {"host": "h", "database": "d", "user": "u", "dsn": SECRET},
        {"host": "h", "database": "d", "user": "u", "tls": SECRET},
        {"host": "h", "database": "d", "user": "u", "port": SECRET},
        {"host": "", "database": "d", "user": "u", "password": SECRET},
        {"host": "h", "database": "d", "user": "u", "password": {"x": SECRET}},
    ],
)
def test_values_that_do_not_fit_are_refused_without_being_repeated(values: dict[str, object]) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        parse_settings(registry().engines["postgresql"].settings, values)
    assert SECRET not in str(caught.value)


def test_every_field_of_every_engine_is_described() -> None:
    for engine in registry().engines.values():
        assert set(metas(engine.settings)) == set(engine.settings.__struct_fields__)
        assert all(meta.title for meta in metas(engine.settings).values())
        _conditions_name_choices_of_earlier_fields(engine.settings)
        assert all("password" not in name or name in secret_fields(engine.settings) for name in metas(engine.settings))


@pytest.mark.parametrize(
    ("values_given", "said"),
    [
        ({"host": ""}, "It is needed."),
        ({"database": ""}, "It is needed."),
        ({"port": "abc"}, "A whole number is needed."),
        ({"port": "70000"}, "At most 65535."),
        ({"port": "0"}, "At least 1."),
    ],
)
def test_what_a_setting_lacks_is_said_as_people_say_it(values_given: dict[str, str], said: str) -> None:
    values = {"host": "h", "user": "u", "database": "d"} | values_given
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(values, registry().engines["postgresql"].settings, strict=False)
    assert in_words(str(caught.value)) == said


def _conditions_name_choices_of_earlier_fields(settings: type) -> None:
    """Or a field would never be asked for, and nobody would notice."""
    choices: dict[str, set[str]] = {}
    for name, meta in metas(settings).items():
        extra = meta.extra or {}
        for field, values in {*extra["when"].items(), *extra["needed"].items()}:
            assert values, f"{name} of {settings.__name__}"
            assert set(values) <= choices.get(field, set()), f"{name} of {settings.__name__}"
        hidden_at_times = {NOT_ASKED} if extra["when"] else set()
        choices[name] = {*extra.get("choices", ()), *hidden_at_times}


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("postgresql://u:p@db.lan/shop", ("db.lan", 5432)),
        ("thrift://metastore.lan", ("metastore.lan", 9083)),
        ("hive://u:p@db.lan/metastore?access=sqlserver_database", ("db.lan", 1433)),
        ("hive://u:p@db.lan:1444/metastore?access=sqlserver_database", ("db.lan", 1444)),
        ("sqlite:///shop.sqlite3", None),
    ],
)
def test_the_one_place_that_settings_lead_to(url: str, destination: tuple[str, int] | None) -> None:
    _, settings = from_url(url)
    assert settings.destination == destination


@pytest.mark.parametrize(
    ("typed", "port"), [("22", 22), (" 65535 ", 65535), ("65536", 0), ("9" * 5000, 0), ("²", 0), ("-1", 0), ("", 0)]
)
def test_a_port_as_it_is_typed(typed: str, port: int) -> None:
    assert port_in(typed) == port
