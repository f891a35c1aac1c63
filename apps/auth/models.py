"""Users and their sessions."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


def normalise_username(username: str) -> str:
    """The one spelling under which an e-mail address is stored and looked up."""
    return username.strip().lower()


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=normalise_username(username or ""))

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Insert a user. Registration goes through `services.register`, which announces it."""
        user = self.model(username=normalise_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A recruiter's account, or a member of the staff. The name is an e-mail address."""

    id = models.BigAutoField(primary_key=True)
    username = models.EmailField(
        "e-mail", max_length=254, unique=True, error_messages={"unique": "This name is taken."}
    )
    full_name = models.CharField(max_length=255, null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    session_version = models.PositiveIntegerField(
        default=0, editable=False, help_text="Raised to make every token issued so far worthless."
    )

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        permissions: ClassVar = [("erase_user", "Can erase a user's data")]
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("username"), name="accounts_user_username_ci")
        ]

    def __str__(self) -> str:
        return self.username

    def set_password(self, raw_password: str | None) -> None:
        """A new password makes every token issued so far worthless, once it is saved."""
        super().set_password(raw_password)
        self.session_version += 1

    def clean(self) -> None:
        self.username = normalise_username(self.username)


class SessionQuerySet(models.QuerySet["Session"]):
    def active(self) -> "SessionQuerySet":
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())

    def end(self) -> int:
        return self.filter(revoked_at=None).update(revoked_at=timezone.now())


class Session(models.Model):
    """One login: a chain of refresh tokens of which only the newest is good."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    refresh_digest = models.CharField(
        max_length=64, help_text="SHA-256 of the refresh token that is good now."
    )
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=("user", "created_at"),
                condition=models.Q(revoked_at=None),
                name="accounts_session_open",
            )
        ]

    def __str__(self) -> str:
        return f"session {self.id} of user {self.user_id}"
