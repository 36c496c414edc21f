"""Every address of the site."""

from django.urls import include, path

urlpatterns = [
    path("", include("metamapper.web.urls")),
]

handler400 = "metamapper.web.errors.bad_request"
handler403 = "metamapper.web.errors.forbidden"
handler404 = "metamapper.web.errors.not_found"
handler500 = "metamapper.web.errors.server_error"
