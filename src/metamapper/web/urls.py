"""Every page. What lies within a workspace is mounted under its address, area by area."""

from django.urls import URLPattern, URLResolver, include, path

from metamapper.web import preferences, site

Patterns = list[URLPattern | URLResolver]

within_workspace: Patterns = [
    path("", include("metamapper.web.home.urls")),
    path("", include("metamapper.web.datastores.urls")),
    path("", include("metamapper.web.runs.urls")),
    path("", include("metamapper.web.search.urls")),
    path("", include("metamapper.web.catalog.urls")),
]

urlpatterns: Patterns = [
    path("", include("metamapper.web.welcome.urls")),
    path("", include("metamapper.web.account.urls")),
    path("", include("metamapper.web.system.urls")),
    path("icons.svg", site.icons, name="icons"),
    path("theme/", preferences.choose_theme, name="theme"),
    path("<slug:workspace>/", include(within_workspace)),
]
