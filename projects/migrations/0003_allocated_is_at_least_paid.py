"""What was paid before 拨付 was asked for had been passed on: it becomes the allocated sum, so that the chain holds."""

from django.db import migrations
from django.db.models import F


def fill(apps, schema_editor):
    for name in ("Dispatch", "DispatchLine"):
        apps.get_model("projects", name).objects.update(allocated_wan=F("paid_wan"))


class Migration(migrations.Migration):

    dependencies = [
        ("projects", "0002_allocated_money"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
