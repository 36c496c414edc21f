from django.apps import AppConfig


class AnnotationsConfig(AppConfig):
    name = "metamapper.annotations"
    label = "annotations"
