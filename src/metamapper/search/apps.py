from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "metamapper.search"
    label = "search"
