"""The guard of the trail stands again after its table was remade."""

from django.db import migrations

from linfen_water import trail_guard


def install(apps, editor):
    if not trail_guard.stands(editor.connection):
        trail_guard.install(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("linfen_water", "0007_trail_origin")]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
