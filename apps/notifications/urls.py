"""The notifications' part of the API."""

from django.urls import path

from apps.notifications import views

urlpatterns = [
    path("webhook_secret", views.WebhookSecretView.as_view()),
    path("get_notifications", views.NotificationsView.as_view()),
    path("redeliver_notification", views.RedeliverView.as_view()),
    path("test_callback", views.TestCallbackView.as_view()),
]
