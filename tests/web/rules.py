"""Who may open each address, by its name. A new address needs a line here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """Who gets what by GET, and by POST where the address changes something.

    ``member`` is what somebody who belongs there gets; everybody else gets what ``INSIDE`` or ``OUTSIDE`` says.
    """

    member: int = 200
    post: int | None = None
    inside: bool = True


PUBLIC = Rule(inside=False)
MOVES = Rule(member=302, inside=False)
RULES: dict[str, Rule] = {
    "arrive": MOVES,
    "welcome": MOVES,
    "welcome_workspace": MOVES,
    "welcome_datastore": PUBLIC,
    "system": Rule(member=404, inside=False),
    "icons": PUBLIC,
    "theme": Rule(member=405, inside=False),
    "account_login": MOVES,
    "account_logout": PUBLIC,
    "account_signup": MOVES,
    "account_inactive": PUBLIC,
    "account_reauthenticate": PUBLIC,
    "account_change_password": PUBLIC,
    "account_set_password": MOVES,
    "account_reset_password": PUBLIC,
    "account_reset_password_done": PUBLIC,
    "account_reset_password_from_key_done": PUBLIC,
    "account_reset_password_from_key": PUBLIC,
    "home": Rule(),
    "datastores": Rule(),
    "connect": Rule(post=422),
    "connect_test": Rule(member=405, post=422),
    "connect_preview": Rule(member=405, post=200),
    "connect_ssh": Rule(member=405, post=200),
    "ssh_keys": Rule(post=302),
    "load_example": Rule(member=405),
    "datastore_settings": Rule(post=422),
    "datastore_test": Rule(member=405, post=422),
    "datastore_preview": Rule(member=405, post=200),
    "datastore_ssh": Rule(member=405, post=200),
    "inspect": Rule(member=405, post=302),
    "pause": Rule(member=405, post=302),
    "delete_datastore": Rule(post=422),
    "runs": Rule(),
    "search": Rule(),
    "search_palette": Rule(),
    "datastore_runs": Rule(),
    "run": Rule(),
    "diagnose_run": Rule(member=405, post=302),
    "cancel_run": Rule(member=405, post=302),
    "changes": Rule(),
    "changes_of_run": Rule(),
    "datastore": Rule(),
    "datastore_changes": Rule(),
    "datastore_changes_of_run": Rule(),
    "decide_change": Rule(member=405, post=400),
    "decide_hold": Rule(member=405, post=400),
    "decide_suggestion": Rule(member=405, post=400),
    "tree": Rule(),
    "describe": Rule(post=302),
    "schema": Rule(),
    "table_by_id": Rule(member=302),
    "table": Rule(),
    "column": Rule(),
    "table_columns": Rule(),
    "table_relations": Rule(),
    "table_indexes": Rule(),
    "table_definition": Rule(),
    "table_history": Rule(),
    "table_history_of_run": Rule(),
}
