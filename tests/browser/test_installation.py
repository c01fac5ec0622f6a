"""The installation that the journeys use: laid out by the migrations themselves, on this round's database."""


def test_the_migrations_leave_a_guarded_trail_and_nothing_to_migrate(site):
    site.manage("check_trail")
    site.manage("makemigrations", "--check", "--dry-run")
