"""The catalog's addresses within a workspace."""

from django.urls import path

from metamapper.web.catalog import changes, decide, describe, overview, schema, table, tree

_STORE = "datastores/<slug:datastore>/"
_TABLE = f"{_STORE}tables/<uuid:table>/"

urlpatterns = [
    path("changes/", changes.of_workspace, name="changes"),
    path("changes/runs/<uuid:run>/", changes.rest_in_workspace, name="changes_of_run"),
    path(_STORE, overview.overview, name="datastore"),
    path(f"{_STORE}changes/", changes.of_datastore, name="datastore_changes"),
    path(f"{_STORE}changes/runs/<uuid:run>/", changes.rest_in_datastore, name="datastore_changes_of_run"),
    path(f"{_STORE}changes/<uuid:change>/decide/", decide.change, name="decide_change"),
    path(f"{_STORE}holds/<uuid:hold>/decide/", decide.hold, name="decide_hold"),
    path(f"{_STORE}suggestions/<uuid:suggestion>/decide/", decide.suggestion, name="decide_suggestion"),
    path(f"{_STORE}tree/", tree.tree, name="tree"),
    path(f"{_STORE}describe/<str:kind>/<uuid:asset>/", describe.describe, name="describe"),
    path(f"{_STORE}schemas/<uuid:schema>/", schema.schema, name="schema"),
    path(_TABLE, table.unlabelled, name="table_by_id"),
    path(f"{_TABLE}<str:label>/", table.columns, name="table"),
    path(f"{_TABLE}<str:label>/columns/<uuid:column>/", table.column, name="column"),
    path(f"{_TABLE}<str:label>/columns/", table.columns, name="table_columns"),
    path(f"{_TABLE}<str:label>/relations/", table.relations, name="table_relations"),
    path(f"{_TABLE}<str:label>/indexes/", table.indexes, name="table_indexes"),
    path(f"{_TABLE}<str:label>/definition/", table.definition, name="table_definition"),
    path(f"{_TABLE}<str:label>/history/", changes.of_table, name="table_history"),
    path(f"{_TABLE}<str:label>/history/runs/<uuid:run>/", changes.rest_of_table, name="table_history_of_run"),
]
