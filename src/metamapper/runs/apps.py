from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "metamapper.runs"
    label = "runs"
