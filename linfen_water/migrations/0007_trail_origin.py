"""Events say where they come from; those from before say nothing, and keep the digest that they have.

SQLite remakes the table for a new column and drops its triggers: they are put back in the next migration.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("linfen_water", "0006_kiosks")]

    operations = [
        migrations.AddField(
            model_name="trailevent",
            name="origin",
            field=models.CharField(blank=True, default="", max_length=120, verbose_name="来自"),
        )
    ]
