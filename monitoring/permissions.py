"""Who may do what with the water. Sections and their values are read by everyone who may log in."""

from linfen_water.models import Region
from linfen_water.permissions import is_department, is_office


def may_record(user) -> bool:
    """Enter values of water and air: the office, and the department of the region's `water_domain`."""
    if is_office(user):
        return True
    domain = Region.current().settings.get("water_domain")
    return bool(domain) and is_department(user) and user.unit.domain is not None and user.unit.domain.name == domain


def may_edit_sections(user) -> bool:
    """Level, target, X items and dates of a section are the office's to change."""
    return is_office(user)
