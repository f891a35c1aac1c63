"""Rows of accounts."""

import factory
from factory.django import DjangoModelFactory

from apps.auth.models import User

PASSWORD = "correct-horse-battery"


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"recruiter{n}@example.com")
    full_name = factory.Faker("name")

    @classmethod
    def _create(cls, model_class: type[User], *args: object, **fields: object) -> User:
        password = str(fields.pop("password", PASSWORD))
        username = str(fields.pop("username"))
        return User.objects.create_user(username, password, **fields)
