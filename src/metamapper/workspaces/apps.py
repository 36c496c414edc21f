from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "metamapper.workspaces"
    label = "workspaces"
