from django.urls import path

from metamapper.web.system import views

urlpatterns = [path("system/", views.system, name="system")]
