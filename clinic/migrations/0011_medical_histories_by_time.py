from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0010_letters'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='medicalhistory',
            index=models.Index(fields=['clinic', '-at'], name='clinic_medicalhistory_by_time'),
        ),
    ]
