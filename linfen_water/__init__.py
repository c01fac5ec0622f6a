from linfen_water.celery import app as celery_app

__all__ = ["celery_app"]
