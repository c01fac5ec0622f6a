"""Values of automatic stations move from one row an item to one row a run."""

from collections import defaultdict

from django.db import migrations


def move(apps, schema_editor):
    Reading = apps.get_model("monitoring", "Reading")
    StationRecord = apps.get_model("monitoring", "StationRecord")
    runs = defaultdict(lambda: ({}, {}))
    automatic = Reading.objects.filter(kind="automatic")
    for row in automatic.order_by("pk").iterator():
        values, flags = runs[row.section_id, row.sampled_at]
        if row.value is None:
            flags[row.parameter] = "missing"
        else:
            values[row.parameter] = str(row.value / 2 if row.is_below_detection else row.value)
    StationRecord.objects.bulk_create(
        [StationRecord(section_id=section, at=at, values=values, flags=flags) for (section, at), (values, flags) in runs.items()],
        batch_size=1000,
    )
    automatic.delete()


class Migration(migrations.Migration):

    dependencies = [
        ("monitoring", "0002_samples_stations_and_air"),
    ]

    operations = [migrations.RunPython(move, migrations.RunPython.noop, elidable=True)]
