"""The shapes of the accounts' requests and answers."""

import unicodedata

from rest_framework import serializers

from apps.auth.models import normalise_username


class RegisterSerializer(serializers.Serializer):
    username = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=256, trim_whitespace=False)
    full_name = serializers.CharField(
        max_length=255, required=False, allow_null=True, allow_blank=True
    )

    def validate_username(self, username: str) -> str:
        """Refuses a name that looks like another's: compatible letters, invisible characters.

        Only here, so that whoever registered one before still logs in.
        """
        name = normalise_username(username)
        plain = name.partition("@")[0].isascii() and name.isprintable()
        if not plain or unicodedata.normalize("NFKC", name) != name:
            self.fields["username"].fail("invalid")
        return username


class LoginSerializer(serializers.Serializer):
    username = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=256, trim_whitespace=False)


class RefreshSerializer(serializers.Serializer):
    refresh_token = serializers.CharField(max_length=4096)


class TokenPairSerializer(serializers.Serializer):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["bearer"])


class UserSerializer(serializers.Serializer):
    user_id = serializers.IntegerField(source="id")
    username = serializers.EmailField()
    full_name = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class StatusSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["success"])
