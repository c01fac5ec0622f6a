"""Saving and deleting views of a ledger."""

from django.contrib import messages
from django.http import QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from ledgers import saved_views
from ledgers.shape import kept_query
from ledgers.views.ledger import ledger_or_404


@require_POST
def save_view(request, slug: str):
    """Keep the address that was looked at under a name."""
    ledger = ledger_or_404(slug)
    query = kept_query(QueryDict(request.POST.get("query", "")))
    try:
        view = saved_views.save_view(
            by=request.user,
            ledger=ledger.slug,
            name=request.POST.get("name", ""),
            query=query,
            is_shared=request.POST.get("shared") == "1",
            is_default=request.POST.get("default") == "1",
        )
    except saved_views.Refused as refused:
        messages.error(request, str(refused))
        return redirect(f"/ledgers/{slug}/?{query or 'saved=0'}")
    opens = "，以后打开本台账先显示它" if view.is_default else ""
    messages.success(request, f"已保存视图“{view.name}”{'，全办共享' if view.is_shared else ''}{opens}。")
    return redirect(f"/ledgers/{slug}/?{view.query}&saved={view.pk}")


@require_POST
def delete_view(request, slug: str, pk: int):
    view = get_object_or_404(saved_views.visible_views(request.user), ledger=slug, pk=pk)
    try:
        saved_views.delete_view(by=request.user, view=view)
    except saved_views.Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"已删除视图“{view.name}”。")
    return redirect(f"/ledgers/{slug}/?saved=0")
