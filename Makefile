# Two commands do all the set-up: `make run` and `make test`. Both may be repeated; what is there already is left alone.

PYTHON ?= python3
BIND   ?= 127.0.0.1:8000
JOBS   ?= 2

PY      := .venv/bin/python
PIP     := $(PY) -m pip install --disable-pip-version-check --no-compile  # compiling all at once takes longer than the rest
MANAGE  := $(PY) manage.py
ENGINES := $(PY) -m tests.engines
PYTEST  := $(PY) -m pytest -n $(JOBS) --dist worksteal

.PHONY: help run install test test-sqlite test-postgres check lint format bench clean
.DEFAULT_GOAL := help

help:
	@echo "make run      装好一切并启动演示城市 (set up and serve the demo city on http://$(BIND))"
	@echo "make install  只安装，不装演示数据、不启动 (everything but the demo city and the start)"
	@echo "make test     在 SQLite 和 PostgreSQL 上各测一遍 (all tests, on both databases)"
	@echo "make check    代码、模板、类型、迁移检查，再加测试 (lint, types, migrations, then tests)"
	@echo "make format   整理代码和模板格式 (format code and templates)"
	@echo "make bench    量速度 (benchmarks)"

# ── Set-up ────────────────────────────────────────────────────────────────────────────────────────────────────────
.venv/made:
	@echo "[1/6] 建立 Python 环境 (virtual environment)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "需要 Python 3.11 或更新的版本 (Python 3.11+ needed): make run PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  test "$$(id -u)" = 0 && echo "  安装 python3-venv (apt-get install python3-venv)" && \
	    { apt-get install -yqq python3-venv >/dev/null 2>&1 || { apt-get update -qq && apt-get install -yqq python3-venv >/dev/null; }; }; } || \
	  { echo "缺少 venv。请先运行 (please run first): sudo apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/made requirements.txt
	@echo "[2/6] 安装依赖，第一次要几分钟 (installing, a few minutes the first time)"
	@$(PIP) --requirement requirements.txt
	@touch $@

.venv/installed-dev: .venv/made requirements.txt requirements-dev.txt
	@echo "  安装开发依赖 (installing what tests need)"
	@$(PIP) --requirement requirements-dev.txt
	@touch $@

install: .venv/installed
	@echo "[3/6] 脚本和字体 (scripts and fonts)"
	@$(MANAGE) fetch_assets
	@echo "[4/6] 数据库和静态文件 (database and static files)"
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) collectstatic --noinput --verbosity 0

run: install
	@echo "[5/6] 演示城市 (demo city)"
	@$(MANAGE) demo
	@echo "[6/6] 启动 (starting)"
	@exec $(MANAGE) serve --bind $(BIND)

# ── Tests and checks ──────────────────────────────────────────────────────────────────────────────────────────────
test: test-sqlite test-postgres

test-sqlite: .venv/installed-dev
	@$(MANAGE) fetch_assets
	@echo "── 第一轮：SQLite (first round) ──"
	@$(ENGINES) $(PYTEST)

test-postgres: .venv/installed-dev
	@echo "── 第二轮：PostgreSQL (second round) ──"
	@$(ENGINES) --postgres $(PYTEST)

check: lint test

lint: .venv/installed-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/djangofmt --check --quiet templates
	.venv/bin/mypy
	$(MANAGE) makemigrations --check --dry-run --verbosity 1

format: .venv/installed-dev
	.venv/bin/ruff check --fix-only --quiet .
	.venv/bin/ruff format .
	.venv/bin/djangofmt templates

bench: .venv/installed-dev
	$(PY) -m tests.benchmarks.bench_pages
	$(PY) -m tests.benchmarks.bench_ledger --sizes 0 10000
	$(PY) -m tests.benchmarks.bench_intake
	$(PY) -m tests.benchmarks.bench_section
	$(PY) -m tests.benchmarks.bench_documents

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
