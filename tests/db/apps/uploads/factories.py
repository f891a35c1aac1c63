"""Rows of uploads."""

import factory
from factory.django import DjangoModelFactory

from apps.uploads.models import Processing, Requirements, Resume


class ResumeFactory(DjangoModelFactory):
    class Meta:
        model = Resume

    user_id = 1
    text = factory.Faker("text")


class RequirementsFactory(DjangoModelFactory):
    class Meta:
        model = Requirements

    user_id = 1
    text = factory.Faker("text")


class ProcessingFactory(DjangoModelFactory):
    class Meta:
        model = Processing

    user_id = 1
    resume = factory.SubFactory(ResumeFactory, user_id=factory.SelfAttribute("..user_id"))
    requirements = factory.SubFactory(
        RequirementsFactory, user_id=factory.SelfAttribute("..user_id")
    )
    callback_url = "https://recruiter.example.com/callback"
