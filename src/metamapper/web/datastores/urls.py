from django.urls import path

from metamapper.web.datastores import keys, views

urlpatterns = [
    path("ssh-keys/", keys.ssh_keys, name="ssh_keys"),
    path("datastores/", views.listing, name="datastores"),
    path("datastores/connect/", views.connect, name="connect"),
    path("datastores/connect/test/", views.test, name="connect_test"),
    path("datastores/connect/preview/", views.preview, name="connect_preview"),
    path("datastores/connect/ssh/", views.ssh, name="connect_ssh"),
    path("datastores/example/", views.load_example, name="load_example"),
    path("datastores/<slug:datastore>/settings/", views.settings, name="datastore_settings"),
    path("datastores/<slug:datastore>/settings/test/", views.settings_test, name="datastore_test"),
    path("datastores/<slug:datastore>/settings/preview/", views.settings_preview, name="datastore_preview"),
    path("datastores/<slug:datastore>/settings/ssh/", views.settings_ssh, name="datastore_ssh"),
    path("datastores/<slug:datastore>/inspect/", views.inspect, name="inspect"),
    path("datastores/<slug:datastore>/pause/", views.pause, name="pause"),
    path("datastores/<slug:datastore>/delete/", views.delete, name="delete_datastore"),
]
