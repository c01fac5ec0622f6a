"""Spell the names of the versions that are there."""

from django.db import migrations

from linfen_water.pinyin import spelled

BATCH = 2000


def spell(apps, schema_editor):
    versions = apps.get_model("projects", "ProjectVersion")
    batch = []
    for version in versions.objects.only("pk", "name").order_by("pk").iterator(BATCH):
        version.spelling = spelled(version.name)
        batch.append(version)
        if len(batch) == BATCH:
            versions.objects.bulk_update(batch, ["spelling"])
            batch = []
    versions.objects.bulk_update(batch, ["spelling"])


class Migration(migrations.Migration):
    dependencies = [("projects", "0007_version_spelling")]
    operations = [migrations.RunPython(spell, migrations.RunPython.noop)]
