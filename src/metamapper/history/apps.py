from django.apps import AppConfig


class HistoryConfig(AppConfig):
    name = "metamapper.history"
    label = "history"
