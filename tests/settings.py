"""The product's settings for tests: a throw-away data folder, plain static files, cheap passwords, a broker in memory.

The database is the product's own choice (`DATABASE_URL`), so that the same tests run on both engines. Fetched fonts and
scripts are read from where the set-up put them.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault("DEBUG", "0")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps a loop in the thread of the journeys and of what follows them
os.environ["CELERY_BROKER_URL"] = "memory://"

from linfen_water.settings import *  # noqa: F403
from linfen_water.settings import CACHES, CELERY_BEAT_SCHEDULE, STORAGES, env  # noqa: F401

REAL_DATA_DIR = DATA_DIR  # noqa: F405
DATA_DIR = Path(tempfile.mkdtemp(prefix="office-test-"))
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)

ASSETS_DIR = REAL_DATA_DIR / "assets"
FONTS_DIR = REAL_DATA_DIR / "fonts"
DOCUMENTS_DIR = DATA_DIR / "documents"
MEDIA_ROOT = DATA_DIR / "media"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir()
CACHES["places"]["LOCATION"] = DATA_DIR / "cache" / "places"


OFFICE_TODAY = None
REGION = "linfen"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
SECRET_KEY = TRAIL_KEY = "only for tests"
LOG_LEVEL = "WARNING"
