from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datastores", "0002_tunnels")]

    operations = [
        migrations.AddField(
            model_name="datastore",
            name="ids_from",
            field=models.CharField(blank=True, default="", max_length=32),
        ),
        migrations.AddField(
            model_name="datastore",
            name="ids_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
