from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "metamapper.search"
    label = "search"

    def ready(self) -> None:
        from metamapper.search.subscriber import subscribe

        subscribe()
