from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "metamapper.web"
    label = "web"
