from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0003_move_station_values'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='reading',
            name='one_value_an_item_and_time',
        ),
        migrations.RemoveField(
            model_name='reading',
            name='kind',
        ),
        migrations.AddConstraint(
            model_name='reading',
            constraint=models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('section', 'sampled_at', 'parameter'), name='one_live_value_an_item_and_time'),
        ),
        migrations.AddConstraint(
            model_name='reading',
            constraint=models.UniqueConstraint(fields=('section', 'sampled_at', 'parameter', 'revision'), name='one_value_a_revision'),
        ),
        migrations.AddConstraint(
            model_name='reading',
            constraint=models.CheckConstraint(condition=models.Q(('revision', 1), models.Q(('reason', ''), _negated=True), _connector='OR'), name='reading_revised_with_reason', violation_error_message='更正监测数据须写明理由。'),
        ),
    ]
