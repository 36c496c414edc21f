from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "metamapper.accounts"
    label = "accounts"
