"""What is in place and what fell back: the findings of `check_setup`."""

import dataclasses
import datetime as dt
import enum
import shutil
import stat
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from linfen_water import assets, trail, trail_guard
from linfen_water.celery import app
from linfen_water.enums import JobState
from linfen_water.models import Job, Region, TrailHead


class Level(enum.IntEnum):
    GOOD = 0
    FELL_BACK = 1  # works, not as well as it could
    WRONG = 2


@dataclasses.dataclass(frozen=True)
class Finding:
    """One sentence about the set-up."""

    level: Level
    sentence: str


def findings() -> Iterator[Finding]:
    """Look at everything that a start depends on; what needs the database is left out when it does not answer."""
    yield from _assets()
    yield from _secrets()
    yield from _disk()
    yield _broker()
    yield (database := _database())
    if database.level == Level.GOOD:
        yield from _on_the_database()


def _on_the_database() -> Iterator[Finding]:
    migrations = _migrations()
    yield migrations
    if migrations.level == Level.GOOD:
        for look in (_region, _guard, _chains, _jobs, _reconciled, _readings):
            yield look()


def _assets() -> Iterator[Finding]:
    record = assets.read_record()
    for asset in assets.ASSETS:
        known = record.get(asset.name)
        if known is None:
            yield Finding(Level.WRONG, f"{asset.label}：还没有，请运行 manage.py fetch_assets。")
        elif known["fault"]:
            yield Finding(Level.FELL_BACK, f"{asset.label}：改用 {asset.fallback}（{known['fault']}）。")
        elif asset.name != "documents" and not all(path.is_file() for path in assets.files(asset)):
            yield Finding(Level.WRONG, f"{asset.label}：文件不见了，请运行 manage.py fetch_assets。")
        else:
            yield Finding(Level.GOOD, f"{asset.label}：{asset.source}。")
    collected = settings.DEBUG or (settings.STATIC_ROOT / "staticfiles.json").is_file()
    yield _either(collected, "静态文件已收集。", "静态文件还没有收集，请运行 manage.py collectstatic。")


def _secrets() -> Iterator[Finding]:
    folder = settings.DATA_DIR / "secrets"
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        is_private = not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        yield _either(is_private, f"密钥 {path.name} 只有本用户可读。", f"密钥 {path} 别人也能读，请运行 chmod 600 {path}。")


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(settings.DATA_DIR).free // 2**20
    yield _either(free >= 500, f"数据目录剩余空间 {free} MB。", f"数据目录剩余空间只有 {free} MB，请清理或换盘。")


def _broker() -> Finding:
    try:
        with app.connection_for_write(connect_timeout=3) as broker:
            broker.ensure_connection(max_retries=1, timeout=5)
            kind = broker.transport.driver_type
    except Exception as fault:  # every broker's client has its own
        return Finding(Level.WRONG, f"消息服务不通（{_masked(settings.CELERY_BROKER_URL)}）：{fault}")
    embedded = "内嵌（单机够用）" if kind == "leased" else kind
    return Finding(Level.GOOD, f"消息服务：{embedded}。")


def _database() -> Finding:
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA journal_mode")
                mode = cursor.fetchone()[0]
                return _either(
                    mode in {"wal", "memory"}, "数据库：SQLite（WAL，单机够用）。", f"数据库：SQLite 的日志模式是 {mode}，应为 wal。"
                )
            cursor.execute("SHOW server_version")
            return Finding(Level.GOOD, f"数据库：PostgreSQL {cursor.fetchone()[0]}。")
    except DatabaseError as fault:
        return Finding(Level.WRONG, f"数据库不通：{fault}")


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _either(not pending, "数据库结构是最新的。", f"数据库有 {len(pending)} 项升级没有做，请运行 manage.py migrate。")


def _region() -> Finding:
    region = Region.current()
    kind = "，演示数据" if region.is_demo else ""
    return _either(bool(region.pk), f"区域：{region.name}{kind}。", "还没有装入区域，请运行 manage.py load_region 或 manage.py demo。")


def _guard() -> Finding:
    return _either(trail_guard.stands(connection), "留痕表受数据库触发器保护。", "留痕表的触发器不见了，请恢复备份或联系维护人员。")


def _chains() -> Finding:
    broken = [
        f"{chain} 第 {place} 条"
        for chain in TrailHead.objects.values_list("chain", flat=True)
        if (place := trail.verify(chain)) is not None
    ]
    return _either(not broken, "留痕链完整。", f"留痕链有断点：{'、'.join(broken)}。")


def _jobs() -> Finding:
    failed = Job.objects.filter(state=JobState.FAILED).count()
    return _either(not failed, "没有失败的作业。", f"有 {failed} 个作业失败，请在“今日”页查看原因并重试。", Level.FELL_BACK)


def _reconciled() -> Finding:
    """The worker's sign of life: the reconciler leaves a file whose time says when it last ran."""
    try:
        last = (settings.DATA_DIR / "reconciled").stat().st_mtime
    except FileNotFoundError:
        return Finding(Level.FELL_BACK, "后台作业还没有运行过，请用 manage.py serve 启动。")
    age = timezone.now() - dt.datetime.fromtimestamp(last, dt.UTC)
    minutes = int(age.total_seconds() // 60)
    is_alive = age <= dt.timedelta(seconds=3 * settings.RECONCILE_SECONDS)
    return _either(is_alive, f"后台作业 {minutes} 分钟前巡检过。", f"后台作业已 {minutes} 分钟没有巡检，可能没有启动。", Level.FELL_BACK)


def _readings() -> Finding:
    """The last time that the automatic stations' values were fetched; a feed may stay away for two slots before it is called dead."""
    if not settings.READINGS_URL:
        return Finding(Level.GOOD, "自动站数据：没有设置 READINGS_URL，不自动获取。")
    fetched = Job.objects.filter(kind="fetch_readings")
    last = fetched.filter(state=JobState.DONE, error="").order_by("-finished_at").values_list("finished_at", flat=True).first()
    error = fetched.exclude(error="").order_by("-pk").values_list("error", flat=True).first()
    why = f"最近一次出错：{error.partition(': ')[2] or error}" if error else "演示数据或演练日期下不获取，后台作业须在运行。"
    if last is None:
        return Finding(Level.FELL_BACK, f"自动站数据还没有取到过。{why}")
    hours = int((timezone.now() - last).total_seconds() // 3600)
    is_alive = hours <= 3 * settings.READINGS_HOURS
    return _either(is_alive, f"自动站数据 {hours} 小时前取到。", f"自动站数据已 {hours} 小时没有取到。{why}", Level.FELL_BACK)


def _either(is_good: bool, good: str, bad: str, level: Level = Level.WRONG) -> Finding:
    return Finding(Level.GOOD, good) if is_good else Finding(level, bad)


def _masked(url: str) -> str:
    """The address without the password."""
    head, at, tail = url.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if at else url
