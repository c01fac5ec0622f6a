"""Triggers that refuse UPDATE, DELETE and TRUNCATE on the trail (留痕), on both engines."""

import contextlib

from django.db import transaction

TABLE = "linfen_water_trailevent"
REFUSAL = "the trail is append-only"

SQLITE = {
    f"trail_refuses_{act.lower()}": f"BEFORE {act} ON {TABLE} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END" for act in ("UPDATE", "DELETE")
}
POSTGRES = {"trail_refuses_change": f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION trail_refuses()"}
NAMES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger",
}
POSTGRES_FUNCTION = f"""
CREATE OR REPLACE FUNCTION trail_refuses() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""


def install(connection) -> None:
    """Put the guard on."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(POSTGRES_FUNCTION)
        for name, body in _triggers(connection).items():
            cursor.execute(f"CREATE TRIGGER {name} {body}")


def remove(connection) -> None:
    """Take the guard off."""
    on_table = f" ON {TABLE}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in _triggers(connection):
            cursor.execute(f"DROP TRIGGER {name}{on_table}")
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION trail_refuses()")


def stands(connection) -> bool:
    """Is every trigger in place? (SQLite drops them silently when a migration remakes the table.)"""
    with connection.cursor() as cursor:
        cursor.execute(NAMES[connection.vendor])
        return _triggers(connection).keys() <= {name for (name,) in cursor.fetchall()}


@contextlib.contextmanager
def lifted(connection):
    """Without the guard: for the tests' flush alone."""
    if not stands(connection):
        yield
        return
    with transaction.atomic(using=connection.alias):  # a fault inside puts the guard back by rolling back
        remove(connection)
        yield
        install(connection)


def _triggers(connection) -> dict[str, str]:
    return POSTGRES if connection.vendor == "postgresql" else SQLITE
