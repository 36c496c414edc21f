"""A datastore's form, derived from its engine's typed settings. What the engine's types refuse is said at the field."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django import forms
from django.forms.boundfield import BoundField

from metamapper.connectors.base import Ability, Engine, EngineSettings
from metamapper.connectors.errors import ConnectorError, SettingsInvalid
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.connectors.settings import in_words
from metamapper.connectors.tunnel.errors import HostKeyChanged, HostKeyUnknown
from metamapper.connectors.tunnel.values import Hop
from metamapper.datastores.fields import SettingField, fields_of, fitting, missing
from metamapper.datastores.services import INTERVALS
from metamapper.web.datastores.hops import HopRow, hops_in, rows_in, rows_of

PREFIX = "set_"
_AT = re.compile(r" - at `\$\.(\w+).*`")
_MISSING = re.compile(r"missing required field `(\w+)`")
FORGET = "forget_"
NEEDED = "It is needed."
AGAIN = "The connection is another one now, and what is stored is not sent there: type it again, or have it forgotten."
SIGN_IN = "sign_in.failed"
BLAMED: Mapping[str, tuple[str, ...]] = {
    "host.unknown": ("host",),
    "host.denied": ("host", "path"),
    "connection.refused": ("host", "port"),
    "connection.timeout": ("host", "port"),
    "tls.failed": ("tls", "sslmode", "tls_mode"),
    SIGN_IN: ("user", "username", "password"),
    "database.unknown": ("database", "path"),
    "permission.missing": ("user", "username"),
}
"""Which settings a failed test speaks of; those that an engine has are marked, the last of them says why."""


class DatastoreForm(forms.Form):
    """What every datastore has; the engine's own fields are added by ``form_of``."""

    engine: Engine
    present: EngineSettings | None

    name = forms.CharField(max_length=60, label="Name here")
    interval = forms.TypedChoiceField(choices=tuple(INTERVALS.items()), coerce=int, initial=3600, label="Look every")
    schemas = forms.CharField(max_length=2000, required=False, label="Schemas")
    tables = forms.CharField(max_length=2000, required=False, label="Tables")

    def __init__(
        self, *args: Any, present: EngineSettings | None = None, hops: Sequence[Hop] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.present = present
        self.present_hops = tuple(hops)
        self.settings: EngineSettings | None = None
        self.hops: tuple[Hop, ...] = ()
        self.hop_rows: Sequence[HopRow] = ()
        if self.through_hops:
            self.hop_rows = rows_in(self.data) if self.is_bound else rows_of(self.present_hops)

    @property
    def through_hops(self) -> bool:
        """Whether its engine can be behind SSH hosts: a file of this machine cannot."""
        return bool(self.engine.capabilities[Ability.NETWORK])

    @property
    def destination(self) -> tuple[str, int] | None:
        """The host and port that what was typed means, where the engine asks for them."""
        public = (field for field in fields_of(self.engine.settings) if not field.secret)
        typed = {field.name: self[f"{PREFIX}{field.name}"].value() or field.default for field in public}
        return self.engine.settings.leads_to(typed)

    @property
    def is_unchanged(self) -> bool:
        """Whether the connection is the one that is stored; what does not fit counts for nothing."""
        if self.present is None or self.settings is None or self.hops != self.present_hops:
            return False
        after: dict[str, Any] = msgspec.to_builtins(self.settings)
        fit = fitting(fields_of(self.engine.settings), after)
        return self._before() == {name: value for name, value in after.items() if name in fit}

    @property
    def scope(self) -> ScopeFilter:
        return ScopeFilter(Patterns.parse(self._text("schemas")), Patterns.parse(self._text("tables")))

    def clean(self) -> dict[str, Any]:
        """Hand what was typed to the engine's types; an error lands at the field that it names."""
        self._clean_hops()
        if not self.errors:
            try:
                self.settings = msgspec.convert(self._given(), self.engine.settings, strict=False)
            except msgspec.ValidationError as error:
                self._refuse(str(error))
            else:
                self._ask_for_missing()
        return self.cleaned_data

    def _clean_hops(self) -> None:
        try:
            self.hops = hops_in(self.hop_rows)
        except SettingsInvalid as error:
            self.add_error(None, str(error))

    def blame(self, error: ConnectorError) -> None:
        """Mark the fields that a failed connection test speaks of; a host's new key is shown to be accepted."""
        if isinstance(error, HostKeyUnknown | HostKeyChanged):
            [row for row in self.hop_rows if not row.is_blank][error.hop].shown = error.offered
        fields = fields_of(self.engine.settings)
        fit = self._fit()
        blamed = [name for name in BLAMED.get(error.code, ()) if name in fit]
        if error.code == SIGN_IN:
            # Whatever kind of secret was given: a password, a key, a token.
            given = self._filled()
            blamed = list(
                dict.fromkeys([*blamed, *(each.name for each in fields if each.secret and each.name in given)])
            )
        for name in blamed:
            self.add_error(f"{PREFIX}{name}", f"{error.title}." if name == blamed[-1] else "")

    def usual(self) -> Sequence["Row"]:
        """What nearly everybody fills in."""
        return [row for row in self.rows() if not row.is_special]

    def special(self) -> Sequence["Row"]:
        """Time-outs, certificates and the like: folded away until somebody needs them."""
        return [row for row in self.rows() if row.is_special]

    def rows(self) -> Sequence["Row"]:
        """The engine's fields in order; a port stands beside its host."""
        rows: list[Row] = []
        fields = fields_of(self.engine.settings)
        fit = fitting(fields, {field.name: self[f"{PREFIX}{field.name}"].value() for field in fields})
        choosing = {name for field in fields for name in field.when}
        kept = self._stored_secrets()
        for field in fields:
            bound = Input(
                field,
                self[f"{PREFIX}{field.name}"],
                kept=field.name in kept,
                fits=field.name in fit,
                chooses=field.name in choosing,
            )
            if field.name == "port" and rows and rows[-1].inputs[-1].field.name == "host":
                rows[-1] = Row("Host and port", (*rows[-1].inputs, bound))
            else:
                rows.append(Row(field.title, (bound,)))
        return rows

    def _given(self) -> dict[str, Any]:
        filled = self._filled()
        return self._kept(filled) | filled

    def _typed(self) -> dict[str, Any]:
        return {field.name: self.cleaned_data.get(f"{PREFIX}{field.name}") for field in fields_of(self.engine.settings)}

    def _fit(self) -> frozenset[str]:
        """The fields that belong to what was chosen."""
        return fitting(fields_of(self.engine.settings), self._typed())

    def _filled(self) -> dict[str, Any]:
        """What was typed into the fields that belong to what was chosen; the rest is nobody's business any more."""
        fit = self._fit()
        return {name: value for name, value in self._typed().items() if name in fit and value not in {None, ""}}

    def _ask_for_missing(self) -> None:
        """Say at each field that what was chosen needs it, or that what is stored for it may not be sent there."""
        withheld = self._withheld()
        for name in withheld:
            self.add_error(f"{PREFIX}{name}", AGAIN)
        for name in missing(fields_of(self.engine.settings), msgspec.to_builtins(self.settings)):
            if name not in withheld:
                self.add_error(f"{PREFIX}{name}", NEEDED)

    def _withheld(self) -> list[str]:
        """Stored secrets that were left blank and cannot stay; whoever wants one gone says so."""
        return [
            name
            for name in self._stored_secrets()
            if name in self._fit() and not getattr(self.settings, name) and not self._is_forgotten(name)
        ]

    def _kept(self, filled: Mapping[str, Any]) -> dict[str, Any]:
        """Stored secrets for those left blank, while they would go where they went before and nowhere else.

        Otherwise whoever may edit a datastore could have its password sent to a server of their own.
        """
        if self.hops != self.present_hops or self._leads_elsewhere(filled):
            return {}
        fit = self._fit()
        stored = self._stored_secrets()
        return {name: secret for name, secret in stored.items() if name in fit and not self._is_forgotten(name)}

    def _leads_elsewhere(self, filled: Mapping[str, Any]) -> bool:
        """Whether anything was changed that may have a say in whom a secret is shown to. What does not fit has none."""
        before = self._before()
        deciding = (
            field
            for field in fields_of(self.engine.settings)
            if not field.secret and not field.tuning and (field.name in before or field.name in filled)
        )
        return any(_differs(before.get(field.name), filled.get(field.name), field) for field in deciding)

    def _before(self) -> dict[str, Any]:
        """What is stored and belongs to what was chosen then."""
        if self.present is None:
            return {}
        everything: dict[str, Any] = msgspec.to_builtins(self.present)
        fit = fitting(fields_of(self.engine.settings), everything)
        return {name: value for name, value in everything.items() if name in fit}

    def _stored_secrets(self) -> dict[str, str]:
        before = self._before()
        return {
            field.name: before[field.name]
            for field in fields_of(self.engine.settings)
            if field.secret and before.get(field.name)
        }

    def _is_forgotten(self, name: str) -> bool:
        return f"{FORGET}{name}" in self.data

    def _refuse(self, said: str) -> None:
        """``Expected `int` <= 65535 - at `$.port``` becomes an error of the port: ``At most 65535.``"""
        missing, at = _MISSING.search(said), _AT.search(said)
        found = missing or at
        name = f"{PREFIX}{found[1]}" if found else None
        self.add_error(name if name in self.fields else None, in_words(said))

    def _text(self, name: str) -> str:
        return str(self.cleaned_data.get(name) or "")


@dataclass(frozen=True, slots=True)
class Input:
    """One input; ``kept`` says that a stored secret stays if it is left blank."""

    field: SettingField
    bound: BoundField
    kept: bool
    fits: bool = True
    """Whether it belongs to what is chosen."""
    chooses: bool = False
    """Whether other fields depend on it."""

    @property
    def forget(self) -> str:
        """The name of the box that has a stored secret forgotten."""
        return f"{FORGET}{self.field.name}"

    @property
    def value(self) -> Any:
        """What to show again; a secret is never shown."""
        return "" if self.field.secret else self.bound.value()

    @property
    def errors(self) -> Sequence[str]:
        return [str(text) for text in self.bound.errors if text]

    @property
    def bad(self) -> bool:
        return bool(self.bound.errors)


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    inputs: tuple[Input, ...]

    @property
    def fits(self) -> bool:
        return self.inputs[0].fits

    @property
    def when(self) -> str:
        """With which choices of which inputs the row belongs to the form, for the page's script; blank is always."""
        condition = {f"{PREFIX}{name}": values for name, values in self.inputs[0].field.when.items()}
        return msgspec.json.encode(condition).decode() if condition else ""

    @property
    def is_special(self) -> bool:
        first = self.inputs[0].field
        return not first.when and first.input in {"number", "textarea"} and not first.required and not first.secret

    @property
    def is_open(self) -> bool:
        return any(each.bad or str(each.value or "") != str(each.field.default or "") for each in self.inputs)


def reshaped(
    engine: Engine, given: Mapping[str, str], present: EngineSettings | None = None, hops: Sequence[Hop] = ()
) -> DatastoreForm:
    """The form with what was typed so far, after another choice: nothing is said to be wrong yet. No secret is shown again."""
    kind = form_of(engine)
    secret = {f"{PREFIX}{field.name}" for field in fields_of(engine.settings) if field.secret}
    boxes = {name: name in given for name, field in kind.base_fields.items() if isinstance(field, forms.BooleanField)}
    typed = {name: given[name] for name in kind.base_fields if name in given and name not in secret}
    form = kind(initial=typed | boxes, present=present, hops=hops)
    if form.through_hops:
        form.hop_rows = rows_in(given)
    return form


def _differs(before: Any, after: Any, field: SettingField) -> bool:
    """Whether a public setting was changed; blank is its default."""
    return _plain(field.default if after in {None, ""} else after) != _plain(before)


def _plain(value: Any) -> str:
    """As a browser sends it: with lines that end otherwise, and without blanks around it."""
    return "\n".join(str(value if value is not None else "").strip().splitlines())


def form_of(engine: Engine) -> type[DatastoreForm]:
    """The form of one engine."""
    own = {f"{PREFIX}{field.name}": _form_field(field) for field in fields_of(engine.settings)}
    return type("EngineForm", (DatastoreForm,), {**own, "engine": engine})


def _form_field(field: SettingField) -> forms.Field:
    if field.input == "checkbox":
        return forms.BooleanField(required=False, initial=field.default)
    required = field.required and not field.secret
    if field.input == "number":
        return forms.IntegerField(required=required, initial=field.default)
    if field.choices:
        return forms.ChoiceField(required=required, initial=field.default, choices=field.choices)
    return forms.CharField(required=required, initial=field.default, strip=not field.secret, max_length=65_536)


def stored(settings: EngineSettings) -> dict[str, Any]:
    """The initial values of a form about settings that are there, without secrets."""
    everything: dict[str, Any] = msgspec.to_builtins(settings)
    public = (field.name for field in fields_of(type(settings)) if not field.secret)
    return {f"{PREFIX}{name}": everything.get(name) for name in public}
