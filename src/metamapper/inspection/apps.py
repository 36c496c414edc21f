from django.apps import AppConfig


class InspectionConfig(AppConfig):
    name = "metamapper.inspection"
    label = "inspection"
