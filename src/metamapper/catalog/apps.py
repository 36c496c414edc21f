from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "metamapper.catalog"
    label = "catalog"
