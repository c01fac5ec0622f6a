"""The Celery application: `celery -A linfen_water worker`, `celery -A linfen_water beat`."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linfen_water.settings")
TRANSPORT_ALIASES["leased"] = "linfen_water.broker:Transport"

app = Celery("linfen_water")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
