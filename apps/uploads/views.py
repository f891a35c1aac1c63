"""The endpoints of uploads: each validates, calls one service, and returns."""

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.uploads import services
from apps.uploads.file_errors import too_many_bytes
from apps.uploads.serializers import (
    DeletedSerializer,
    DeleteProcessingSerializer,
    DeleteRequirementsSerializer,
    FileSerializer,
    RequirementsIdSerializer,
    RequirementsTextSerializer,
    ResumeIdSerializer,
    ResumeTextSerializer,
    StartedSerializer,
    StartProcessingSerializer,
)
from apps.uploads.upload_handler import BoundedMemoryUploadHandler


class FileView(APIView):
    """Takes one file as multipart `file`."""

    parser_classes = (MultiPartParser,)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        request.upload_handlers = [BoundedMemoryUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    def file(self, request: Request) -> dict[str, Any]:
        form = FileSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        upload = form.validated_data["file"]
        if upload.size > settings.MAX_FILE_BYTES:
            raise too_many_bytes(settings.MAX_FILE_BYTES)
        return {"name": upload.name, "content": upload.read()}


class ResumeTextView(APIView):
    @extend_schema(request=ResumeTextSerializer, responses=ResumeIdSerializer)
    def post(self, request: Request) -> Response:
        form = ResumeTextSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        text = form.validated_data["resume"]
        resume = services.create_resume(user_id=_user_id(request), text=text)
        return Response({"resume_id": resume.id})


class ResumeFileView(FileView):
    @extend_schema(request=FileSerializer, responses=ResumeIdSerializer)
    def post(self, request: Request) -> Response:
        file = self.file(request)
        resume = services.create_resume_from_file(user_id=_user_id(request), **file)
        return Response({"resume_id": resume.id})


class RequirementsTextView(APIView):
    @extend_schema(request=RequirementsTextSerializer, responses=RequirementsIdSerializer)
    def post(self, request: Request) -> Response:
        form = RequirementsTextSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        text = form.validated_data["requirements"]
        requirements = services.create_requirements(user_id=_user_id(request), text=text)
        return Response({"requirements_id": requirements.id})


class RequirementsFileView(FileView):
    @extend_schema(request=FileSerializer, responses=RequirementsIdSerializer)
    def post(self, request: Request) -> Response:
        file = self.file(request)
        requirements = services.create_requirements_from_file(user_id=_user_id(request), **file)
        return Response({"requirements_id": requirements.id})


class StartProcessingView(APIView):
    @extend_schema(request=StartProcessingSerializer, responses=StartedSerializer)
    def post(self, request: Request) -> Response:
        form = StartProcessingSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        processing = services.start_processing(user_id=_user_id(request), **form.validated_data)
        return Response({"status": "Processing started", "processing_id": processing.id})


class DeleteProcessingView(APIView):
    @extend_schema(request=DeleteProcessingSerializer, responses=DeletedSerializer)
    def post(self, request: Request) -> Response:
        form = DeleteProcessingSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        deleted = services.delete_processings(user_id=_user_id(request), **form.validated_data)
        return Response({"is_deleted": deleted})

    @extend_schema(request=DeleteProcessingSerializer, responses=DeletedSerializer)
    def delete(self, request: Request) -> Response:
        return self.post(request)


class DeleteRequirementsView(APIView):
    @extend_schema(request=DeleteRequirementsSerializer, responses=DeletedSerializer)
    def post(self, request: Request) -> Response:
        form = DeleteRequirementsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        deleted = services.delete_requirements(user_id=_user_id(request), **form.validated_data)
        return Response({"is_deleted": deleted})

    @extend_schema(request=DeleteRequirementsSerializer, responses=DeletedSerializer)
    def delete(self, request: Request) -> Response:
        return self.post(request)


def _user_id(request: Request) -> int:
    # Every authentication class of ours sets a user with an id; the permission asks for one.
    return cast(int, request.user.id)
