"""The notifications' part of the API."""

from django.urls import path

from apps.notifications import views

urlpatterns = [path("webhook_secret", views.WebhookSecretView.as_view())]
