from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "metamapper.notifications"
    label = "notifications"

    def ready(self) -> None:
        """Say who handles errands of mail."""
        from metamapper.notifications import mail  # noqa: F401 - importing it registers the handler
