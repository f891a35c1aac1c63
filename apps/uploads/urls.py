"""The paths of uploads."""

from django.urls import path

from apps.uploads import views

urlpatterns = [
    path("create_resume/text", views.ResumeTextView.as_view()),
    path("create_resume/file", views.ResumeFileView.as_view()),
    path("create_requirements/text", views.RequirementsTextView.as_view()),
    path("create_requirements/file", views.RequirementsFileView.as_view()),
    path("start_processing", views.StartProcessingView.as_view()),
    path("delete_processing", views.DeleteProcessingView.as_view()),
    path("delete_requirements", views.DeleteRequirementsView.as_view()),
]
