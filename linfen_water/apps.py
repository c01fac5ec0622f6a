from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class LinfenWaterConfig(AppConfig):
    name = "linfen_water"
    verbose_name = "基础"

    def ready(self):
        from linfen_water import sessions  # noqa: F401 - its receiver starts the clock of a login

        autodiscover_modules("tasks")  # every app's job handlers and calendar rules register themselves there
