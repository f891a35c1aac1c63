"""Storage's part of the API."""

from django.urls import path

from apps.storage import views

urlpatterns = [
    path("get_resume", views.ResumeView.as_view()),
    path("get_requirements", views.RequirementsView.as_view()),
    path("get_processing", views.ProcessingView.as_view()),
    path("get_processing_detail", views.ProcessingDetailView.as_view()),
]
