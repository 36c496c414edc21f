from django.urls import path

from metamapper.web.welcome import views

urlpatterns = [
    path("", views.arrive, name="arrive"),
    path("welcome/", views.account, name="welcome"),
    path("welcome/workspace/", views.workspace, name="welcome_workspace"),
    path("welcome/datastore/", views.datastore, name="welcome_datastore"),
]
