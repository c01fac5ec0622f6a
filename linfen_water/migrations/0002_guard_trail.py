"""The trail refuses UPDATE and DELETE from here on."""

from django.db import migrations

from linfen_water import trail_guard


class Migration(migrations.Migration):
    dependencies = [("linfen_water", "0001_initial")]

    operations = [
        migrations.RunPython(
            lambda apps, editor: trail_guard.install(editor.connection),
            lambda apps, editor: trail_guard.remove(editor.connection),
        )
    ]
