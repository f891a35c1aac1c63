"""Registration, login, refresh and logout.

Locks are taken in one order: the user's row, then the user's sessions.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework_simplejwt.settings import api_settings

from apps.auth import erasure, login_limit, tokens, user_cache
from apps.auth.models import Session, User, normalise_username
from kafka_bridge import outbox
from kafka_bridge.contract.events import NewUser
from kafka_bridge.erasure import erase_user as erasures
from resume_platform.http.errors import Conflict, Invalid, ServiceUnavailable, Unauthorized

# Each waits for two seconds at most.
SHUT_OUT_ATTEMPTS = 10


def register(*, username: str, password: str, full_name: str | None = None) -> User:
    """Create a user and announce it.

    Raises Conflict when the name is taken, also by a registration at the same moment, and
    Invalid when the password is too weak.
    """
    user = User(username=normalise_username(username), full_name=full_name or None)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(
            _("The request is not valid: see errors."),
            "weak_password",
            errors={"password": error.messages},
        ) from error
    if User.objects.filter(username=user.username).exists():
        raise _taken()
    user.set_password(password)  # slow on purpose, so outside of the transaction
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            outbox.enqueue(
                NewUser(
                    user_id=user.id,
                    username=user.username,
                    full_name=user.full_name,
                    created_at=user.created_at,
                )
            )
    except IntegrityError as error:
        raise _taken() from error
    return user


def login(*, request: HttpRequest, username: str, password: str) -> tokens.Pair:
    """Open a session; of too many the oldest ends.

    Raises Unauthorized for a wrong name, a wrong password and an inactive user alike, after the
    same hashing work (Django's backend hashes once for a name that does not exist), and
    TooManyRequests while the name is blocked from the request's address.
    """
    user = authenticate(request, username=username, password=password)
    if user is not None:
        login_limit.succeeded(request, user)
    login_limit.refuse_blocked(request)
    if user is None:
        raise _wrong_credentials()
    return _open_session(user_id=user.id, password_hash=user.password)


@transaction.atomic
def _open_session(*, user_id: int, password_hash: str) -> tokens.Pair:
    user = User.objects.select_for_update(no_key=True).filter(id=user_id, is_active=True).first()
    if user is None or user.password != password_hash:
        raise _wrong_credentials()  # changed while the password was being checked
    now = timezone.now()
    User.objects.filter(id=user_id).update(last_login=now)
    newest = user.sessions.active().order_by("-created_at", "-id")
    surplus = newest.values_list("id", flat=True)[settings.MAX_ACTIVE_SESSIONS - 1 :]
    if Session.objects.filter(id__in=list(surplus)).end():
        transaction.on_commit(partial(user_cache.changed, user_id), robust=True)
    session = Session(id=uuid4(), user=user, created_at=now)
    pair = tokens.issue(user=user, session_id=session.id)
    _renew(session, pair, now)
    session.save(force_insert=True)
    return pair


def refresh(*, refresh_token: str) -> tokens.Pair:
    """Exchange a refresh token for a new pair; the old one is dead from then on.

    A token that was exchanged before has been stolen, or its thief is asking now: the whole
    session ends. Raises Unauthorized for whatever is not the newest token of an open session.
    """
    try:
        claims = tokens.read_refresh(refresh_token)
    except tokens.MalformedToken as error:
        raise _wrong_refresh_token() from error
    with transaction.atomic():
        session = Session.objects.active().select_for_update().filter(id=claims.session_id).first()
        pair = None
        if session is not None and session.refresh_digest != tokens.digest(refresh_token):
            Session.objects.filter(id=session.id).end()
            transaction.on_commit(partial(user_cache.changed, session.user_id), robust=True)
        elif session is not None and _may_refresh(session.user, claims):
            pair = tokens.issue(user=session.user, session_id=session.id)
            _renew(session, pair, timezone.now())
            session.save(update_fields=["refresh_digest", "last_used_at", "expires_at"])
    if pair is None:  # outside: the end of a session must not roll back
        raise _wrong_refresh_token()
    return pair


@transaction.atomic
def logout(*, user_id: int) -> None:
    """End every session of a user, and make every token issued so far worthless."""
    user = User.objects.select_for_update(no_key=True).get(id=user_id)
    user.session_version += 1
    user.save(update_fields=["session_version"])  # its signal renews the cached user
    user.sessions.all().end()


@transaction.atomic
def ensure_staff(*, username: str, password: str) -> bool:
    """Create a superuser, or bring its rights and password up to date. True if it was created.

    Not announced: in a system whose accounts live elsewhere its id would mean another user.
    """
    user, created = User.objects.select_for_update().get_or_create(
        username=normalise_username(username)
    )
    if not user.check_password(password):
        user.set_password(password)
    user.is_staff = user.is_superuser = user.is_active = True
    user.save()
    return created


def erase_user(*, user_id: int) -> None:
    """Close the account at once, take nothing more in, and have every app erase the user's texts.

    Raises Conflict for a member of the staff, and ServiceUnavailable. An id that has no account
    here is erased all the same: others may hold something of it.
    """
    for _attempt in range(SHUT_OUT_ATTEMPTS):
        with suppress(OperationalError):  # the tombstone's lock was not to be had in time
            _shut_out(user_id)
            return
    raise ServiceUnavailable(_("The database does not answer. Try again."), "unavailable")


@transaction.atomic
def _shut_out(user_id: int) -> None:
    if erasure.is_staff(user_id):
        raise Conflict(_("It is a member of the staff: take the rights away first."), "is_staff")
    if "auth" in settings.ENABLED_APPS:
        erasure.close_account(user_id)
        transaction.on_commit(partial(user_cache.changed, user_id), robust=True)
    erasures.request(user_id)


def _may_refresh(user: User, claims: tokens.Claims) -> bool:
    return user.is_active and user.session_version == claims.session_version


def _renew(session: Session, pair: tokens.Pair, now: datetime) -> None:
    lifetime: timedelta = api_settings.REFRESH_TOKEN_LIFETIME
    session.refresh_digest = pair.refresh_digest
    session.last_used_at = now
    session.expires_at = now + lifetime


def _taken() -> Conflict:
    return Conflict(_("This user name is taken."), "username_taken")


def _wrong_credentials() -> Unauthorized:
    return Unauthorized(_("The user name or the password is wrong."), "wrong_credentials")


def _wrong_refresh_token() -> Unauthorized:
    return Unauthorized(_("The refresh token is not valid."), "invalid_refresh_token")
