"""All settings in one file; every difference between machines comes from the environment (see `.env.example`)."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

import dj_email_url
from csp.constants import NONE, SELF, UNSAFE_INLINE
from environs import Env, ValidationError, validate

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env(eager=False)  # collect every fault, report them together at `env.seal()`
env.read_env(BASE_DIR / ".env", recurse=False)


@env.parser_for("mail_url")
def _mail_url(value: str) -> dict:
    mail = dj_email_url.parse(value)
    if "EMAIL_BACKEND" not in mail:
        raise ValidationError(
            "Use smtp://host:25, submission://user:password@host:587 (STARTTLS) or smtp://user:password@host:465?ssl=true."
        )
    return mail


# ── What may differ ────────────────────────────────────────────────────────────────────────────────────────────────
DEBUG = env.bool("DEBUG", False)
DATA_DIR = Path(env.str("DATA_DIR", "") or BASE_DIR / "var")  # database, broker, documents, fonts, secrets
REGION = env.str("REGION", "linfen")  # folder under projects/regions/, or a path
OFFICE_TODAY = env.date("OFFICE_TODAY", None)  # business date for rehearsals; else the demo's, else the real one
HOLIDAYS_COUNTRY = env.str("HOLIDAYS_COUNTRY", "CN")  # whose public holidays and shifted days count (ISO 3166)
OFFICE_FONTS = env.dict("OFFICE_FONTS", {})  # role=path of the office's own licensed fonts, e.g. fangsong=/x/simfang.ttf
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [])
HTTPS = env.bool("HTTPS", False)  # served behind TLS: secure cookies
SESSION_HOURS = env.int("SESSION_HOURS", 8)
DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{DATA_DIR / 'office.sqlite3'}")}
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", f"leased:///{DATA_DIR / 'broker.sqlite3'}")
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", 120)  # a worker silent for so long has lost its job
RECONCILE_SECONDS = env.int("RECONCILE_SECONDS", 300)
READINGS_URL = env.str("READINGS_URL", "")  # where the automatic stations' JSON is fetched; empty: not at all
READINGS_BODY = env.str("READINGS_BODY", "")  # form that is posted there; empty: a GET
READINGS_HOURS = env.int("READINGS_HOURS", 4, validate=validate.Range(min=1, max=24))  # between two fetches
LOG_LEVEL = env.log_level("LOG_LEVEL", "INFO")
_mail = env.mail_url("EMAIL_URL", "dummy:")  # the mail server; without one no mail is sent
_mail_from = env.str("EMAIL_FROM", "")
_secret_key = env.str("SECRET_KEY", "")
_trail_key = env.str("TRAIL_KEY", "")
env.seal()


def _kept_secret(name: str, given: str) -> str:
    """Return `given`, or the secret kept under DATA_DIR, made at the first start: no secret is ever in the repository."""
    from django.core.management.utils import get_random_secret_key

    if given:
        return given
    path = DATA_DIR / "secrets" / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as file, contextlib.suppress(FileExistsError):
            file.write(get_random_secret_key())
            file.flush()
            os.link(file.name, path)  # whole or not at all; of several processes at once the first one's stays
    return path.read_text()


SECRET_KEY = _kept_secret("secret_key", _secret_key)
TRAIL_KEY = _kept_secret("trail_key", _trail_key)  # HMAC key of the trail: outside the database on purpose

# ── Django ─────────────────────────────────────────────────────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "linfen_water",
    "monitoring",
    "projects",
    "ledgers",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_filters",
    "django_tables2",
    "django_htmx",
    "template_partials",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "linfen_water.kiosks.KioskMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "linfen_water.middleware.OfficeMiddleware",
    "linfen_water.middleware.OwnPasswordMiddleware",
    "linfen_water.sessions.SessionClockMiddleware",
]
# The second is Django's own, under whose name older sessions and screens were let in.
AUTHENTICATION_BACKENDS = ["linfen_water.accounts.UnitBackend", "django.contrib.auth.backends.ModelBackend"]
ROOT_URLCONF = "linfen_water.urls"
WSGI_APPLICATION = "linfen_water.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "linfen_water.context_processors.office",
            ],
        },
    },
]
AUTH_USER_MODEL = "linfen_water.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "linfen_water.passwords.LongEnoughValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "today"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Django's own defaults lose writers to "database is locked"; measured in docs/adr/0003.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    DATA_DIR.mkdir(parents=True, exist_ok=True)
DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 400}},
    # Where buttons and names stand on the wall: computed once per list of projects, for all processes.
    "places": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA_DIR / "cache" / "places",
        "TIMEOUT": None,
        "OPTIONS": {"MAX_ENTRIES": 500},
    },
    # Rows of ledgers that rules compute, as objects: those of projects take some 3 KB each, letters with their papers more.
    "tables": {"BACKEND": "linfen_water.shelf.Shelf", "OPTIONS": {"MAX_ROWS": 25_000}},
}

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
ASSETS_DIR = DATA_DIR / "assets"  # plotly.js, web fonts: fetched by the set-up, never committed
ASSETS_DIR.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static", ("vendor", ASSETS_DIR)]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = DATA_DIR / "media"
DOCUMENTS_DIR = DATA_DIR / "documents"  # rendered PDF files, named by their hash
FONTS_DIR = DATA_DIR / "fonts"  # fonts of the documents
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

# Plotly writes style attributes and one empty <style>; scripts only from here (docs/adr/0006).
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src-elem": [SELF, "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"],
        "style-src-attr": [UNSAFE_INLINE],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# ── Reminders by e-mail ────────────────────────────────────────────────────────────────────────────────────────────
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_BACKEND"], _mail["EMAIL_HOST"] or "localhost", _mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"] or "", _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail["EMAIL_USE_TLS"], _mail["EMAIL_USE_SSL"]
EMAIL_FILE_PATH = _mail["EMAIL_FILE_PATH"]
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = _mail_from or EMAIL_HOST_USER or "office@localhost"

# ── Celery: the schedule only rings the reconciler, the calendar says what must exist (docs/adr/0004) ──────────────
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
# Two installations on one Redis must not answer each other's bells: a queue of its own for whoever shares the secret key.
CELERY_TASK_DEFAULT_QUEUE = f"office-{hashlib.sha256(b'queue' + SECRET_KEY.encode()).hexdigest()[:8]}"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_TRANSPORT_OPTIONS = {}
if CELERY_BROKER_URL.startswith(("leased", "redis")):  # redelivery after a killed worker; kombu's own default is an hour
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 2 * JOB_LEASE_SECONDS, "unacked_restore_throttle": 1}
CELERY_BEAT_SCHEDULE = {
    "reconcile": {
        "task": "linfen_water.tasks.reconcile",
        "schedule": RECONCILE_SECONDS,
        "options": {"expires": RECONCILE_SECONDS},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {"celery": {"level": "WARNING"}},  # `jobs.py` says what is done; Celery only what goes wrong
}
