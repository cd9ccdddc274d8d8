from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('scheduling', '0008_day_notes'),
    ]

    operations = [
        migrations.AddField(
            model_name='appointment',
            name='external_id',
            field=models.CharField(blank=True, default='', editable=False, help_text='In the system that the visit was taken over from.', max_length=60, verbose_name='number elsewhere'),
        ),
        migrations.AddField(
            model_name='historicalappointment',
            name='external_id',
            field=models.CharField(blank=True, default='', editable=False, help_text='In the system that the visit was taken over from.', max_length=60, verbose_name='number elsewhere'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(condition=models.Q(('external_id__gt', '')), fields=('clinic', 'external_id'), name='scheduling_appointment_external_once'),
        ),
    ]
