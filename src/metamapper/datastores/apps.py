from django.apps import AppConfig


class DatastoresConfig(AppConfig):
    name = "metamapper.datastores"
    label = "datastores"
