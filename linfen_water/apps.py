from django.apps import AppConfig


class LinfenWaterConfig(AppConfig):
    name = "linfen_water"
    verbose_name = "基础"
