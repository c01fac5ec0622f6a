from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class LinfenWaterConfig(AppConfig):
    name = "linfen_water"
    verbose_name = "基础"

    def ready(self):
        autodiscover_modules("tasks")  # every app's job handlers and calendar rules register themselves there
