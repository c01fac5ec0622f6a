"""Saved views (视图): a ledger's address under a name, for oneself or, from the office, for everyone."""

from django.db import transaction
from django.db.models import Q, QuerySet

from ledgers.page_models import SavedView
from ledgers.permissions import may_share_views
from ledgers.shape import LONGEST_QUERY
from linfen_water.models import User


class Refused(Exception):
    """What speaks against it, in words for the person."""


def visible_views(user: User) -> QuerySet[SavedView]:
    return SavedView.objects.filter(Q(owner=user) | Q(is_shared=True))


def opening_view(views: list[SavedView]) -> SavedView | None:
    """Which of a person's views opens the ledger: their own default, else the one that the office shares."""
    chosen = [view for view in views if view.is_default]
    return next((view for view in chosen if not view.is_shared), next(iter(chosen), None))


@transaction.atomic
def save_view(*, by: User, ledger: str, name: str, query: str, is_shared: bool = False, is_default: bool = False) -> SavedView:
    """Keep `query` under `name`; the same name once more takes the place of the view before."""
    name = name.strip()
    if not name or len(name) > SavedView._meta.get_field("name").max_length:
        raise Refused("请给视图起一个30字以内的名称。")
    if len(query) > LONGEST_QUERY:
        raise Refused("条件太多，不能保存为视图：请减少所选的列或筛选条件。")
    if is_shared and not may_share_views(by):
        raise Refused("只有专班办可以把视图共享给大家。")
    same = SavedView.objects.filter(ledger=ledger, is_shared=is_shared)
    same = same if is_shared else same.filter(owner=by)
    if is_default:
        same.exclude(name=name).update(is_default=False)
    view = same.filter(name=name).first() or SavedView(ledger=ledger, name=name, owner=by, is_shared=is_shared)
    view.query, view.is_default = query, is_default
    view.save()
    return view


def delete_view(*, by: User, view: SavedView) -> None:
    if view.owner_id != by.pk and not (view.is_shared and may_share_views(by)):
        raise Refused("这个视图由他人建立，不能删除。")
    view.delete()
