from django.urls import path

from metamapper.web.runs import views

urlpatterns = [
    path("runs/", views.workspace_runs, name="runs"),
    path("datastores/<slug:datastore>/runs/", views.datastore_runs, name="datastore_runs"),
    path("datastores/<slug:datastore>/runs/<int:number>/", views.run, name="run"),
    path("datastores/<slug:datastore>/runs/<int:number>/test/", views.diagnose, name="diagnose_run"),
    path("datastores/<slug:datastore>/runs/<int:number>/cancel/", views.cancel, name="cancel_run"),
]
