"""The endpoints of uploads: each validates, calls one service, and returns."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.uploads import services
from apps.uploads.file_errors import file_problems, too_many_bytes
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
from resume_platform.http.caller import user_id
from resume_platform.http.parsers import TextJSONParser
from resume_platform.http.schema import (
    JSON_BODY,
    PROTECTED,
    Problem,
    answers,
    invalid,
    request_example,
)

NO_TEXT = invalid("resume", "This field may not be blank.")
FORBIDDEN = Problem(403, "not_owner", "It belongs to another user.")
NO_RESUME = Problem(404, "resume_not_found", "There is no such resume.")
NO_REQUIREMENTS = Problem(404, "requirements_not_found", "There are no such requirements.")
BAD_URL = invalid("callback_url", "This is not a URL with a host.")
TOO_MANY = Problem(429, "too_many_starts", "Too many processings were started. Try again later.")
BAD_IDS = invalid("requirements_ids", "This field is required.")
FILE_PROBLEMS = (
    *(Problem(status, code, sentence) for status, code, sentence in file_problems()),
    invalid("file", "No file was submitted."),
    Problem(
        422,
        "invalid_multipart",
        "The request body cannot be read.",
        {"body": ["The body is not what its Content-Type says."]},
    ),
)
START = {"requirements_id": 1, "resume_id": 2, "callback_url": "https://recruiter.example.com/cb"}
STARTED = {"status": "Processing started", "processing_id": 3}
DELETED = {"is_deleted": True}


def _upload(what: str, request: Any, answer: Any, *problems: Problem, body: Any = None) -> Any:
    """The documentation of one of the four uploads."""
    return extend_schema(
        tags=["uploads"],
        summary=f"Upload {what}",
        request=request,
        examples=[request_example(body)] if body else None,
        responses=answers(
            {200: answer}, *PROTECTED, *problems, example={next(iter(answer().fields)): 1}
        ),
    )


def _delete(what: str, request: Any, body: Any) -> Any:
    return extend_schema(
        tags=["processings"],
        summary=f"Delete {what}",
        request=request,
        examples=[request_example(body)],
        responses=answers(
            {200: DeletedSerializer}, *PROTECTED, BAD_IDS, *JSON_BODY, example=DELETED
        ),
    )


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
    parser_classes = (TextJSONParser,)

    @_upload(
        "a resume's text",
        ResumeTextSerializer,
        ResumeIdSerializer,
        *(NO_TEXT, *JSON_BODY),
        body={"resume": "Anna Petrova. Python, Django, five years."},
    )
    def post(self, request: Request) -> Response:
        form = ResumeTextSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        text = form.validated_data["resume"]
        resume = services.create_resume(user_id=user_id(request), text=text)
        return Response({"resume_id": resume.id})


class ResumeFileView(FileView):
    @_upload("a resume's file", FileSerializer, ResumeIdSerializer, *FILE_PROBLEMS)
    def post(self, request: Request) -> Response:
        file = self.file(request)
        resume = services.create_resume_from_file(user_id=user_id(request), **file)
        return Response({"resume_id": resume.id})


class RequirementsTextView(APIView):
    parser_classes = (TextJSONParser,)

    @_upload(
        "a vacancy's requirements as text",
        RequirementsTextSerializer,
        RequirementsIdSerializer,
        *(NO_TEXT, *JSON_BODY),
        body={"requirements": "Python, Django, PostgreSQL; three years at least."},
    )
    def post(self, request: Request) -> Response:
        form = RequirementsTextSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        text = form.validated_data["requirements"]
        requirements = services.create_requirements(user_id=user_id(request), text=text)
        return Response({"requirements_id": requirements.id})


class RequirementsFileView(FileView):
    @_upload(
        "a vacancy's requirements as a file",
        FileSerializer,
        RequirementsIdSerializer,
        *FILE_PROBLEMS,
    )
    def post(self, request: Request) -> Response:
        file = self.file(request)
        requirements = services.create_requirements_from_file(user_id=user_id(request), **file)
        return Response({"requirements_id": requirements.id})


class StartProcessingView(APIView):
    @extend_schema(
        tags=["processings"],
        summary="Have a resume judged by requirements",
        request=StartProcessingSerializer,
        examples=[request_example(START)],
        responses=answers(
            {200: StartedSerializer},
            *(*PROTECTED, FORBIDDEN, NO_RESUME, NO_REQUIREMENTS, BAD_URL, TOO_MANY, *JSON_BODY),
            example=STARTED,
        ),
    )
    def post(self, request: Request) -> Response:
        form = StartProcessingSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        processing = services.start_processing(user_id=user_id(request), **form.validated_data)
        return Response({"status": "Processing started", "processing_id": processing.id})


class DeleteProcessingView(APIView):
    @_delete("processings", DeleteProcessingSerializer, {"processings_ids": [1, 2]})
    def post(self, request: Request) -> Response:
        form = DeleteProcessingSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        deleted = services.delete_processings(user_id=user_id(request), **form.validated_data)
        return Response({"is_deleted": deleted})

    @_delete("processings", DeleteProcessingSerializer, {"processings_ids": [1, 2]})
    def delete(self, request: Request) -> Response:
        return self.post(request)


class DeleteRequirementsView(APIView):
    @_delete(
        "requirements and their processings",
        DeleteRequirementsSerializer,
        {"requirements_ids": [1]},
    )
    def post(self, request: Request) -> Response:
        form = DeleteRequirementsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        deleted = services.delete_requirements(user_id=user_id(request), **form.validated_data)
        return Response({"is_deleted": deleted})

    @_delete(
        "requirements and their processings",
        DeleteRequirementsSerializer,
        {"requirements_ids": [1]},
    )
    def delete(self, request: Request) -> Response:
        return self.post(request)
