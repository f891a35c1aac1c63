"""Staff actions in the admin: in a list for many rows, on a row's own page for one."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.enums import ActionVariant

from resume_platform.admin.staff_actions import MAX_ROWS, StaffAction, carry_out

TEMPLATE = "admin/staff_action.html"
CONFIRMED = "confirmed"
_SHOWN_ROWS = 20


class WithStaffActions:
    """Put before the ModelAdmin. Nothing is done by a GET, and nothing without the permission."""

    staff_actions: tuple[StaffAction, ...] = ()

    # --- for many -----------------------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)  # type: ignore[misc]
        for action in self._permitted(request):
            actions[action.name] = (_in_list(action), action.name, action.title)
        return actions

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        permitted = {action.name for action in self._permitted(request)}
        ours = {action.name for action in self.staff_actions}
        if request.method == "POST" and (ours - permitted) & set(request.POST.getlist("action")):
            raise PermissionDenied
        answer: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]
        return answer

    # --- for one ------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        options = self.model._meta  # type: ignore[attr-defined]
        view = self.admin_site.admin_view(self.staff_action_view)  # type: ignore[attr-defined]
        name = f"{options.app_label}_{options.model_name}_staff_action"
        own = path("<path:object_id>/action/<slug:action_name>/", view, name=name)
        return [own, *super().get_urls()]  # type: ignore[misc]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        row = options.get("obj")
        if row is not None:
            buttons = [
                self._button(action, row)
                for action in self._permitted(request)
                if action.is_offered(row)
            ]
            context["actions_detail"] = [*context.get("actions_detail", []), *buttons]
        answer: HttpResponse = super().render_change_form(  # type: ignore[misc]
            request, context, *args, **options
        )
        return answer

    def staff_action_view(
        self, request: HttpRequest, object_id: str, action_name: str
    ) -> HttpResponse:
        """Asks on GET, acts on POST."""
        action = next((one for one in self.staff_actions if one.name == action_name), None)
        if action is None:
            raise Http404
        if not action.is_permitted(request.user):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if row is None:
            raise Http404
        if request.method != "POST":
            return self._ask(request, action, [row], 1)
        self._do(request, action, [row])
        return HttpResponseRedirect(self._url("change", row.pk))

    # --- both ---------------------------------------------------------------------------------

    def begin_for_many(
        self, request: HttpRequest, action: StaffAction, queryset: Any
    ) -> HttpResponse | None:
        """The page that asks first, or None once it is done."""
        count = queryset.count()
        if count > MAX_ROWS:
            self._say(
                request,
                messages.ERROR,
                _("Choose at most {limit} rows at once; nothing was done to these {count}.").format(
                    limit=MAX_ROWS, count=count
                ),
            )
            return None
        if action.confirmed and CONFIRMED not in request.POST:
            return self._ask(request, action, queryset[:_SHOWN_ROWS], count)
        self._do(request, action, queryset.order_by("pk"))
        return None

    def _ask(
        self, request: HttpRequest, action: StaffAction, rows: Sequence[Any], count: int
    ) -> HttpResponse:
        options = self.model._meta  # type: ignore[attr-defined]
        names = (ACTION_CHECKBOX_NAME, "action", "select_across", "index")
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": options,
            "title": action.title,
            "action": action,
            "rows": rows,
            "count": count,
            "unlisted": count - len(rows),
            # What the list's form had said is said again.
            "said": [(name, value) for name in names for value in request.POST.getlist(name)],
            "back": request.get_full_path()
            if request.method == "POST"
            else self._url("change", rows[0].pk),
            "confirmed_name": CONFIRMED,
        }
        return TemplateResponse(request, TEMPLATE, context)

    def _do(self, request: HttpRequest, action: StaffAction, rows: Any) -> None:
        report = carry_out(action, rows, staff=request.user)
        if report.done:
            self._say(request, messages.SUCCESS, action.done % {"count": report.done})
        for reason, count in report.left.items():
            sentence = ngettext("%(count)d was left as it is.", "%(count)d were left as they are.",
                                count) % {"count": count}  # fmt: skip
            self._say(request, messages.WARNING, f"{sentence} {reason}")

    def _say(self, request: HttpRequest, level: int, sentence: str) -> None:
        self.message_user(request, sentence, level)  # type: ignore[attr-defined]

    def _permitted(self, request: HttpRequest) -> list[StaffAction]:
        return [action for action in self.staff_actions if action.is_permitted(request.user)]

    def _button(self, action: StaffAction, row: Any) -> dict[str, Any]:
        return {
            "title": action.title,
            "icon": action.icon,
            "variant": ActionVariant.DANGER if action.confirmed else ActionVariant.DEFAULT,
            "attrs": {},
            "dialog": None,
            "path": self._url("staff_action", row.pk, action.name),
        }

    def _url(self, page: str, *arguments: Any) -> str:
        options = self.model._meta  # type: ignore[attr-defined]
        return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=arguments)


def _in_list(action: StaffAction) -> Callable[[Any, HttpRequest, Any], HttpResponse | None]:
    def begin(page: WithStaffActions, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return page.begin_for_many(request, action, queryset)

    return begin
