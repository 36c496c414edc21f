from django.urls import path

from metamapper.web.home import views

urlpatterns = [path("", views.home, name="home")]
